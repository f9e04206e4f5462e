"""The page in a real browser: what a visitor does, by mouse, by keyboard and on a phone.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import base64
import io
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.models import VARIANTS
from nst.zoom import magnify, region
from tests.conftest import random_picture

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no Chromium on this machine", allow_module_level=True)

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ["original", *VARIANTS]
HOSTILE = "<img src=x onerror=window.hacked=1>&amp;.png"
TIMEOUT = 60_000  # ms; a slow machine with two cores
LOADED = """count => {
    const colours = [...document.querySelectorAll("#viewer tbody td")];
    return colours.length === count && colours.every(cell => /\\d/.test(cell.textContent));
}"""

Page = sync_api.Page
expect = sync_api.expect
expect.set_options(timeout=TIMEOUT)


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visiting(browser: sync_api.Browser, url: str, **context: object) -> Iterator[Page]:
    """A visit that must ask nothing of other machines and must log no error."""
    errors, elsewhere = [], []
    visit = browser.new_context(**context)
    visit.set_default_timeout(TIMEOUT)
    page = visit.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    visit.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((url, "data:", "blob:"))
            else elsewhere.append(request.url)
        ),
    )
    page.goto(url)
    page.wait_for_function(LOADED, arg=5)
    yield page
    visit.close()
    assert elsewhere == []
    assert errors == []


@pytest.fixture(scope="module")
def desktop(
    browser: sync_api.Browser, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """A page with results for a photo whose name is markup."""
    path = tmp_path_factory.mktemp("upload") / HOSTILE
    random_picture(300, 200).save(path)
    with visiting(browser, url, viewport={"width": 1280, "height": 900}) as page:
        upload(page, path)
        page.get_by_role("radio", name="256", exact=True).check()
        stylize(page)
        yield page


@pytest.fixture
def page(desktop: Page) -> Page:
    """The same page, as nobody had touched the viewer yet."""
    mode(desktop, "Side by side")
    desktop.locator("#viewer .fit").click()
    desktop.mouse.move(0, 0)
    return desktop


def upload(page: Page, path: Path) -> None:
    clear = page.get_by_role("button", name="Remove Image")
    if clear.count():
        clear.first.click()
    page.locator("input[type=file]").first.set_input_files(path)
    expect(clear.first).to_be_visible()


def stylize(page: Page, pictures: int = 5) -> None:
    page.get_by_role("button", name="Stylize").click()
    expect(page.locator(".status").first).to_contain_text("Done")
    page.wait_for_function(LOADED, arg=pictures)


def mode(page: Page, name: str) -> None:
    page.locator("#viewer").get_by_role("radio", name=name).check()


def viewer(page: Page, expression: str) -> object:
    """Evaluate with `viewer` as the viewer's own object, when everything has been drawn."""
    return page.evaluate(
        """async expression => {
            const frame = () => new Promise(requestAnimationFrame);
            await frame(), await frame();
            const { viewer } = document.querySelector("#viewer [data-mode]");
            return new Function("viewer", `return ${expression}`)(viewer);
        }""",
        expression,
    )


def canvas(page: Page, selector: str) -> np.ndarray:
    """(H, W, 3) of what a canvas shows."""
    viewer(page, "true")
    address = page.evaluate(
        'selector => document.querySelector(selector).toDataURL("image/png")', selector
    )
    return png(base64.b64decode(address.partition(",")[2]))


