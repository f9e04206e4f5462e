"""The page in browsers that are not a fresh Chromium, played by a Chromium that lacks things.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from tests.browser import (
    LOADED,
    NAMES,
    Page,
    canvas,
    expect,
    mode,
    painted,
    pane,
    result,
    sync_api,
    viewer,
    visiting,
)
from tests.helpers import encoded, random_picture

SCRAMBLED = """
const { getImageData } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.getImageData = function (...place) {
  const image = getImageData.apply(this, place);
  crypto.getRandomValues(new Uint8Array(image.data.buffer, 0, Math.min(image.data.length, 65536)));
  return image;
};
"""
OLD_SAFARI = """
delete Element.prototype.checkVisibility;
delete window.OffscreenCanvas;
delete Array.prototype.toReversed;
"""


@contextmanager
def visiting_with(browser: sync_api.Browser, url: str, script: str) -> Iterator[Page]:
    """A visit to the page in a browser that a script has changed."""
    with visiting(browser, url, own=True, viewport={"width": 1280, "height": 800}) as page:
        page.context.add_init_script(script)
        page.reload()
        page.wait_for_function(LOADED, arg=len(NAMES))
        yield page


def paint_transparent(page: Page) -> None:
    clear = random_picture(60, 44)
    clear.putalpha(clear.getchannel("R"))
    photo = {"name": "a.png", "mimeType": "image/png", "buffer": encoded(clear)}
    page.locator("#bar input[type=file]").set_input_files(photo)
    painted(page)


def assert_colours_are_the_files(page: Page, off: int) -> None:
    """In the read-out; of a transparent one as it looks on white."""
    for name in NAMES:
        pixels = np.asarray(result(page, name), int)
        cell = page.locator("#viewer tbody tr", has_text=name).locator("td")
        shown = [int(number) for number in re.findall(r"\d+", cell.text_content())][-3:]
        assert shown == pytest.approx(pixels[22, 30].tolist(), abs=off), name


def test_scrambled_canvases_change_no_picture(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as page:
        page.wait_for_timeout(500)
        expected = canvas(page, pane("v4"))
        paint_transparent(page)
        assert_colours_are_the_files(page, 1)
    with visiting_with(browser, url, SCRAMBLED) as page:
        page.wait_for_timeout(500)
        assert (canvas(page, pane("v4")) == expected).all()
        paint_transparent(page)
        assert_colours_are_the_files(page, 0)
        mode(page, "Difference")
        pair = viewer(page, "viewer.pair")
        first, second = (np.asarray(result(page, name)).astype(int) for name in pair)
        assert viewer(page, "viewer.difference.mean") == pytest.approx(abs(first - second).mean())
        expect(page.get_by_text("This browser scrambles what pages draw")).to_be_visible()
        expect(page.get_by_role("button", name="Save this view")).to_be_hidden()
        page.get_by_role("tab", name="Live").click()
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live .error")).to_contain_text("scrambles")


def test_an_old_safari_has_a_camera_that_stops(browser: sync_api.Browser, url: str) -> None:
    with visiting_with(browser, url, OLD_SAFARI) as page:
        page.get_by_role("button", name="Zoom out").click()
        page.get_by_role("tab", name="Live").click()
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live .rate").first).to_contain_text("frames a second")
        page.get_by_role("tab", name="Compare").click()
        expect(page.locator("#live .words")).to_have_text("Stopped, because this was left.")


def test_another_screen_has_all_its_pixels(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, own=True, viewport={"width": 1280, "height": 800}) as page:
        before = canvas(page, pane("v4")).shape
        screen = {"width": 1280, "height": 800, "deviceScaleFactor": 2, "mobile": False}
        devtools = page.context.new_cdp_session(page)
        devtools.send("Emulation.setDeviceMetricsOverride", screen)
        expect(page.locator(pane("v4"))).to_have_attribute("width", str(2 * before[1]))
        width = page.locator(pane("v4")).evaluate("canvas => canvas.getBoundingClientRect().width")
        assert width == before[1]


def test_a_pinch_in_safari_zooms_the_pictures_alone(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as page:
        zoom = viewer(page, "viewer.viewport.zoom")
        assert page.evaluate(
            """selector => {
                const pane = document.querySelector(selector);
                const { left, top } = pane.getBoundingClientRect();
                return [["start", 1], ["change", 2], ["change", 4]].map(([kind, scale]) => {
                    const place = { clientX: left + 50, clientY: top + 50, scale };
                    const settings = { bubbles: true, cancelable: true };
                    const event = Object.assign(new Event(`gesture${kind}`, settings), place);
                    pane.dispatchEvent(event);
                    return event.defaultPrevented;
                });
            }""",
            pane("v4"),
        ) == [True, True, True]
        assert viewer(page, "viewer.viewport.zoom") == pytest.approx(4 * zoom)
