"""The viewer in Debian's Firefox and WebKitGTK (packages firefox-esr, webkit2gtk-driver, xvfb).

NST_BROWSERS=1 python -m pytest -n 0 tests/web/test_firefox_and_webkit.py
"""

from __future__ import annotations

import io
import os
import re
import urllib.request
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tests.helpers import random_picture
from tests.webdriver import Driver, firefox, set_preference, webkit

pytestmark = pytest.mark.skipif("NST_BROWSERS" not in os.environ, reason="NST_BROWSERS=1 runs it")

BROWSERS = {
    "firefox": lambda: firefox(
        **{"media.navigator.streams.fake": True, "media.navigator.permission.disabled": True}
    ),
    "scrambling firefox": lambda: firefox(**{"privacy.resistFingerprinting": True}),
    "webkit": webkit,
}
VIEWER = 'document.querySelector("#viewer [data-mode]").viewer'
LOADED = r"""/^(\D*\d+ \d+ \d+){6}\s*$/.test(
    document.querySelector("#viewer tbody")?.innerText.replaceAll(/v\d/g, ""))"""
NAMES = ["original", "baseline", "v4"]


@pytest.fixture(scope="module", params=BROWSERS)
def opened(
    request: pytest.FixtureRequest, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driver]:
    """The page with results of 512×341 px."""
    photo = tmp_path_factory.mktemp("photo") / "photo.png"
    random_picture(600, 400).save(photo)
    with BROWSERS[request.param]() as window:
        if window is None:
            pytest.skip("it is not installed")
        window.name = request.param
        window.send("SetWindowRect", width=1280, height=950)
        window.open(url)
        window.run('window.addEventListener("error", ({ message }) => (window.failed = message))')
        window.wait_for(LOADED)
        window.choose("#bar input[type=file]", photo)
        window.wait_for('document.querySelector("#viewer .words").innerText.includes("Done")')
        window.wait_for(LOADED)
        yield window


@pytest.fixture
def window(opened: Driver) -> Iterator[Driver]:
    """As nobody had touched the viewer yet; nothing may fail in it."""
    opened.run(
        f"""document.querySelector("#viewer .modes input").click();
        document.querySelector("#viewer .fit").click();
        document.activeElement.blur();
        window.scrollTo(0, 0);
        {VIEWER}.set({{ cursor: null }});"""
    )
    yield opened
    failed = opened.run("return window.failed ?? null")
    assert failed is None or failed.startswith("ResizeObserver loop")  # which is a notice


def viewer(window: Driver, expression: str) -> object:
    """When everything has been drawn; smaller pictures take a moment."""
    program = f"""
        await new Promise((done) => setTimeout(done, 400));
        const viewer = {VIEWER};
        return {expression};
    """
    return window.run(program)


def result(window: Driver, name: str) -> np.ndarray:
    address = window.run(
        'return document.querySelector(`#viewer a[aria-label="Download ${given} as PNG"]`).href',
        name,
    )
    with urllib.request.urlopen(address) as answer:
        return np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB"))


def box_of(window: Driver, name: str) -> list[float]:
    """Left, top, width and height in CSS px."""
    return window.run(
        """const { left, top, width, height } =
            document.querySelector(`#viewer [data-name=${given}]`).getBoundingClientRect();
        return [left, top, width, height];""",
        name,
    )


def test_magnified_pixels_are_those_of_the_results(window: Driver) -> None:
    window.run(f"{VIEWER}.viewport.look(50, 50, 16)")
    corner, zoom, ratio = viewer(
        window, "[viewer.viewport.corner, viewer.viewport.zoom, devicePixelRatio]"
    )
    screen = window.screen()
    scale = screen.width / window.run("return innerWidth")  # which a browser may not tell
    for name in NAMES:
        pixels = result(window, name)
        left, top, width, height = box_of(window, name)
        for x in range(int(corner[0]) + 1, int(corner[0] + width * ratio / zoom) - 1, 3):
            for y in range(int(corner[1]) + 1, int(corner[1] + height * ratio / zoom) - 1, 3):
                across, down = (
                    (at + 0.5 - start) * zoom / ratio
                    for at, start in zip((x, y), corner, strict=True)
                )
                if name == NAMES[0] and across > width / 2 and down > height / 2:
                    continue  # the overview lies there
                place = int((left + across) * scale), int((top + down) * scale)
                assert screen.getpixel(place) == tuple(pixels[y, x]), (name, x, y)


