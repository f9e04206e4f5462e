"""What stays, and what can be taken along: the place, the address, pictures that are saved.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.browser import (
    LOADED,
    NAMES,
    Page,
    canvas,
    choose_size,
    expect,
    mode,
    painted,
    pane,
    png,
    result,
    sync_api,
    viewer,
    visiting,
)


def test_strength_changes_the_pictures_at_once(page: Page) -> None:
    before = result(page, "v3")
    strength = page.get_by_role("slider", name="Strength")
    strength.focus()
    strength.press("Home")
    words = "Shown at 0 % strength; grid and spots measured at full strength."
    expect(page.locator("#viewer .words")).to_have_text(words)
    link = page.locator("#viewer a[aria-label='Download v3 as PNG']")
    expect(link).to_have_attribute("href", re.compile(r"-v3-0\.png$"))
    page.wait_for_function(LOADED, arg=len(NAMES))
    assert result(page, "v3").tobytes() == result(page, "original").tobytes()
    strength.press("End")
    expect(page.locator("#viewer .words")).to_have_text("Shown at 100 % strength.")
    expect(link).to_have_attribute("href", re.compile(r"-v3\.png$"))
    assert result(page, "v3").tobytes() == before.tobytes()


def saved(page: Page, button: str) -> tuple[str, np.ndarray]:
    """The name and the pixels of what a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.suggested_filename, png(download.value.path().read_bytes())


def contains(picture: np.ndarray, part: np.ndarray) -> bool:
    """Whether a part stands somewhere on a picture, pixel by pixel."""
    height, width = part.shape[:2]
    corners = (picture[: 1 - height or None, : 1 - width or None] == part[0, 0]).all(2)
    return any(
        np.array_equal(picture[y : y + height, x : x + width], part)
        for y, x in zip(*np.nonzero(corners), strict=True)
    )


def test_all_pictures_can_be_saved_as_one(page: Page) -> None:
    name, sheet = saved(page, "All of them in one PNG")
    assert name.endswith("-comparison.png")
    for shown in NAMES:
        assert contains(sheet, np.asarray(result(page, shown))), shown


def test_the_view_can_be_saved_as_it_is(page: Page) -> None:
    for _ in range(4):
        page.locator("#viewer .in").click()
    name, sheet = saved(page, "Save this view")
    assert name.endswith("-view.png")
    for shown in ("original", "v4"):
        assert contains(sheet, canvas(page, pane(shown))), shown
    mode(page, "Difference")
    name, sheet = saved(page, "Save this view")
    assert name.endswith("-difference.png")
    assert contains(sheet, canvas(page, "#viewer .single canvas"))
    height = canvas(page, "#viewer .single canvas").shape[0]
    assert (sheet[height + 40 :] < 128).any()  # words below it


def test_place_zoom_and_mode_stay_when_the_photo_is_painted_again(page: Page) -> None:
    mode(page, "Slider")
    for _ in range(6):
        page.locator("#viewer .in").click()
    page.locator("#viewer .single .pane").focus()
    page.keyboard.press("ArrowRight")
    before = viewer(page, "[viewer.viewport.x, viewer.viewport.y, viewer.viewport.zoom]")
    page.get_by_role("button", name="Stylize").click()
    expect(page.locator("#viewer .words")).to_contain_text("Stylizing")
    painted(page)
    after = viewer(page, "[viewer.viewport.x, viewer.viewport.y, viewer.viewport.zoom]")
    assert after == pytest.approx(before, abs=0.5)
    assert viewer(page, "viewer.mode") == "slider"


def test_a_link_shows_the_same_place_of_the_same_example(
    browser: sync_api.Browser, url: str
) -> None:
    with visiting(browser, url) as page:
        page.get_by_role("button", name="example: tower").click()
        expect(page.locator("#viewer .facts").first).to_contain_text("tower")
        choose_size(page, 256)
        expect(page.locator("#viewer .facts").first).to_contain_text("256 px")
        painted(page)
        page.keyboard.press("4")
        for _ in range(6):
            page.locator("#viewer .in").click()
        page.locator("#viewer .single .pane").focus()
        page.keyboard.press("ArrowUp")
        page.wait_for_function("location.hash.includes('zoom=')")
        page.wait_for_timeout(600)  # until all of it has been written
        state = "[viewer.mode, viewer.viewport.x, viewer.viewport.y, viewer.viewport.zoom]"
        before, shown = viewer(page, state), canvas(page, "#viewer .single canvas")
        address = page.url
        page.reload()
        assert_shows(page, state, before, shown)
    assert "tmp" not in address
    with visiting(browser, url) as page:  # pasted into a page that is open
        page.wait_for_function(LOADED, arg=len(NAMES))  # and listens
        page.evaluate("address => { location.href = address; }", address)
        assert_shows(page, state, before, shown)
        assert page.url == address
    with visiting(browser, url) as page:  # while the page is about to write where it looks
        page.locator("#viewer .in").click()
        page.evaluate(
            """address => {
                document.querySelector("#viewer .in").click();
                const end = performance.now() + 400;
                while (performance.now() < end); // a busy machine
                location.href = address;
            }""",
            address,
        )
        assert_shows(page, state, before, shown)
        assert page.url == address


def assert_shows(page: Page, state: str, before: list, shown: np.ndarray) -> None:
    page.wait_for_function("document.querySelector('#viewer [data-mode]')?.dataset.mode === 'one'")
    page.wait_for_function(LOADED, arg=len(NAMES))
    painted(page)
    mode, *place = viewer(page, state)
    assert mode == before[0]
    assert place == pytest.approx(before[1:], abs=0.02)
    assert np.array_equal(canvas(page, "#viewer .single canvas"), shown)


def test_an_address_that_makes_no_sense_shows_the_first_example(
    browser: sync_api.Browser, url: str
) -> None:
    nonsense = "#example=../etc&size=17&mode=x&pair=a,b&at=,x&zoom=-3&engine=%00&strength=1e9"
    with visiting(browser, url, nonsense) as page:
        expect(page.locator("#viewer .facts").first).to_contain_text("lamps.png")
        assert viewer(page, "[viewer.mode, viewer.viewport.fitted]") == ["grid", True]
        page.locator("#viewer .in").click()
        page.wait_for_function("location.hash.includes('zoom=')")
        assert "etc" not in page.url
