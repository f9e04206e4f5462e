"""What leaves the page is whole: single pictures, saved figures, links.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from PIL import Image

from nst.models import VARIANTS
from tests.browser import (
    NAMES,
    Page,
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
from tests.zoom import magnify

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


WRITING = """() => {
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (words, left, top) {
        const right = left + this.measureText(words).width;
        window.written.push([words, right <= this.canvas.width && top <= this.canvas.height]);
        fillText.call(this, words, left, top);
    };
}"""


def visible_downloads(page: Page) -> list[str]:
    links = page.get_by_role("link", name="Download").filter(visible=True)
    return [link.get_attribute("download") for link in links.all()]


def test_a_portrait_photo_can_be_saved_and_shared_on_a_phone(
    browser: sync_api.Browser, url: str, portrait: Path
) -> None:
    with visiting(browser, url, own=True, **PHONE) as page:
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


def test_a_picture_that_could_not_be_loaded_is_not_offered(page: Page) -> None:
    page.evaluate(
        """() => {
            const plain = (window.plain = window.fetch);
            window.fetch = (address, options) =>
                /v3-95/.test(address) ? Promise.reject() : plain(address, options);
        }"""
    )
    strength = page.get_by_role("slider", name="Strength")
    strength.press("ArrowLeft")
    expect(page.locator("#viewer [data-name=v3] .wait")).to_have_text("could not be loaded")
    expect(page.get_by_role("link", name="Download v3 as PNG")).to_be_hidden()
    page.evaluate("() => { window.fetch = window.plain; }")
    strength.press("End")
    expect(page.get_by_role("link", name="Download v3 as PNG")).to_be_visible()


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


def saved(page: Page, button: str) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.path()


def test_a_saved_figure_says_all_of_it(browser: sync_api.Browser, url: str, tmp_path: Path) -> None:
    path = tmp_path / f"{'a-long-name' * 5}.png"
    random_picture(400, 60).save(path)
    with visiting(browser, url, viewport={"width": 768, "height": 900}) as page:
        upload(page, path)
        page.locator("#bar summary").click()
        page.get_by_role("checkbox", name="Keep colours").check()
        expect(page.locator("#viewer .words")).to_contain_text("colours")
        page.locator("#viewer .heat").check()
        page.locator("#viewer .kind").select_option("grid")
        page.locator("#viewer .worst").click()
        page.evaluate(WRITING)
        for button in ("All of them in one PNG", "Save this view"):
            page.evaluate("window.written = []")
            saved(page, button)
            written = page.evaluate("window.written")
            assert all(inside for _, inside in written)
            words = " ".join(words for words, _ in written)
            assert "…" not in words
            assert words.count("ms, one run") == 5
            assert "100 % strength, in the photo’s colours" in words
        assert "Outlined: where detail repeats" in words
        x, y = viewer(page, "viewer.viewport.centre")
        expect(page.locator("#viewer .where")).to_contain_text(f"x {x}, y {y} (centre)")
        assert f"around x {x}, y {y} at" in words


def test_figures_come_at_twice_the_size(page: Page) -> None:
    for _ in range(5):
        page.locator("#viewer .in").click()
    x, y, zoom = viewer(page, "[viewer.viewport.x, viewer.viewport.y, viewer.viewport.zoom]")
    pane = viewer(page, "viewer.viewport.pane")
    sizes = []
    for twice in (False, True):
        page.get_by_role("checkbox", name="at 2×").set_checked(twice)
        figure = Image.open(saved(page, "Save this view")).convert("RGB")
        times = 2 if twice else 1
        width, height = (side * times for side in pane)
        expected = magnify(result(page, "original"), x, y, zoom * times, width, height)
        gaps = range(13 * times, 33 * times, times)  # as wide as the text is high
        [gap] = [at for at in gaps if shows(figure, expected, at)]
        sizes.append((figure.width, figure.height, gap))
        whole = Image.open(saved(page, "All of them in one PNG"))
        assert whole.width > times * 3 * 256
    page.get_by_role("checkbox", name="at 2×").uncheck()
    assert sizes[1] == tuple(2 * length for length in sizes[0])


def shows(figure: Image.Image, picture: Image.Image, at: int) -> bool:
    box = (at, at, at + picture.width, at + picture.height)
    return figure.crop(box).tobytes() == picture.tobytes()


def test_figures_say_how_their_pictures_were_made(page: Page) -> None:
    for button in ("Save this view", "All of them in one PNG"):
        figure = Image.open(saved(page, button))
        figure.load()  # all checksums are right
        caption, *made = figure.text["Description"].splitlines()
        assert "onerror=window.hacked=1" in caption
        for name, line in zip(VARIANTS, made, strict=True):
            assert f"Network: {name}, Checkpoint: sha256:" in line
    page.get_by_label("Without metadata").check()
    assert "Description" not in Image.open(saved(page, "Save this view")).info
    page.get_by_label("Without metadata").uncheck()


@pytest.mark.parametrize("stem", ["夏の海", "Фото"])
def test_files_keep_their_letters(
    browser: sync_api.Browser, url: str, tmp_path: Path, stem: str
) -> None:
    random_picture(64, 48).save(tmp_path / f"{stem}.jpg")
    with visiting(browser, url) as page:
        upload(page, tmp_path / f"{stem}.jpg")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download v4 as PNG").click()
        assert download.value.suggested_filename == f"{stem}-v4.png"
        with zipfile.ZipFile(saved(page, "All files in one ZIP")) as archive:
            assert archive.namelist() == [f"{stem}-{name}.png" for name in NAMES]


def test_what_is_written_into_pictures_can_be_left_out(page: Page) -> None:
    page.get_by_label("Without metadata").check()
    with zipfile.ZipFile(saved(page, "All files in one ZIP")) as archive:
        pictures = [Image.open(archive.open(name)) for name in archive.namelist()]
    page.get_by_label("Without metadata").uncheck()
    with page.expect_download() as download:
        page.locator("#viewer a[aria-label='Download v3 as PNG']").click()
    assert Image.open(download.value.path()).text["Network"] == "v3"
    for name, picture in zip(NAMES, pictures, strict=True):
        assert picture.tobytes() == result(page, name).tobytes()
        assert (picture.text, picture.info) == ({}, {})


def test_all_files_come_in_one_zip(page: Page) -> None:
    with zipfile.ZipFile(saved(page, "All files in one ZIP")) as archive:
        assert archive.testzip() is None
        for name, file in zip(NAMES, archive.namelist(), strict=True):
            assert file.endswith(f"-{name}.png")
            with archive.open(file) as png:
                assert Image.open(png).tobytes() == result(page, name).tobytes()


def hash_of(page: Page) -> dict[str, str]:
    page.wait_for_timeout(600)  # until it has been written
    return dict(part.split("=") for part in page.url.partition("#")[2].split("&") if part)


def test_an_opened_link_stays_as_it_was_sent(browser: sync_api.Browser, url: str) -> None:
    """Also while a subset of the networks has still to stylize the photo, in any window."""
    sent = "#example=tower&size=256&networks=v1,v4&mode=slider&pair=v1,v4&divider=30"
    place = "&at=3,97&zoom=1.5"
    for size in ((390, 844), (1600, 900)):
        viewport = {"width": size[0], "height": size[1]}
        with visiting(browser, url, sent + place, viewport=viewport, pictures=3) as page:
            painted(page, 3)
            assert viewer(page, "[viewer.pair, viewer.mode, viewer.divider]") == [
                ["v1", "v4"],
                "slider",
                30,
            ]
            before = hash_of(page)
            assert page.url.endswith(sent + place)
            page.set_viewport_size({"width": 700, "height": 500})
            assert hash_of(page) == before
            page.locator("#viewer .in").click()  # somebody looks elsewhere
            assert hash_of(page)["zoom"] != "1.5"
    difference = "#mode=difference&pair=baseline,v3&amplified=8&smoothed=1"
    with visiting(browser, url, difference) as page:
        expect(page.locator("#viewer .tag.left")).to_contain_text("smoothed ×8")
        expect(page.get_by_label("Amplified")).to_have_value("3")
        assert hash_of(page)["amplified"] == "8"


def test_a_link_says_before_that_a_visitors_photo_is_not_in_it(page: Page) -> None:
    page.locator("#viewer .in").click()
    assert not {"at", "zoom", "example"} & set(hash_of(page))
    expect(page.get_by_role("button", name="Copy link, without your photo")).to_be_visible()
