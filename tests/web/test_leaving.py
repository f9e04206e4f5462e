"""What leaves the page is whole: single pictures, saved figures, links.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.browser import Page, expect, mode, result, sync_api, upload, viewer, visiting
from tests.helpers import random_picture

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SHARING = """
    navigator.canShare = ({ files }) => files.length > 0;
    navigator.share = async ({ files }) => {
        window.shared = files.map(({ name, size, type }) => [name, size, type]);
    };
"""


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "tall.png"
    random_picture(200, 320).save(path)
    return path


def visible_downloads(page: Page) -> list[str]:
    links = page.get_by_role("link", name="Download").filter(visible=True)
    return [link.get_attribute("download") for link in links.all()]


def test_a_portrait_photo_can_be_saved_and_shared_on_a_phone(
    browser: sync_api.Browser, url: str, portrait: Path
) -> None:
    with visiting(browser, url, **PHONE) as page:
        page.add_init_script(SHARING)
        page.reload()
        upload(page, portrait)
        assert len(visible_downloads(page)) == 6
        mode(page, "One")
        assert visible_downloads(page) == ["tall-baseline.png"]
        page.get_by_role("button", name="Share").click()
        page.wait_for_function("window.shared")
        [[name, size, kind]] = page.evaluate("window.shared")
        link = page.locator("#viewer a[download='tall-baseline.png']")
        content = page.request.get(link.evaluate("link => link.href")).body()
        assert (name, size, kind) == ("tall-baseline.png", len(content), "image/png")


@pytest.mark.parametrize(
    ("name", "shown"), [("One", 1), ("Slider", 2), ("Blink", 2), ("Difference", 2)]
)
def test_every_mode_saves_its_pictures(page: Page, name: str, shown: int) -> None:
    mode(page, name)
    assert len(visible_downloads(page)) == shown
    box = page.get_by_role("link", name="Download").filter(visible=True).first.bounding_box()
    assert box["y"] + box["height"] <= 900  # in the window


def test_what_the_page_holds_is_saved_when_the_servers_file_is_gone(page: Page) -> None:
    expected = result(page, "v3")
    page.route("**/*-v3.png", lambda route: route.fulfill(status=404))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download v3 as PNG").click()
    page.unroute("**/*-v3.png")
    assert download.value.suggested_filename.endswith("-v3.png")
    assert Image.open(download.value.path()).tobytes() == expected.tobytes()


def test_the_browsers_menu_on_a_picture_is_that_of_the_whole_one(page: Page) -> None:
    """The element under the pointer is what the menu is about."""
    under = """name => {
        const box = document.querySelector(name).getBoundingClientRect();
        const { currentSrc } = document.elementFromPoint(box.left + box.width * 0.9, box.top + 50);
        return decodeURI(currentSrc ?? "").split("-").at(-1);
    }"""
    assert page.evaluate(under, "#viewer [data-name=v2]") == "v2.png"
    mode(page, "Slider")
    page.get_by_label("Second picture").select_option("v4")
    viewer(page, "true")
    assert page.evaluate(under, "#viewer .single .pane") == "v4.png"
    mode(page, "Difference")
    viewer(page, "true")
    assert page.evaluate(under, "#viewer .single .pane") == ""
    expect(page.locator("#viewer .single .whole")).to_have_count(0)
