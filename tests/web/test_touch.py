"""Fingers: on phones held either way, and on trackpads.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import pytest

from tests.browser import NAMES, Page, expect, pane, place, sync_api, viewer, visiting

HANDS = {"is_mobile": True, "has_touch": True}


def tap(page: Page, name: str, *places: float) -> None:
    """So far from the left, in parts of the width, for each tap."""
    box = place(page, name)
    for part in places:
        page.touchscreen.tap(box["x"] + part * box["width"], box["y"] + box["height"] / 2)


def test_a_tap_chooses_and_two_zoom(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, viewport={"width": 390, "height": 844}, **HANDS) as page:
        fitted = viewer(page, "viewer.viewport.zoom")
        tap(page, "v1", 0.3)
        expect(page.get_by_role("button", name="Worst place of v1")).to_be_visible()
        x, _ = viewer(page, "viewer.cursor")
        assert x == pytest.approx(512 * 0.3, abs=30)
        page.wait_for_timeout(500)
        tap(page, "v1", 0.25, 0.75)  # two places: no double tap
        assert viewer(page, "viewer.viewport.zoom") == fitted
        fit = page.get_by_role("button", name="Fit")
        expect(fit).not_to_be_in_viewport()
        page.wait_for_timeout(500)
        tap(page, "v1", 0.3, 0.3)
        assert viewer(page, "viewer.viewport.zoom") == 4
        assert viewer(page, "viewer.viewport.x") < 40
        expect(fit).to_be_in_viewport()
        page.wait_for_timeout(500)
        tap(page, "v1", 0.3, 0.3)
        assert viewer(page, "viewer.viewport.fitted")
        expect(page.locator("#viewer .coarse")).to_be_visible()


def test_a_phone_on_its_side_shows_pictures(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, viewport={"width": 844, "height": 390}, **HANDS) as page:
        for name in NAMES[:4]:
            box = page.locator(pane(name)).bounding_box()
            assert box["height"] >= 120
            assert box["y"] + box["height"] <= 390


TURN = """([selector, settings]) => {
    const pane = document.querySelector(selector);
    const { left, top } = pane.getBoundingClientRect();
    const place = { clientX: left + 50, clientY: top + 50, bubbles: true, cancelable: true };
    pane.dispatchEvent(new WheelEvent("wheel", { ...place, ...settings }));
}"""


def test_two_fingers_on_a_trackpad_move_and_their_pinch_zooms(page: Page) -> None:
    for _ in range(4):
        page.locator("#viewer .in").click()
    look = "[viewer.viewport.x, viewer.viewport.y, viewer.viewport.zoom]"
    x, y, zoom = viewer(page, look)
    width, height = viewer(page, "viewer.viewport.size")
    page.evaluate(TURN, [pane("v1"), {"deltaX": 12.5, "deltaY": 7.25}])
    assert viewer(page, look) == [
        pytest.approx(x + 100 * 12.5 / zoom / width, abs=0.2),
        pytest.approx(y + 100 * 7.25 / zoom / height, abs=0.2),
        zoom,
    ]
    page.evaluate(TURN, [pane("v1"), {"deltaY": -7.25, "ctrlKey": True}])
    assert viewer(page, look)[2] > zoom