def png(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def result(page: Page, name: str) -> Image.Image:
    """The PNG that a picture's download link gives."""
    link = page.locator(f"#viewer a[aria-label='Download {name} as PNG']")
    address = link.evaluate("link => link.href")
    return Image.fromarray(png(page.request.get(address).body()))


def pane(name: str) -> str:
    return f"#viewer .panes figure:nth-child({NAMES.index(name) + 1}) canvas"


def place(page: Page, name: str) -> dict[str, float]:
    """Scroll a picture into view; where it is on the screen."""
    shown = page.locator(pane(name))
    shown.scroll_into_view_if_needed()
    return shown.bounding_box()


def test_names_of_files_are_text(page: Page) -> None:
    facts = page.locator("#viewer .facts").first
    expect(facts).to_contain_text("onerror=window.hacked=1")
    assert page.locator("#viewer figcaption img").count() == 0
    assert page.evaluate("window.hacked") is None
    saved = page.get_by_role("link", name="Download v3 as PNG").get_attribute("download")
    assert saved == "img-src-x-onerror-window-hacked-1-amp-v3.png"


def test_pixels_on_the_screen_are_the_results(page: Page) -> None:
    for _ in range(3):
        page.locator("#viewer .in").click()
    page.locator("#viewer .pane").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    x, y, zoom = viewer(page, "[viewer.state.x, viewer.state.y, viewer.state.zoom]")
    width, height = viewer(page, "viewer.paneSize()")
    assert zoom >= 3
    for name in NAMES:
        expected = np.asarray(magnify(result(page, name), x, y, zoom, width, height))
        assert np.array_equal(canvas(page, pane(name)), expected), name


def test_viewer_and_api_share_one_formula(page: Page) -> None:
    draw = random.Random(0)
    cases = [
        (
            [draw.randint(16, 3000), draw.randint(16, 3000)],
            draw.uniform(0, 100),
            draw.choice([0, 50, 100, draw.uniform(0, 100)]),
            draw.choice([0.3, 1, 2, 3.7, 8, 32]),
            draw.randint(50, 1200),
            draw.randint(50, 1200),
        )
        for _ in range(300)
    ]
    shown = page.evaluate(
        """cases => cases.map(values =>
            document.querySelector("#viewer [data-mode]").viewer.region(...values))""",
        cases,
    )
    for case, box in zip(cases, shown, strict=True):
        assert box == pytest.approx(region(*case), abs=1e-9)


def test_wheel_and_drag_move_all_pictures(page: Page) -> None:
    box = place(page, "v1")
    page.wait_for_timeout(300)  # a wheel that has been scrolling goes on scrolling
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    fitted = viewer(page, "viewer.state.zoom")
    page.mouse.wheel(0, -300)
    page.wait_for_function(
        "zoom => document.querySelector('#viewer [data-zoom]').dataset.zoom > zoom", arg=fitted
    )
    before = canvas(page, pane("v3"))
    x = viewer(page, "viewer.state.x")
    page.mouse.down()
    page.mouse.move(middle[0] - 60, middle[1], steps=4)
    page.mouse.up()
    assert viewer(page, "viewer.state.x") > x
    assert not np.array_equal(canvas(page, pane("v3")), before)


def test_a_click_and_enter_centre(page: Page) -> None:
    box = place(page, "v2")
    page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.6)
    cursor = viewer(page, "viewer.state.cursor")
    assert viewer(page, "viewer.state.zoom") == 4
    assert viewer(page, "viewer.state.x") == pytest.approx(100 * (cursor[0] + 0.5) / 256, abs=0.3)
    for _ in range(9):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    x = 100 * (cursor[0] + 9.5) / 256
    assert viewer(page, "viewer.state.x") == pytest.approx(x, abs=0.3)


def test_the_readout_gives_every_pictures_colour(page: Page) -> None:
    box = place(page, "v1")
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.7)
    x, y = viewer(page, "viewer.state.cursor")
    expect(page.locator("#viewer .where")).to_contain_text(f"x {x}, y {y}")
    for index, name in enumerate(NAMES):
        colour = " ".join(map(str, result(page, name).getpixel((x, y))))
        expect(page.locator("#viewer tbody td").nth(index)).to_have_text(colour)


