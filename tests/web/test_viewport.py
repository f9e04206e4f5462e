"""Where the viewer looks: numbers that need a browser's JavaScript, but no page."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator

import pytest

from nst.paths import ASSETS
from tests.browser import sync_api
from tests.zoom import region

SCRIPT = base64.b64encode((ASSETS / "viewer/viewport.js").read_bytes()).decode()
PROGRAM = """async ([script, program, given]) => {
    const { Viewport } = await import(`data:text/javascript;base64,${script}`);
    const viewport = (size, pane) => {
        const it = Object.assign(new Viewport(), { size });
        it.resize(pane);
        return it;
    };
    return new Function("viewport", "given", program)(viewport, given);
}"""

Evaluate = Callable[..., object]


@pytest.fixture(scope="module")
def evaluate(browser: sync_api.Browser) -> Iterator[Evaluate]:
    """Runs a function's body that has `viewport(size, pane)` and what is given as `given`."""
    page = browser.new_page()
    yield lambda program, given=None: page.evaluate(PROGRAM, [SCRIPT, program, given])
    page.close()


def test_regions_are_those_of_the_formula(evaluate: Evaluate) -> None:
    draw = random.Random(0)
    cases = [
        {
            "size": [draw.randint(16, 3000), draw.randint(16, 3000)],
            "x": draw.uniform(0, 100),
            "y": draw.choice([0, 50, 100, draw.uniform(0, 100)]),
            "zoom": draw.choice([0.3, 1, 2, 3.7, 8, 32]),
            "pane": [draw.randint(50, 1200), draw.randint(50, 1200)],
        }
        for _ in range(300)
    ]
    shown = evaluate(
        "return given.map((it) => Object.assign(viewport(it.size, it.pane), it).region)", cases
    )
    for case, box in zip(cases, shown, strict=True):
        expected = region(case["size"], case["x"], case["y"], case["zoom"], *case["pane"])
        assert box == pytest.approx(expected, abs=1e-9)


LOOK = """
    const { size, pane, place } = given;
    const it = viewport(size, pane);
    it.look(...place);
    return [it.region, it.zoom, it.fitted];
"""


@pytest.mark.parametrize("zoom", [2, 3, 7, 16])
@pytest.mark.parametrize("place", [(0, 0), (50, 50), (100, 100), (13.5, 88)])
def test_region_lies_inside_and_has_one_size(
    evaluate: Evaluate, place: tuple[float, float], zoom: int
) -> None:
    given = {"size": [640, 480], "pane": [480, 480], "place": [*place, zoom]}
    (left, top, right, bottom), *_ = evaluate(LOOK, given)
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 480
    assert right - left == pytest.approx(480 / zoom)
    assert bottom - top == pytest.approx(480 / zoom)


def test_region_starts_at_a_whole_screen_pixel(evaluate: Evaluate) -> None:
    given = {"size": [640, 480], "pane": [301, 200], "place": [31.4, 62.8, 8]}
    (left, top, *_), *_ = evaluate(LOOK, given)
    assert (left * 8, top * 8) == (round(left * 8), round(top * 8))


def test_the_place_asked_for_is_in_the_middle(evaluate: Evaluate) -> None:
    given = {"size": [640, 480], "pane": [320, 160], "place": [25, 75, 8]}
    (left, top, right, bottom), *_ = evaluate(LOOK, given)
    assert ((left + right) / 2, (top + bottom) / 2) == (160, 360)
    assert (right - left, bottom - top) == (40, 20)


def test_small_pictures_are_shown_whole(evaluate: Evaluate) -> None:
    given = {"size": [20, 30], "pane": [480, 480], "place": [10, 90, 4]}
    assert evaluate(LOOK, given)[0] == [0, 0, 20, 30]


