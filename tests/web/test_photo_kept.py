"""A visitor's photo outlives a reload, in a real browser, until they want it forgotten.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

from pathlib import Path

from tests.browser import (
    LOADED,
    NAMES,
    Page,
    choose_size,
    expect,
    painted,
    result,
    sync_api,
    upload,
    visiting,
)
from tests.helpers import random_picture

KEPT = """() => new Promise((done) => {
    const opening = indexedDB.open("nst", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("photos");
    opening.onsuccess = () => {
        const counting = opening.result.transaction("photos").objectStore("photos").count();
        counting.onsuccess = () => (opening.result.close(), done(counting.result));
    };
})"""


def shows(page: Page, name: str) -> None:
    expect(page.locator("#viewer .facts").first).to_contain_text(name)


def reload(page: Page) -> None:
    page.reload()
    page.wait_for_function(LOADED, arg=len(NAMES))


def forget_button(page: Page) -> sync_api.Locator:
    return page.locator("#bar .forget")


def test_a_reload_keeps_the_photo_and_what_is_set(
    browser: sync_api.Browser, url: str, tmp_path: Path
) -> None:
    photo = random_picture(300, 200, seed=7)
    photo.save(tmp_path / "mine.png")
    (tmp_path / "bad.png").write_bytes(b"<svg>")
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as page:
        choose_size(page, 256)
        upload(page, tmp_path / "mine.png")
        page.locator("#bar input[type=file]").set_input_files(tmp_path / "bad.png")
        expect(page.get_by_role("alert").filter(has_text="Accepted")).to_be_visible()
        for _ in range(2):  # once is not an accident
            reload(page)
            shows(page, "mine.png256")
            painted(page)
            assert result(page, "original").size == (256, 171)
        page.get_by_role("button", name="example: tower").click()
        shows(page, "tower")
        painted(page)
        page.get_by_role("button", name="example: lamps").click()
        shows(page, "lamps")
        painted(page)
        reload(page)
        shows(page, "lamps")
        assert page.evaluate(KEPT) == 0


def test_a_photo_is_forgotten_when_the_visitor_says_so(
    browser: sync_api.Browser, url: str, tmp_path: Path
) -> None:
    random_picture(60, 40, seed=7).save(tmp_path / "mine.png")
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as page:
        page.locator("#bar summary").click()
        expect(forget_button(page)).to_be_hidden()
        upload(page, tmp_path / "mine.png")
        expect(forget_button(page)).to_be_visible()
        other = page.context.new_page()  # it is the other tab's photo
        other.goto(url)
        other.wait_for_function(LOADED, arg=len(NAMES))
        shows(other, "lamps")
        assert page.evaluate(KEPT) == 1
        forget_button(page).click()
        expect(page.locator("#viewer .words")).to_contain_text("has forgotten your photo")
        assert page.evaluate(KEPT) == 0
        reload(page)
        shows(page, "lamps")
