"""The viewer's modes in a real browser: one picture, slider, blink, difference.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from tests.browser import Page, canvas, expect, mode, pane, result, viewer
from tests.zoom import magnify


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
    view = page.locator("#viewer .single .pane").bounding_box()
    zoom = viewer(page, "viewer.viewport.zoom")
    page.mouse.click(view["x"] + view["width"] * 0.2, view["y"] + 40)  # brings the divider there
    expect(divider).to_have_attribute("aria-valuenow", "20")
    assert viewer(page, "viewer.viewport.zoom") == zoom


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
    expect(page.locator("#viewer .gain output")).to_have_text("×1")  # at first
    gain.press("ArrowRight")
    gain.press("ArrowRight")
    gain.press("ArrowRight")
    expect(page.locator("#viewer .gain output")).to_have_text("×8")
    x, y, zoom = viewer(page, "[viewer.viewport.x, viewer.viewport.y, viewer.viewport.zoom]")
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
    gain.press("Home")


def test_the_difference_can_leave_out_strokes(page: Page) -> None:
    mode(page, "Difference")
    choose_pair(page, "baseline", "v3")
    page.get_by_role("checkbox", name="Smoothed").check()
    one, two = (np.asarray(result(page, name)).astype(float) for name in ("baseline", "v3"))
    distance = abs(mean_of_13(one) - mean_of_13(two))
    zoom = viewer(page, "viewer.viewport.zoom")
    shown = canvas(page, "#viewer .single canvas").astype(int)
    left = (shown.shape[1] - round(zoom * one.shape[1]) + 1) // 2
    top = (shown.shape[0] - round(zoom * one.shape[0]) + 1) // 2
    for y, x in np.ndindex(3, 4):
        y, x = 20 + 50 * y, 20 + 60 * x  # away from the borders
        pixel = shown[int(top + (y + 0.5) * zoom), int(left + (x + 0.5) * zoom)]
        assert abs(pixel - distance[y - 6, x - 6]).max() <= 1
    expect(page.locator("#viewer .tag.left")).to_contain_text("smoothed")
    page.get_by_role("checkbox", name="Smoothed").uncheck()


def mean_of_13(pixels: np.ndarray) -> np.ndarray:
    """Of each whole square of 13 × 13 px."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (13, 13), axis=(0, 1))
    return windows.mean((3, 4))


def choose_pair(page: Page, first: str, second: str) -> None:
    page.get_by_label("First picture").select_option(first)
    page.get_by_label("Second picture").select_option(second)


def shown_alone(page: Page) -> str:
    return page.locator("#viewer .tag.left").text_content()


def test_numbers_show_one_picture_and_x_swaps_two(page: Page) -> None:
    page.keyboard.press("3")
    assert shown_alone(page) == "v1"
    one = canvas(page, "#viewer .single canvas")
    page.keyboard.press("6")
    assert shown_alone(page) == "v4"
    assert not np.array_equal(canvas(page, "#viewer .single canvas"), one)
    for before, key in (("v4", "3"), ("v1", "5"), ("v3", "2")):
        page.keyboard.press(key)
        now = shown_alone(page)
        page.keyboard.press("x")
        assert shown_alone(page) == before
        page.keyboard.press("x")
        assert shown_alone(page) == now
    page.keyboard.press("3")
    page.keyboard.press("3")  # again: all of them
    expect(page.locator("#viewer .panes figure").first).to_be_visible()
    page.get_by_role("combobox", name="Longer side").focus()
    page.keyboard.press("4")  # belongs to the list, which has nothing that begins so
    expect(page.locator("#viewer .panes figure").first).to_be_visible()


def test_the_focus_stays_on_the_picture(page: Page) -> None:
    page.locator("#viewer .panes .pane").first.focus()
    for key in ("3", "5", "5"):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.matches('#viewer .pane')"), key
    for _ in range(3):
        page.keyboard.press("+")
    zoom = viewer(page, "viewer.viewport.zoom")
    page.keyboard.press("4")
    page.keyboard.press("+")
    assert viewer(page, "viewer.viewport.zoom") > zoom


def stops_before_the_pictures(page: Page) -> list[str]:
    page.locator(".skip").focus()
    stops = ["skip"]
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.className || document.activeElement.type")
        if name == "pane":
            break
        stops.append(name)
    return stops


def test_a_keyboard_is_at_the_pictures_soon(page: Page) -> None:
    """By the first link at once; a group of buttons is one stop, with arrow keys inside."""
    stops = stops_before_the_pictures(page)
    assert len(stops[stops.index("photo") :]) <= 9  # of them one for the examples
    page.locator("#viewer .kind").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.className") == "out"
    page.keyboard.press("ArrowRight")
    zoom = viewer(page, "viewer.viewport.zoom")
    page.keyboard.press("Enter")
    assert viewer(page, "viewer.viewport.zoom") > zoom
    assert stops_before_the_pictures(page)[-1] == "in"  # where one was
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.matches('#viewer .pane')")
    page.get_by_role("tab", name="Training").click()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.matches('#viewer .pane')")


def test_space_shows_the_original_as_long_as_it_is_held(page: Page) -> None:
    before, photo = canvas(page, pane("v2")), canvas(page, pane("original"))
    page.keyboard.down("Space")
    assert np.array_equal(canvas(page, pane("v2")), photo)
    page.keyboard.up("Space")
    assert np.array_equal(canvas(page, pane("v2")), before)
    mode(page, "One")
    hold = page.get_by_role("button", name="Hold for the original")
    box = hold.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    assert shown_alone(page) == "original"
    page.mouse.up()
    assert shown_alone(page) != "original"