def test_small_pictures_have_no_stripes(window: Driver) -> None:
    """Also where canvases cannot be read."""
    zoom, ratio = viewer(window, "[viewer.viewport.zoom, devicePixelRatio]")
    screen = window.screen()
    scale = screen.width / window.run("return innerWidth")
    for name in NAMES:
        pixels = Image.fromarray(result(window, name))
        size = [round(side * zoom / ratio * scale) for side in pixels.size]
        left, top, width, height = (side * scale for side in box_of(window, name))
        start = round(left + (width - size[0]) / 2), round(top + (height - size[1]) / 2)
        shown = screen.crop((*start, start[0] + size[0], start[1] + size[1])).resize((30, 20))
        distance = np.abs(np.subtract(shown, pixels.resize((30, 20)), dtype=float))
        assert distance.mean() < 6, name


def test_the_read_out_and_the_difference_have_the_files_colours(window: Driver) -> None:
    x, y = viewer(window, "viewer.spot")
    colours = window.run('return document.querySelector("#viewer tbody").innerText')
    for name in NAMES:
        red, green, blue = result(window, name)[y, x]
        assert re.search(rf"{name}\s+{red} {green} {blue}", colours)
    window.run('document.querySelector("#viewer .modes input[value=difference]").click()')
    first, second = viewer(window, "viewer.pair")
    distance = np.abs(np.subtract(result(window, first), result(window, second), dtype=float))
    assert viewer(window, "viewer.difference.mean") == pytest.approx(distance.mean())


def test_every_mode_shows_its_pictures(window: Driver) -> None:
    shown = set()
    for mode in ("one", "slider", "blink", "difference"):
        window.run("document.querySelector(`#viewer .modes input[value=${given}]`).click()", mode)
        viewer(window, "true")
        left, top, width, height = window.run(
            f"""const {{ left, top, width, height }} =
                {VIEWER}.currentPane.getBoundingClientRect();
            return [left, top, width, height];"""
        )
        middle = window.screen().crop((left + 60, top + 60, left + width - 60, top + height - 60))
        assert np.asarray(middle).std() > 5
        shown.add(middle.tobytes())
    assert len(shown) >= 3


def test_keys_and_clicks_look_closer(window: Driver) -> None:
    window.run(f"{VIEWER}.currentPane.focus()")
    fitted = viewer(window, "viewer.viewport.zoom")
    window.press("+")
    closer = viewer(window, "viewer.viewport.zoom")
    assert closer > fitted
    window.press("3")
    assert viewer(window, "[viewer.mode, viewer.pair[0]]") == ["one", "v1"]
    assert window.run('return document.activeElement.matches("#viewer .single .pane")')
    window.press("5", "x")
    assert viewer(window, "viewer.pair[0]") == "v1"
    window.press("3", "0")
    assert viewer(window, "[viewer.mode, viewer.viewport.fitted]") == ["grid", True]
    left, top, width, height = box_of(window, "v1")
    window.press_at("mouse", left + 0.4 * width, top + 0.5 * height)
    assert viewer(window, "viewer.viewport.zoom") >= 4
    assert viewer(window, "viewer.looked") == "v1"


def test_a_finger_chooses_and_two_taps_look_closer(window: Driver) -> None:
    if window.name == "webkit":
        pytest.skip("WebKitGTK's driver plays fingers as a mouse")
    left, top, width, height = box_of(window, "v4")
    place = left + 0.5 * width, top + 0.5 * height
    fitted = viewer(window, "viewer.viewport.zoom")
    window.press_at("touch", *place)
    assert viewer(window, "[viewer.looked, viewer.viewport.zoom]") == ["v4", fitted]
    window.press_at("touch", *place, times=2)
    assert viewer(window, "viewer.viewport.zoom") >= 4


TURN = f"""
const pane = {VIEWER}.currentPane;
const {{ left, top }} = pane.getBoundingClientRect();
const place = {{ clientX: left + 50, clientY: top + 50 }};
const settings = {{ bubbles: true, cancelable: true }};
const [kind, more] = given;
const event = kind === "wheel"
    ? new WheelEvent(kind, {{ ...settings, ...place, ...more }})
    : Object.assign(new Event(kind, settings), {{ ...place, ...more }});
pane.dispatchEvent(event);
return event.defaultPrevented;
"""


