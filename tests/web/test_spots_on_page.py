"""Worst places, yellowest place and outlines in a real browser.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from nst.pictures.examples import LAMPS
from nst.web.page.spots import find_spots
from tests.browser import Page, canvas, expect, mode, pane, place, result, upload, viewer
from tests.zoom import magnify


def centre(page: Page) -> list[float]:
    x, y, size = viewer(page, "[viewer.viewport.x, viewer.viewport.y, viewer.viewport.size]")
    return [x * size[0] / 100, y * size[1] / 100]


def look_for(page: Page, kind: str) -> None:
    page.get_by_label("What to look for").select_option(kind)


@pytest.fixture
def lamps(page: Page) -> Page:
    """The same page with a photo in whose results yellow has spots."""
    if "lamps" not in page.locator("#viewer .facts").first.text_content():
        upload(page, LAMPS)
    return page


def test_worst_place_leads_to_one_place_after_the_other(lamps: Page) -> None:
    page = lamps
    box = place(page, "v1")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    found = find_spots(result(page, "v1"))
    words = page.locator("#viewer .words")
    for kind in ("spots", "grid"):
        look_for(page, kind)
        places = found.worst[kind]
        assert len(places) > 1
        for number, (x, y, there) in enumerate([*places, places[0]]):
            page.get_by_role("button", name="Worst place of v1").click()
            assert viewer(page, "viewer.viewport.zoom") == 8
            which = f"Worst place {number % len(places) + 1} of {len(places)} of v1"
            expect(words).to_have_text(f"{which}: {there}.")
            assert there.startswith(kind)
            assert near(centre(page), (x, y), page)
    look_for(page, "yellow")
    [(x, y, there)] = found.worst["yellow"]
    page.get_by_role("button", name="Yellowest place of v1").click()
    expect(words).to_have_text(f"Yellowest place of v1: {there}.")
    assert near(centre(page), (x, y), page)


def test_a_picture_without_spots_is_said_to_have_none(page: Page) -> None:
    assert find_spots(result(page, "v4")).worst["spots"] == []
    box = place(page, "v4")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_role("button", name="Worst place of v4").click()
    expect(page.locator("#viewer .words")).to_have_text("v4 has no red spots here.")


def test_each_can_be_shown_at_its_own_place(page: Page) -> None:
    look_for(page, "yellow")
    page.get_by_role("button", name="Yellowest place").click()
    page.get_by_role("checkbox", name="Each its own").check()
    expect(page.locator("#viewer .words")).to_contain_text("Each at its own yellowest place")
    zoom = viewer(page, "viewer.viewport.zoom")
    width, height = viewer(page, "viewer.viewport.pane")
    for name in ("v1", "v3"):
        picture = result(page, name)
        [(x, y, _)] = find_spots(picture).worst["yellow"]
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


def test_outlines_show_what_is_looked_for_and_do_not_cover_it(lamps: Page) -> None:
    page = lamps
    before = canvas(page, pane("v1")).astype(int)
    page.get_by_role("checkbox", name="Outlines").check()
    shown = []
    for kind, words in (("spots", "Outlined: red spots"), ("grid", "Outlined: where detail")):
        look_for(page, kind)
        expect(page.locator("#viewer .words")).to_contain_text(words)
        shown.append(canvas(page, pane("v1")))
        assert 0.005 < np.abs(shown[-1] - before).any(2).mean() < 0.5
    assert not np.array_equal(*shown)
    page.wait_for_url("**heat=grid*")
    look_for(page, "yellow")
    expect(page.get_by_role("checkbox", name="Outlines")).to_be_disabled()
    assert np.array_equal(canvas(page, pane("v1")), before)
