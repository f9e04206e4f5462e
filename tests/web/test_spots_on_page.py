"""Worst places, yellowest place and heat map in a real browser.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from nst.web.page.spots import find_spots
from tests.browser import Page, canvas, expect, mode, pane, place, result, viewer
from tests.zoom import magnify


def centre(page: Page) -> list[float]:
    x, y, size = viewer(page, "[viewer.viewport.x, viewer.viewport.y, viewer.viewport.size]")
    return [x * size[0] / 100, y * size[1] / 100]


def test_worst_place_leads_to_one_place_after_the_other(page: Page) -> None:
    box = place(page, "v1")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    button = page.get_by_role("button", name="Worst place of v1")
    found = find_spots(result(page, "v1"))
    for number, (x, y, there) in enumerate([*found.worst, found.worst[0]]):
        button.click()
        assert viewer(page, "viewer.viewport.zoom") == 8
        expect(page.locator("#viewer .words")).to_contain_text(
            f"Worst place {number % len(found.worst) + 1} of {len(found.worst)} of v1: {there}."
        )
        assert near(centre(page), (x, y), page)
    page.get_by_role("button", name="Yellowest place").click()
    assert near(centre(page), found.yellowest, page)


def test_each_can_be_shown_at_its_own_place(page: Page) -> None:
    page.get_by_role("button", name="Yellowest place").click()
    page.get_by_role("checkbox", name="Each its own").check()
    expect(page.locator("#viewer .words")).to_contain_text("Each where it is yellowest itself")
    zoom = viewer(page, "viewer.viewport.zoom")
    width, height = viewer(page, "viewer.viewport.pane")
    for name in ("v1", "v3"):
        picture = result(page, name)
        x, y = find_spots(picture).yellowest
        percent = [100 * (at + 0.5) / side for at, side in zip((x, y), picture.size, strict=True)]
        expected = np.asarray(magnify(picture, *percent, zoom, width, height))
        assert np.array_equal(canvas(page, pane(name)), expected), name
    colour = page.locator("#viewer tr", has_text="v3").locator("td")
    page.locator("#viewer .pane").first.hover()
    expect(colour).to_have_text(re.compile(r"\d+ \d+ \d+|–"))
    page.get_by_role("checkbox", name="Each its own").uncheck()
    x, y = viewer(page, "[viewer.viewport.x, viewer.viewport.y]")
    expected = np.asarray(magnify(result(page, "v3"), x, y, zoom, width, height))
    assert np.array_equal(canvas(page, pane("v3")), expected)


def near(middle: list[float], spot: tuple[int, int], page: Page) -> bool:
    """Whether a place is in the middle, or as near to it as the picture's border lets it be."""
    panes = [side / 16 for side in viewer(page, "viewer.viewport.pane")]
    size = viewer(page, "viewer.viewport.size")
    wanted = [
        min(max(at + 0.5, half), length - half)
        for at, half, length in zip(spot, panes, size, strict=True)
    ]
    return middle == pytest.approx(wanted, abs=0.6)


def test_the_place_is_sought_for_the_network_that_is_looked_at(page: Page) -> None:
    mode(page, "One")
    page.get_by_label("First picture").select_option("v3")
    expect(page.locator("#viewer .worst")).to_have_text("Worst place of v3")
    page.get_by_label("First picture").select_option("v4")
    expect(page.locator("#viewer .worst")).to_have_text("Worst place of v4")


def test_every_score_is_that_of_the_picture(page: Page) -> None:
    for name in ("original", "baseline", "v4"):
        found = find_spots(result(page, name))
        words = f"grid {found.lattice_db:.1f} dB".replace("-", "−")
        figure = page.locator("#viewer figure", has=page.locator(f"[data-name={name}]"))
        expect(figure.locator(".score")).to_contain_text(words)


def test_the_heat_map_outlines_what_it_does_not_cover(page: Page) -> None:
    before = {name: canvas(page, pane(name)).astype(int) for name in ("v1", "v4")}
    page.locator("#viewer .heat").check()
    changed = {
        name: np.abs(canvas(page, pane(name)) - pixels).any(2).mean()
        for name, pixels in before.items()
    }
    assert 0.01 < changed["v1"] < 0.5
    page.locator("#viewer .heat").uncheck()
    assert np.array_equal(canvas(page, pane("v1")), before["v1"])