def test_zoom_stays_within_bounds(evaluate: Evaluate) -> None:
    given = {"size": [40, 30], "pane": [480, 480]}
    assert evaluate(LOOK, {**given, "place": [50, 50, 0]})[1] == 1
    assert evaluate(LOOK, {**given, "place": [50, 50, 1e9]})[1] == 32
    large = {"size": [960, 960], "pane": [480, 480], "place": [50, 50, 0.1]}
    assert evaluate(LOOK, large)[1:] == [0.5, True]


@pytest.mark.parametrize(
    ("size", "zoom"), [((960, 480), 0.5), ((320, 240), 1.5), ((200, 100), 2), ((4, 3), 32)]
)
def test_a_picture_fits_at_a_whole_zoom_from_two_on(
    evaluate: Evaluate, size: tuple[int, int], zoom: float
) -> None:
    assert evaluate("return viewport(given, [480, 480]).zoom", size) == zoom


def test_it_stays_fitted_in_another_pane_until_it_is_magnified(evaluate: Evaluate) -> None:
    program = """
        const it = viewport([640, 480], [320, 240]);
        it.resize([160, 240]);
        const fitted = [it.fitted, it.zoom];
        it.look(30, 40, 2);
        it.resize([320, 240]);
        return [...fitted, it.fitted, it.zoom, it.x, it.y];
    """
    assert evaluate(program) == [True, 0.25, False, 2, 30, 40]


def test_zooming_keeps_the_point_below_the_pointer(evaluate: Evaluate) -> None:
    program = """
        const it = viewport([640, 480], [320, 240]);
        it.look(50, 50, 2);
        const before = it.pixelAt([80, 60]);
        it.zoomAt([80, 60], 8);
        return [before, it.pixelAt([80, 60])];
    """
    before, after = evaluate(program)
    assert after == before == [280, 210]


def test_plus_and_minus_go_through_whole_steps(evaluate: Evaluate) -> None:
    program = """
        const it = viewport([640, 480], [320, 240]);
        const zooms = [];
        for (const direction of [1, 1, 1, 1, 1, -1, -1, -1, -1, -1]) {
            it.step(direction);
            zooms.push(it.zoom);
        }
        return [zooms, it.fitted];
    """
    assert evaluate(program) == [[1, 2, 3, 4, 6, 4, 3, 2, 1, 0.5], True]


def test_minus_never_magnifies(evaluate: Evaluate) -> None:
    program = """
        const it = viewport(given, [320, 240]);
        it.look(50, 50, Math.min(1, it.zoom));
        const before = it.zoom;
        it.step(-1);
        return it.zoom === before;
    """
    assert evaluate(program, [640, 480])  # it is shown whole
    assert evaluate(program, [64, 48])  # 1:1, smaller than the pane


def test_a_step_goes_around_a_pixel_that_is_seen(evaluate: Evaluate) -> None:
    program = """
        const it = viewport([640, 480], [320, 240]);
        it.look(50, 50, 2);
        const before = it.placeOf(given);
        it.step(1, given);
        return [before, it.placeOf(given), it.x];
    """
    before, after, _ = evaluate(program, [270, 200])
    assert after == pytest.approx(before, abs=1)
    _, after, x = evaluate(program, [0, 0])
    assert (after, x) == (None, 50)


def test_places_and_pixels_are_each_others_inverse(evaluate: Evaluate) -> None:
    program = """
        const it = viewport([64, 48], [320, 320]);
        const place = it.placeOf([0, 47]);
        return [it.corner, place, it.pixelAt(place), it.pixelAt([5, 5])];
    """
    assert evaluate(program) == [[0, -8], [2.5, 277.5], [0, 47], None]


def test_nothing_happens_without_a_picture(evaluate: Evaluate) -> None:
    program = """
        const it = viewport(null, [320, 240]);
        it.fit(), it.step(1), it.move(3, 4), it.centreOn([1, 1]), it.zoomAt([0, 0], 4);
        return [it.x, it.y, it.zoom, it.zoomInWords];
    """
    assert evaluate(program) == [50, 50, 1, "–"]
