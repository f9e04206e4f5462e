"""The page in a real browser: what a visitor does, by keyboard, on a phone, with a bad file.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nst.models import VARIANTS
from tests.browser import (
    LOADED,
    NAMES,
    Page,
    expect,
    mode,
    pane,
    place,
    stylize,
    sync_api,
    upload,
    viewer,
    visiting,
)
from tests.helpers import random_picture


def test_a_bad_file_is_answered_in_words(
    browser: sync_api.Browser, url: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"<svg onload=alert(1)>")
    with visiting(browser, url) as page:
        upload(page, tmp_path / "bad.png")
        page.get_by_role("button", name="Stylize").click()
        alert = page.get_by_role("alert").filter(has_text="Accepted: JPEG, PNG")
        expect(alert).to_be_visible()
        assert "tmp" not in alert.text_content()
        page.wait_for_function(LOADED, arg=len(NAMES))  # of the example before
        expect(page.locator("#viewer .facts").first).to_contain_text("lamps.png")
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
        expect(page.locator(".status").first).to_contain_text(f"Done: {len(VARIANTS) - 2} pictures")
        page.wait_for_function(LOADED, arg=len(NAMES) - 2)
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


def test_a_picture_is_never_compared_with_itself(
    browser: sync_api.Browser, url: str, tmp_path: Path
) -> None:
    random_picture(60, 40).save(tmp_path / "photo.png")
    with visiting(browser, url, viewport={"width": 1280, "height": 900}) as page:
        upload(page, tmp_path / "photo.png")
        for chosen, pair in (
            (["v3"], ("original", "v3")),
            (["v1", "v2"], ("original", "v2")),
            (["baseline", "v1", "v2", "v3"], ("original", "v2")),
        ):
            for name in VARIANTS:
                page.get_by_role("checkbox", name=name, exact=True).set_checked(name in chosen)
            page.get_by_role("button", name="Stylize").click()
            figures = page.locator("#viewer .panes figure")
            expect(figures).to_have_count(1 + len(chosen))
            expect(page.locator(".status").first).to_contain_text("Done")
            selected = (
                page.locator(f"#viewer {end}").input_value() for end in (".first", ".second")
            )
            assert tuple(selected) == pair


def test_stylizing_nothing_leaves_what_is_shown(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, viewport={"width": 1280, "height": 900}) as page:
        page.wait_for_function(LOADED, arg=len(NAMES))
        page.get_by_role("button", name="Stylize").click()
        expect(page.locator(".status").first).to_contain_text("Choose a photo first")
        page.wait_for_function(LOADED, arg=len(NAMES))