def test_wheel_trackpad_and_pinch(window: Driver) -> None:
    """As browsers tell of them: WebKitGTK's driver turns no wheel."""
    assert not window.run(TURN, ["wheel", {"deltaY": 7.5}])  # scrolls the page
    look = "[viewer.viewport.x, viewer.viewport.zoom]"
    _, fitted = viewer(window, look)
    assert window.run(TURN, ["wheel", {"deltaY": -50, "ctrlKey": True}])  # a pinch
    x, zoom = viewer(window, look)
    assert zoom > fitted
    assert window.run(TURN, ["wheel", {"deltaX": 11.5, "deltaY": 0.5}])  # two fingers
    moved, same = viewer(window, look)
    assert (moved > x, same) == (True, zoom)
    assert window.run(TURN, ["wheel", {"deltaY": -3, "deltaMode": 1}])  # a mouse's wheel, in lines
    _, closer = viewer(window, look)
    assert closer > zoom
    for kind, scale in (("gesturestart", 1), ("gesturechange", 1.5)):  # Safari on a Mac
        assert window.run(TURN, [kind, {"scale": scale}])
    assert viewer(window, "viewer.viewport.zoom") == pytest.approx(1.5 * closer)


def test_files_and_figures_are_saved(window: Driver) -> None:
    program = """
        const made = [];
        const { click } = HTMLAnchorElement.prototype;
        HTMLAnchorElement.prototype.click = function () {
            made.push([this.download, this.href]);
        };
        document.querySelector(given).click();
        while (!made.length) await new Promise((done) => setTimeout(done, 50));
        HTMLAnchorElement.prototype.click = click;
        const bytes = new Uint8Array(await (await fetch(made[0][1])).arrayBuffer());
        return [made[0][0], bytes.length, [...bytes.slice(0, 2)]];
    """
    name, length, magic = window.run(program, "#viewer .save-files")
    assert (name, bytes(magic)) == ("photo-pictures.zip", b"PK")
    assert length > 512 * 341 * 6
    if window.name == "scrambling firefox":
        offered = window.run('return document.querySelector("#viewer .keeping").innerText')
        assert "scrambles what pages draw" in offered
        assert "Save this view" not in offered
        return
    for button in (".save-view", ".save-all"):
        name, length, magic = window.run(program, f"#viewer {button}")
        assert (name.endswith(".png"), bytes(magic)) == (True, b"\x89P")
        assert length > 100_000


def test_another_screen_has_all_its_pixels(window: Driver) -> None:
    if window.name != "firefox":
        pytest.skip("its ratio cannot be changed from here, or is not told")
    before = viewer(window, "viewer.viewport.pane")
    set_preference(window, "layout.css.devPixelsPerPx", "2")
    window.wait_for("devicePixelRatio === 2")
    width, css, ratio = viewer(
        window, "[viewer.entries[1].canvas.width, viewer.currentPane.clientWidth, devicePixelRatio]"
    )
    set_preference(window, "layout.css.devPixelsPerPx", "1")
    window.wait_for("devicePixelRatio === 1")
    assert width == css * ratio
    assert viewer(window, "viewer.viewport.pane") == before


def test_a_browser_without_newer_things_has_a_camera_that_stops(window: Driver) -> None:
    if window.name != "firefox":
        pytest.skip("it has no camera here")
    window.run("delete Element.prototype.checkVisibility; delete window.OffscreenCanvas;")
    tab = '[...document.querySelectorAll("#tabs [role=tab]")].find((it) => it.innerText === "{}")'
    window.run(f"{tab.format('Live')}.click()")
    button = (
        '[...document.querySelectorAll("#live button")].find((it) => /Start/.test(it.innerText))'
    )
    window.wait_for(f"{button} && !document.querySelector('[inert]')")
    window.run(f"{button}.click()")
    window.wait_for('/frames a second/.test(document.querySelector("#live").innerText)')
    window.run(f"{tab.format('Compare')}.click()")
    window.wait_for('/Stopped/.test(document.querySelector("#live .words").textContent)')
