"""Visitors' photos outlive a reload, in a real browser, until they want them forgotten.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import (
    LOADED,
    NAMES,
    Page,
    choose_size,
    expect,
    mode,
    painted,
    result,
    sync_api,
    upload,
    viewer,
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


GONE = """() => {
    const plain = window.fetch;
    window.fetch = (address, options) => options?.method === "HEAD"
        ? Promise.resolve(new Response(null, { status: 404 })) : plain(address, options);
}"""


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
        painted(page)
        page.get_by_role("button", name="photo: mine.png").click()
        shows(page, "mine.png256")
        painted(page)


def place_of(page: Page) -> list:
    return viewer(page, "[viewer.mode, viewer.viewport.x, viewer.viewport.y, viewer.viewport.zoom]")


def runs(page: Page) -> list[str]:
    """How long each network took: of another run, these would be others."""
    return sorted(page.locator("#viewer .time").all_text_contents())


def test_photos_are_back_at_once_at_the_same_place_of_the_same_view(
    browser: sync_api.Browser, url: str, tmp_path: Path
) -> None:
    for name, seed in (("first", 1), ("second", 2)):
        random_picture(300, 200, seed=seed).save(tmp_path / f"{name}.png")
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as page:
        sent = []
        page.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
        choose_size(page, 256)
        times = {}
        for name in ("first.png", "second.png"):
            page.locator("#bar input[type=file]").set_input_files(tmp_path / name)
            shows(page, name)
            painted(page)
            times[name] = runs(page)
        assert sent.count("upload") == 2
        for name in ("first.png", "second.png"):
            page.get_by_role("button", name=f"photo: {name}").click()
            shows(page, name)
            painted(page)
            assert runs(page) == times[name]
        mode(page, "Slider")
        for _ in range(5):
            page.locator("#viewer .in").click()
        page.locator("#viewer .single .pane").focus()
        page.keyboard.press("ArrowUp")
        page.wait_for_function("location.hash.includes('slider')")
        before = place_of(page)
        assert "zoom" not in page.url  # a link has no photo, and so no place in it
        reload(page)
        shows(page, "second.png")
        painted(page)
        assert place_of(page) == pytest.approx(before)
        assert runs(page) == times["second.png"]
        assert sent.count("upload") == 2
        expect(page.locator("#bar .mine button")).to_have_count(2)


def test_a_photo_that_the_server_has_deleted_is_sent_again(
    browser: sync_api.Browser, url: str, tmp_path: Path
) -> None:
    random_picture(60, 40, seed=7).save(tmp_path / "mine.png")
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as page:
        upload(page, tmp_path / "mine.png")
        page.get_by_role("button", name="example: lamps").click()
        shows(page, "lamps")
        painted(page)
        page.evaluate(GONE)
        with page.expect_request(lambda request: request.url.endswith("/upload")):
            page.get_by_role("button", name="photo: mine.png").click()
        shows(page, "mine.png")
        painted(page)


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
        expect(page.locator("#viewer .words")).to_contain_text("has forgotten your photos")
        expect(page.locator("#bar .mine button")).to_have_count(0)
        assert page.evaluate(KEPT) == 0
        reload(page)
        shows(page, "lamps")
