"""The page in a real browser: what a visitor does, by keyboard, on a phone, with a bad file.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import (
    LOADED,
    NAMES,
    Page,
    canvas,
    choose_networks,
    choose_size,
    expect,
    mode,
    painted,
    pane,
    place,
    sync_api,
    upload,
    viewer,
    visiting,
)
from tests.helpers import random_picture

SIZES = {"laptop": (1280, 800), "wide": (1920, 1080), "phone": (390, 844)}
COLUMNS = {"laptop": 3, "wide": 3, "phone": 2}


@pytest.mark.parametrize("size", SIZES)
def test_the_pictures_are_in_the_first_view(browser: sync_api.Browser, url: str, size: str) -> None:
    width, height = SIZES[size]
    with visiting(browser, url, viewport={"width": width, "height": height}) as page:
        boxes = [page.locator(pane(name)).bounding_box() for name in NAMES]
        assert all(box["y"] + box["height"] <= height for box in boxes)
        assert len({box["x"] for box in boxes}) == COLUMNS[size]
        for name in NAMES:
            assert canvas(page, pane(name)).std() > 10  # something is painted there
        assert page.evaluate("window.scrollY") == 0
        # what can be done is in view, too, and their row is as wide as the window
        for name in ("Your photo", "example: lamps", "Stylize"):
            assert page.get_by_role("button", name=name).first.bounding_box()["y"] < height / 3
        figures = page.locator("#viewer .panes figure").all()
        right = max(box["x"] + box["width"] for box in (one.bounding_box() for one in figures))
        assert width - right < 30
        heading = page.locator("h1")
        assert heading.bounding_box()["height"] < 1.5 * 24  # one line


def test_the_foot_leads_to_more(browser: sync_api.Browser, url: str) -> None:
    for width, height in SIZES.values():
        with visiting(browser, url, viewport={"width": width, "height": height}) as page:
            painting = page.get_by_role("link", name="The Starry Night")
            expect(painting).to_have_attribute("href", re.compile(r"^https://www\.moma\.org/"))
            for name, shown in (("Paper", "The paper"), ("Model card", "Five networks that")):
                page.locator("#foot").get_by_role("link", name=name).click()
                expect(page.get_by_role("heading", name=shown)).to_be_in_viewport()
            heads = "heads => heads.map((head) => head.offsetHeight)"
            heights = page.locator(".card th").evaluate_all(heads)
            assert 0 < max(heights) < 120  # px: words are whole, and a wide table scrolls
            expect(page.locator("#foot").get_by_role("link", name="API")).to_be_visible()


def test_an_example_is_painted_when_it_is_clicked(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url) as page:
        lion = page.get_by_role("button", name="example: lion")
        lion.click()
        expect(page.locator("#viewer .facts").first).to_contain_text("lion")
        painted(page)
        expect(lion).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("button", name="example: lamps")).to_have_attribute(
            "aria-pressed", "false"
        )
        expect(page.get_by_role("button", name="Your photo")).to_have_attribute(
            "aria-label", re.compile("lion")
        )


def test_a_bad_file_is_answered_in_words_and_leaves_what_is_shown(
    browser: sync_api.Browser, url: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"<svg onload=alert(1)>")
    with visiting(browser, url) as page:
        page.locator("#bar input[type=file]").set_input_files(tmp_path / "bad.png")
        alert = page.get_by_role("alert").filter(has_text="Accepted: JPEG")
        expect(alert).to_be_visible()
        assert "tmp" not in alert.text_content()
        page.wait_for_function(LOADED, arg=len(NAMES))  # of the example before
        expect(page.locator("#viewer .facts").first).to_contain_text("lamps.png")
        expect(page.get_by_role("button", name="Your photo")).to_have_attribute(
            "aria-label", re.compile("lamps")
        )
        choose_size(page, 256)  # what is shown holds again, and obeys
        expect(page.locator("#viewer .facts").first).to_contain_text("lamps.png256")
        expect(alert).to_be_hidden()
        painted(page)
        random_picture(40, 30).save(tmp_path / "good.png")
        upload(page, tmp_path / "good.png")
        expect(alert).to_be_hidden()


def tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"the Tab key does not reach {selector}")


def test_everything_can_be_done_by_keyboard(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, reduced_motion="reduce") as page:
        tab_to(page, ".examples button")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")  # the second example
        expect(page.locator("#viewer .facts").first).to_contain_text("tower")
        painted(page)
        tab_to(page, "#bar select")
        page.keyboard.press("ArrowUp")
        expect(page.locator("#viewer .facts").first).to_contain_text("256 px")
        tab_to(page, "#bar summary")
        page.keyboard.press("Enter")
        for name in ("v1", "v2"):
            tab_to(page, f"#bar input[value={name}]")
            page.keyboard.press("Space")
        expect(page.locator("#viewer .panes figure")).to_have_count(len(NAMES) - 2)
        page.keyboard.press("Escape")
        tab_to(page, "#bar .start")
        page.keyboard.press("Enter")
        expect(page.locator("#viewer .words")).to_contain_text("Stylizing")
        painted(page, len(NAMES) - 2)
        tab_to(page, "#viewer .modes input")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        # who wants less motion sees nothing blink
        expect(page.get_by_role("button", name="Blink", exact=True)).to_be_visible()
        page.keyboard.press("ArrowLeft")
        tab_to(page, "#viewer .pane")
        for _ in range(5):
            page.keyboard.press("+")
        x, y = viewer(page, "[viewer.viewport.x, viewer.viewport.y]")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown")
        moved = viewer(page, "[viewer.viewport.x, viewer.viewport.y]")
        assert (moved[0] < x, moved[1] > y) == (True, True)
        page.keyboard.press("0")
        assert viewer(page, "viewer.viewport.fitted")
        tab_to(page, "#viewer .divider")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("slider", name="Divider")).to_have_attribute("aria-valuenow", "52")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_rules_hold(browser: sync_api.Browser, url: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with visiting(browser, url, color_scheme=scheme) as page:
        for tab in ("About", "Training", "Compare"):
            page.get_by_role("tab", name=tab).click()
            assert axe.run(page).response["violations"] == [], tab
        for name in ("One", "Slider", "Difference"):
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
        for name in ("One", "Slider", "Blink", "Difference", "All"):
            mode(page, name)
            viewer(page, "true")
            assert page.evaluate(wide) <= 390, name
        box = place(page, "baseline")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        fitted = viewer(page, "viewer.viewport.zoom")
        send = touch(page)
        send("touchStart", (x - 10, y), (x + 10, y))
        for spread in (20, 30, 40):
            send("touchMove", (x - spread, y), (x + spread, y))
        send("touchEnd")
        assert viewer(page, "viewer.viewport.zoom") == pytest.approx(4 * fitted, rel=0.2)
        page.locator("#viewer .fit").tap()
        before = page.evaluate("window.scrollY")
        box = page.locator(pane("baseline")).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        send("touchStart", (x, y))
        for moved in range(20, 121, 20):
            send("touchMove", (x, y - moved))
        send("touchEnd")
        page.wait_for_function("before => window.scrollY > before", arg=before)
        for tab in ("Training", "About", "Compare"):
            page.get_by_role("tab", name=tab).tap()
            expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
            assert page.evaluate(wide) <= 390, tab


def test_a_picture_is_never_compared_with_itself(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as page:
        mode(page, "Slider")
        for chosen, pair in (
            (["v3"], ("original", "v3")),
            (["v1", "v2", "v3"], ("original", "v3")),
            (["v1", "v2"], ("original", "v2")),
        ):
            choose_networks(page, chosen)
            expect(page.locator("#viewer .panes figure")).to_have_count(1 + len(chosen))
            selected = (
                page.locator(f"#viewer {end}").input_value() for end in (".first", ".second")
            )
            assert tuple(selected) == pair


def test_stylizing_nothing_leaves_what_is_shown(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as page:
        choose_networks(page, ["v4"])
        page.wait_for_function(LOADED, arg=2)
        painted(page, 2)
        page.locator("#bar summary").click()
        last = page.get_by_role("checkbox", name="v4", exact=True)
        last.click()
        expect(page.locator("#viewer .error")).to_contain_text("At least one network")
        expect(last).to_be_checked()
        assert page.locator("#viewer .panes figure").count() == 2
