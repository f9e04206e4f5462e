"""The viewer in a real browser: the right pixels, moved by mouse, wheel and keys.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.browser import (
    NAMES,
    Page,
    canvas,
    expect,
    pane,
    place,
    result,
    sync_api,
    viewer,
    visiting,
)
from tests.zoom import magnify


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
    x, y, zoom = viewer(page, "[viewer.viewport.x, viewer.viewport.y, viewer.viewport.zoom]")
    width, height = viewer(page, "viewer.viewport.pane")
    assert zoom >= 2
    for name in NAMES:
        expected = np.asarray(magnify(result(page, name), x, y, zoom, width, height))
        assert np.array_equal(canvas(page, pane(name)), expected), name


def turn_wheel(page: Page, name: str, amount: float, key: str | None = None) -> None:
    box = place(page, name)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)  # until the wheel may mean something else than before
    if key:
        page.keyboard.down(key)
    page.mouse.wheel(0, amount)
    if key:
        page.keyboard.up(key)


def test_a_wheel_scrolls_the_page_until_something_is_magnified(page: Page) -> None:
    fitted = viewer(page, "viewer.viewport.zoom")
    turn_wheel(page, "v1", 120)
    page.wait_for_function("window.scrollY > 0")
    assert viewer(page, "viewer.viewport.zoom") == fitted
    expect(page.locator("#viewer .wheel")).to_contain_text("wheel zoom")
    page.evaluate("window.scrollTo(0, 0)")
    turn_wheel(page, "v1", -120, "Control")
    zoomed = "zoom => document.querySelector('#viewer [data-zoom]').dataset.zoom > zoom"
    page.wait_for_function(zoomed, arg=fitted)
    page.wait_for_timeout(300)
    with_key = viewer(page, "viewer.viewport.zoom")
    scrolled = page.evaluate("window.scrollY")
    turn_wheel(page, "v1", -120)
    page.wait_for_function(zoomed, arg=with_key)
    assert page.evaluate("window.scrollY") == scrolled


def test_a_drag_moves_all_pictures(page: Page) -> None:
    for _ in range(4):
        page.locator("#viewer .in").click()
    box = place(page, "v1")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = canvas(page, pane("v3"))
    x = viewer(page, "viewer.viewport.x")
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 60, middle[1], steps=4)
    page.mouse.up()
    assert viewer(page, "viewer.viewport.x") > x
    assert not np.array_equal(canvas(page, pane("v3")), before)


def test_the_overview_says_where_one_is_and_leads_elsewhere(page: Page) -> None:
    overview = page.locator("#viewer .overview")
    expect(overview).to_be_hidden()
    for _ in range(5):
        page.locator("#viewer .in").click()
    expect(overview).to_be_visible()
    box = overview.bounding_box()
    assert box["width"] / box["height"] == pytest.approx(256 / 171, rel=0.05)
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.75)
    x, y = viewer(page, "[viewer.viewport.x, viewer.viewport.y]")
    assert (x, y) == (pytest.approx(25, abs=4), pytest.approx(75, abs=4))


def test_the_full_screen_holds_the_pictures_and_the_tools(page: Page) -> None:
    button = page.get_by_role("button", name="Full screen")
    button.click()
    page.wait_for_function("document.fullscreenElement !== null")
    expect(button).to_have_attribute("aria-pressed", "true")
    height = page.evaluate("window.innerHeight")
    boxes = [page.locator(pane(name)).bounding_box() for name in NAMES]
    assert all(box["y"] + box["height"] <= height for box in boxes)
    turn_wheel(page, "v1", -120)  # there is no page to scroll
    assert not viewer(page, "viewer.viewport.fitted")
    button.click()
    page.wait_for_function("document.fullscreenElement === null")


def test_small_pictures_are_filtered_like_pillow_does(browser: sync_api.Browser, url: str) -> None:
    """So that no grid turns into moiré; the example is 512 px wide, on a phone 180 px."""
    with visiting(browser, url, viewport={"width": 390, "height": 844}) as page:
        zoom, width, height = viewer(page, "[viewer.viewport.zoom, ...viewer.viewport.pane]")
        assert zoom < 1
        page.wait_for_function(  # when the zoom has stayed for a moment
            """() => {
                const { entries, viewport } = document.querySelector("#viewer [data-mode]").viewer;
                return entries.every(({ picture }) => picture.small?.zoom === viewport.zoom);
            }"""
        )
        for name in ("original", "v1"):
            photo = result(page, name)
            size = [round(side * zoom) for side in photo.size]
            expected = in_floats(photo, size)
            left, top = (
                (room - side + 1) // 2 for room, side in zip((width, height), size, strict=True)
            )
            shown = canvas(page, pane(name)).astype(int)
            shown = shown[top : top + size[1], left : left + size[0]]
            assert abs(shown - expected).max() <= 1, name


def in_floats(photo: Image.Image, size: list[int]) -> np.ndarray:
    """As Pillow does it, without clipping between rows and columns."""
    channels = [
        np.asarray(channel.convert("F").resize(size, Image.Resampling.LANCZOS))
        for channel in photo.split()
    ]
    return np.stack(channels, 2).clip(0, 255).round().astype(int)


def test_zoom_counts_the_screens_own_pixels(browser: sync_api.Browser, url: str) -> None:
    laptop = {"viewport": {"width": 1280, "height": 800}, "device_scale_factor": 2}
    with visiting(browser, url, **laptop) as page:
        page.locator("#viewer .pixels").click()
        expect(page.locator("#viewer .factor")).to_have_text("1×")
        x, y, zoom = viewer(page, "[viewer.viewport.x, viewer.viewport.y, viewer.viewport.zoom]")
        width, height = viewer(page, "viewer.viewport.pane")
        assert width > 1.9 * page.locator(pane("v1")).bounding_box()["width"]
        expected = magnify(result(page, "v1"), x, y, zoom, width, height)
        shown = canvas(page, pane("v1"))
        left, top = (
            (room - side + 1) // 2
            for room, side in zip((width, height), expected.size, strict=True)
        )
        shown = shown[top : top + expected.height, left : left + expected.width]
        assert np.array_equal(shown, np.asarray(expected))
        box = place(page, "v2")
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        middle = viewer(page, "viewer.cursor")
        assert middle == pytest.approx([256, 192], abs=2)


def test_a_click_and_enter_centre(page: Page) -> None:
    box = place(page, "v2")
    page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.6)
    cursor = viewer(page, "viewer.cursor")
    assert viewer(page, "viewer.viewport.zoom") == 4
    assert viewer(page, "viewer.viewport.x") == pytest.approx(
        100 * (cursor[0] + 0.5) / 256, abs=0.3
    )
    for _ in range(9):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    x = 100 * (cursor[0] + 9.5) / 256
    assert viewer(page, "viewer.viewport.x") == pytest.approx(x, abs=0.3)


def test_the_readout_gives_every_pictures_colour(page: Page) -> None:
    box = place(page, "v1")
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.7)
    x, y = viewer(page, "viewer.cursor")
    expect(page.locator("#viewer .where")).to_contain_text(f"x {x}, y {y}")
    for index, name in enumerate(NAMES):
        colour = " ".join(map(str, result(page, name).getpixel((x, y))))
        expect(page.locator("#viewer tbody td").nth(index)).to_have_text(colour)
