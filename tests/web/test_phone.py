"""What a phone's narrow window must still show; skipped where there is no browser."""

from __future__ import annotations

from tests.browser import Page, expect, sync_api, viewer, visiting

TABS = ["Compare", "Live", "Your painting", "Training", "About"]
BARS = """() => [...document.querySelectorAll("#viewer .panes .pane")].map((pane) => {
    const { viewer } = document.querySelector("#viewer [data-mode]");
    const [width, height] = viewer.viewport.size;
    return Math.abs(pane.clientWidth - pane.clientHeight * width / height);
})"""


def check_tabs(page: Page) -> None:
    expect(page.get_by_role("tab")).to_have_text(TABS)  # those that do not fit are in a menu
    title = page.locator("h1").evaluate("""title => {
        const words = document.createRange();
        words.selectNodeContents(title);
        return words.getBoundingClientRect().toJSON();
    }""")
    first = page.get_by_role("tab").first.bounding_box()
    assert title["right"] < first["x"] or title["bottom"] <= first["y"] + 1


def test_a_phone_shows_all_tabs_beside_or_below_the_title(
    browser: sync_api.Browser, url: str
) -> None:
    with visiting(browser, url, viewport={"width": 390, "height": 844}, has_touch=True) as page:
        for width, height in ((390, 844), (360, 740), (844, 390), (740, 360), (1280, 900)):
            page.set_viewport_size({"width": width, "height": height})
            viewer(page, "true")
            check_tabs(page)
            assert max(page.evaluate(BARS)) <= 2, "a pane has another shape than its picture"
