"""The bar of controls in a real browser: what is set is what is shown, wherever a photo comes from.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from nst.pictures.reading import FORMATS
from tests.browser import (
    NAMES,
    Page,
    choose_size,
    expect,
    painted,
    place,
    result,
    sync_api,
    visiting,
)
from tests.helpers import encoded, random_picture

SEND = """([event, name, type, content]) => {
    const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type }));
    const settings = { bubbles: true, cancelable: true };
    const happened = event === "paste"
        ? new ClipboardEvent(event, { ...settings, clipboardData: data })
        : new DragEvent(event, { ...settings, dataTransfer: data });
    document.querySelector("#foot").dispatchEvent(happened);
    return happened.defaultPrevented;
}"""


@pytest.fixture(scope="module")
def visit(browser: sync_api.Browser, url: str) -> Iterator[Page]:
    with visiting(browser, url, viewport={"width": 1280, "height": 800}) as page:
        yield page


@pytest.fixture
def page(visit: Page) -> Page:
    """The page with a small photo of 40 × 30 px on it, if a test has left another one or none."""
    if "small.png40×30" in facts(visit).text_content():
        return visit
    choose_size(visit, 256)
    small = {
        "name": "small.png",
        "mimeType": "image/png",
        "buffer": encoded(random_picture(40, 30)),
    }
    visit.locator("#bar input[type=file]").set_input_files(small)
    expect(facts(visit)).to_contain_text("small.png")
    painted(visit)
    return visit


def facts(page: Page) -> sync_api.Locator:
    return page.locator("#viewer .facts").first


def words(page: Page) -> sync_api.Locator:
    return page.locator("#viewer .words")


def choose_large_example(page: Page) -> None:
    """Something that takes a while."""
    choose_size(page, 1024)
    painted(page)
    page.get_by_role("button", name="example: lamps").click()
    expect(facts(page)).to_contain_text(re.compile("lamps.*768"))
    expect(words(page)).to_contain_text(re.compile(r"Stylizing … \d of 5"))


def test_progress_is_told_and_a_new_wish_restarts(page: Page) -> None:
    choose_large_example(page)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(words(page)).to_contain_text(re.compile(r"Stylizing … \d of 5, about \d+ s left"))
    choose_size(page, 256)
    painted(page)
    expect(facts(page)).to_contain_text(re.compile("lamps.*256"))
    for name in NAMES:
        assert max(result(page, name).size) == 256, name


def test_stop_ends_the_run_and_keeps_what_is_there(page: Page) -> None:
    choose_large_example(page)
    expect(words(page)).to_contain_text(re.compile(r"Stylizing … [1-4] of 5"))
    page.get_by_role("button", name="Stop").click()
    expect(words(page)).to_contain_text(re.compile("Stopped: [1-4] of 5 pictures"))
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    assert max(result(page, "baseline").size) == 768
    expect(page.get_by_role("link", name="Download v4 as PNG")).to_be_hidden()


def test_large_pictures_wait_for_somebody_to_say_so(page: Page) -> None:
    choose_size(page, 2048)
    expect(page.get_by_role("button", name="Apply")).to_be_visible()
    expect(facts(page)).to_contain_text("40×30")
    expect(words(page)).to_contain_text("Done")  # of before: nothing runs
    choose_size(page, 256)
    expect(page.get_by_role("button", name="Stylize")).to_be_visible()
    painted(page)


def test_sizes_say_what_comes_out_and_what_it_costs(page: Page, tmp_path: Path) -> None:
    sizes = page.locator("#bar .size option")
    expect(sizes).to_have_text([f"{side} px: 40×30" for side in (256, 512, 1024, 2048)])
    turned = random_picture(1400, 885)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    page.locator("#bar input[type=file]").set_input_files(tmp_path / "turned.jpg")
    expect(facts(page)).to_contain_text("turned.jpg162×256")
    painted(page)
    expect(sizes).to_have_text(
        [
            "256 px: 162×256",
            "512 px: 324×512",
            "1024 px: 647×1024",
            re.compile(r"^2048 px: 885×1400, about \d+ (s|min)$"),
        ]
    )
    page.get_by_role("button", name="example: lamps").click()
    expect(sizes.nth(1)).to_have_text("512 px: 512×384")
    painted(page)


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_photo_can_be_dropped_and_pasted_anywhere(page: Page, event: str) -> None:
    photo = random_picture(50, 36, seed=3)
    content = base64.b64encode(encoded(photo)).decode()
    assert page.evaluate(SEND, [event, f"by {event}.png", "image/png", content])
    expect(facts(page)).to_contain_text(f"by {event}.png")
    painted(page)
    assert result(page, "original").tobytes() == photo.tobytes()


DROP = """(kind) => {
    const data = new DataTransfer();
    const file = (name) => new File(["x"], name, { type: "image/png" });
    const { prototype } = DataTransferItem;
    const plain = prototype.webkitGetAsEntry;
    if (kind === "address") data.setData("text/uri-list", "https://example.com/a.png");
    if (kind === "folder") prototype.webkitGetAsEntry = () => ({ isDirectory: true });
    if (kind !== "address") data.items.add(file("a.png"));
    if (kind === "several") data.items.add(file("b.png"));
    const settings = { bubbles: true, cancelable: true, dataTransfer: data };
    const drop = new DragEvent("drop", settings);
    document.querySelector("#foot").dispatchEvent(drop);
    prototype.webkitGetAsEntry = plain;
    return [drop.defaultPrevented, document.querySelector("#viewer .error").textContent];
}"""


@pytest.mark.parametrize(
    ("kind", "words"),
    [("address", "no address"), ("folder", "A folder"), ("several", "one photo")],
)
def test_what_is_no_single_file_gets_a_sentence(page: Page, kind: str, words: str) -> None:
    prevented, said = page.evaluate(DROP, kind)
    assert prevented  # or the browser would leave the page
    assert words in said
    expect(facts(page)).to_contain_text("small.png")


def test_choosing_a_file_offers_what_the_server_reads(page: Page) -> None:
    accept = page.locator("#bar input[type=file]").get_attribute("accept").split(",")
    assert {"image/jpeg", "image/png", ".tif"} <= set(accept)
    assert "image/*" not in accept  # or an iPhone sends HEIC
    assert (".heic" in accept) == ("HEIF" in FORMATS)


def test_words_can_still_be_pasted(page: Page) -> None:
    assert not page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.setData("text/plain", "hello");
            const event = new ClipboardEvent("paste", { cancelable: true, clipboardData: data });
            document.body.dispatchEvent(event);
            return event.defaultPrevented;
        }"""
    )


@pytest.mark.parametrize("form", ["TIFF", "AVIF", "MPO"])
def test_photos_that_browsers_do_not_show_have_a_preview_of_ours(page: Page, form: str) -> None:
    photo = random_picture(44, 34, seed=4)
    file = {"name": f"a.{form}", "mimeType": "image/x", "buffer": encoded(photo, form)}
    page.locator("#bar input[type=file]").set_input_files(file)
    expect(facts(page)).to_contain_text(f"a.{form}")
    painted(page)
    preview = page.locator("#bar .photo img")
    expect(preview).to_have_attribute("src", re.compile("^data:image/jpeg"))
    assert preview.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [96, 96]


def test_by_touch(browser: sync_api.Browser, url: str) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    with visiting(browser, url, **phone) as page:
        page.get_by_role("button", name="example: tower").tap()
        expect(facts(page)).to_contain_text("tower")
        painted(page)
        box = place(page, "v1")
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        worst = page.get_by_role("button", name="Worst place of v1")
        worst.tap()
        expect(words(page)).to_contain_text("of v1: spots that are")
        page.locator("#bar summary").tap()
        page.get_by_label("Keep colours").tap()
        expect(words(page)).to_contain_text("in the photo’s colours")