def test_slider_shows_one_left_and_the_other_right(page: Page) -> None:
    mode(page, "Slider")
    page.get_by_label("First picture").select_option("original")
    page.get_by_label("Second picture").select_option("v2")
    divider = page.get_by_role("slider", name="Divider")
    divider.press("End")
    whole = canvas(page, "#viewer .single canvas")
    divider.press("Home")
    other = canvas(page, "#viewer .single canvas")
    for _ in range(5):
        divider.press("PageUp")
    half = canvas(page, "#viewer .single canvas")
    cut = half.shape[1] // 2
    assert np.array_equal(half[:, : cut - 1], whole[:, : cut - 1])
    assert np.array_equal(half[:, cut + 1 :], other[:, cut + 1 :])
    assert not np.array_equal(whole, other)
    box = divider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 100, box["y"] + 30, steps=3)
    page.mouse.up()
    assert int(divider.get_attribute("aria-valuenow")) > 50


def test_blink_is_slow_and_can_be_paused(page: Page) -> None:
    mode(page, "Blink")
    tag = page.locator("#viewer .tag.left")
    first, second = (
        page.get_by_label(f"{which} picture").input_value() for which in ("First", "Second")
    )
    expect(tag).to_have_text(second)
    expect(tag).to_have_text(first)
    changes = page.evaluate(
        """() => new Promise(done => {
            let changes = 0;
            const tag = document.querySelector("#viewer .tag.left");
            new MutationObserver(() => (changes += 1)).observe(tag, { childList: true });
            setTimeout(() => done(changes), 2000);
        })"""
    )
    assert 1 <= changes <= 4  # two changes make one blink: never above 1 Hz
    page.get_by_role("button", name="Pause").click()
    shown = tag.text_content()
    page.wait_for_timeout(1600)
    assert tag.text_content() == shown
    page.locator("#viewer .pause").click()


def test_difference_is_amplified(page: Page) -> None:
    mode(page, "Difference")
    page.get_by_label("First picture").select_option("baseline")
    page.get_by_label("Second picture").select_option("v3")
    gain = page.get_by_label("Amplified")
    gain.press("Home")
    gain.press("ArrowRight")
    gain.press("ArrowRight")
    gain.press("ArrowRight")
    expect(page.locator("#viewer .gain output")).to_have_text("×8")
    x, y, zoom = viewer(page, "[viewer.state.x, viewer.state.y, viewer.state.zoom]")
    assert zoom == int(zoom) >= 2  # a small picture is fitted to whole pixels
    one, two = (np.asarray(result(page, name)).astype(int) for name in ("baseline", "v3"))
    expected = Image.fromarray(np.minimum(8 * abs(one - two), 255).astype(np.uint8))
    shown = canvas(page, "#viewer .single canvas")
    width, height = (zoom * side for side in expected.size)
    left, top = (shown.shape[1] - width + 1) // 2, (shown.shape[0] - height + 1) // 2
    magnified = np.asarray(magnify(expected, x, y, zoom, *shown.shape[1::-1]))
    assert np.array_equal(shown[top : top + height, left : left + width], magnified)
    mean = f"mean difference {abs(one - two).mean():.1f} of 255"
    expect(page.locator("#viewer .tag.left")).to_contain_text(mean)


def test_strength_changes_the_pictures_at_once(page: Page) -> None:
    before = result(page, "v3")
    strength = page.get_by_role("slider", name="Strength")
    strength.focus()
    strength.press("Home")
    expect(page.locator(".status").first).to_contain_text("0 % strength")
    page.wait_for_function(LOADED, arg=5)
    assert result(page, "v3").tobytes() == result(page, "original").tobytes()
    strength.press("End")
    expect(page.locator(".status").first).to_contain_text("100 % strength")
    assert result(page, "v3").tobytes() == before.tobytes()


def test_all_pictures_can_be_saved_as_one(page: Page) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="All of them in one PNG").click()
    assert download.value.suggested_filename.endswith("-comparison.png")
    assert Image.open(download.value.path()).width > 3 * 256


def test_a_bad_file_is_answered_in_words(
    browser: sync_api.Browser, url: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"<svg onload=alert(1)>")
    with visiting(browser, url) as page:
        upload(page, tmp_path / "bad.png")
        page.get_by_role("button", name="Stylize").click()
        alert = page.get_by_role("alert").filter(has_text="Accepted: PNG")
        expect(alert).to_be_visible()
        assert "tmp" not in alert.text_content()
        assert page.get_by_role("link", name="as PNG").count() == 0  # of the example before
        random_picture(40, 30).save(tmp_path / "good.png")
        upload(page, tmp_path / "good.png")
        page.get_by_role("radio", name="256", exact=True).check()
        stylize(page)


def tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"the Tab key does not reach {selector}")


def test_everything_can_be_done_by_keyboard(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, reduced_motion="reduce") as page:
        tab_to(page, ".gallery-item")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the second example
        expect(page.get_by_role("button", name="Remove Image").first).to_be_visible()
        tab_to(page, "input[type=radio][value='256']")
        page.keyboard.press("Space")
        for name in ("v1", "v2"):
            tab_to(page, f"input[type=checkbox][name={name}]")
            page.keyboard.press("Space")
        tab_to(page, "#start")
        page.keyboard.press("Enter")
        expect(page.locator(".status").first).to_contain_text("Done: 2 pictures")
        page.wait_for_function(LOADED, arg=3)
        tab_to(page, "#viewer .modes input")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        # who wants less motion sees nothing blink
        expect(page.get_by_role("button", name="Blink", exact=True)).to_be_visible()
        page.keyboard.press("ArrowLeft")
        tab_to(page, "#viewer .pane")
        for _ in range(5):
            page.keyboard.press("+")
        x, y = viewer(page, "[viewer.state.x, viewer.state.y]")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown")
        moved = viewer(page, "[viewer.state.x, viewer.state.y]")
        assert (moved[0] < x, moved[1] > y) == (True, True)
        page.keyboard.press("0")
        assert viewer(page, "viewer.state.fitted")
        tab_to(page, "#viewer .divider")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("slider", name="Divider")).to_have_attribute("aria-valuenow", "52")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_rules_hold(browser: sync_api.Browser, url: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with visiting(browser, url, color_scheme=scheme) as page:
        for tab in ("About", "How they were trained", "Compare"):
            page.get_by_role("tab", name=tab).click()
            assert axe.run(page).response["violations"] == [], tab
        for name in ("Slider", "Difference"):
            mode(page, name)
            assert axe.run(page, context="#viewer").response["violations"] == [], name


def touch(page: Page) -> Callable[..., None]:
    """Send touches: kind, then the points that are down."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    return send


def test_a_phone_needs_no_sideways_scrolling(browser: sync_api.Browser, url: str) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    with visiting(browser, url, **phone) as page:
        wide = "document.documentElement.scrollWidth"
        for name in ("Slider", "Blink", "Difference", "Side by side"):
            mode(page, name)
            viewer(page, "true")
            assert page.evaluate(wide) <= 390, name
        box = place(page, "baseline")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        fitted = viewer(page, "viewer.state.zoom")
        send = touch(page)
        send("touchStart", (x - 10, y), (x + 10, y))
        for spread in (20, 30, 40):
            send("touchMove", (x - spread, y), (x + spread, y))
        send("touchEnd")
        assert viewer(page, "viewer.state.zoom") == pytest.approx(4 * fitted, rel=0.2)
        page.locator("#viewer .fit").tap()
        before = page.evaluate("window.scrollY")
        box = page.locator(pane("baseline")).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        send("touchStart", (x, y))
        for moved in range(20, 121, 20):
            send("touchMove", (x, y - moved))
        send("touchEnd")
        page.wait_for_function("before => window.scrollY > before", arg=before)
        for tab in ("How they were trained", "About", "Compare"):
            page.get_by_role("tab", name=tab).tap()
            expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
            assert page.evaluate(wide) <= 390, tab
