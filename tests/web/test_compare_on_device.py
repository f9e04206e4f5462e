"""Photos that the visitor's own device stylizes, here a software adapter."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.inference.blend import blend
from tests.browser import (
    Page,
    expect,
    mode,
    painted,
    png,
    result,
    sync_api,
    upload,
    viewer,
    visiting,
)
from tests.helpers import random_picture

pytestmark = pytest.mark.slow

TWO = "#networks=v3,v4"
DONE = re.compile(r"Done: 2 pictures in \d+\.\d\d s on .*swiftshader", re.IGNORECASE)
ONE_DONE = re.compile(r"Done: one picture in \d+\.\d\d s on .*swiftshader", re.IGNORECASE)
FETCH = """async (link) => {
    const bytes = new Uint8Array(await (await fetch(link.href)).arrayBuffer());
    return [link.download, btoa(String.fromCharCode(...bytes))];
}"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    random_picture(44, 32).save(path)
    return path


def choose_engine(page: Page, name: str) -> None:
    page.locator("#bar summary").click()
    page.get_by_role("radio", name=name).check()
    page.locator("#bar summary").click()


def made(page: Page, name: str) -> tuple[str, Image.Image]:
    """The name of a picture's file, and the picture."""
    link = page.locator(f"#viewer a[aria-label='Download {name} as PNG']")
    file, content = link.evaluate(FETCH)
    return file, Image.fromarray(png(base64.b64decode(content)))


def difference(one: Image.Image, other: Image.Image) -> int:
    return np.abs(np.asarray(one, int) - np.asarray(other, int)).max()


def test_pictures_are_made_shown_mixed_and_kept_as_the_servers(
    with_webgpu: sync_api.Browser, url: str, photo: Path
) -> None:
    with visiting(with_webgpu, url, "#networks=v4", pictures=2) as page:
        upload(page, photo, pictures=2)
        original, other = result(page, "original"), result(page, "v4")
        sent = []
        page.on("request", lambda request: sent.append((request.method, request.url)))
        choose_engine(page, "This device")
        expect(page.locator("#viewer .words")).to_have_text(ONE_DONE)
        painted(page, pictures=2)
        file, picture = made(page, "v4")
        assert file == "photo-v4.png"
        assert difference(picture, other) <= 2  # both are rounded
        caption = page.locator("#viewer figcaption").last
        expect(caption.locator(".time")).to_have_text(re.compile(r"^[\d.]+ ms on this device$"))
        expect(caption.locator(".score")).to_have_text("grid, spots: server only")
        caption = viewer(page, "viewer.props.value.caption")
        assert re.search("This device · 100 % strength · .*swiftshader", caption, re.IGNORECASE)

        page.locator("#bar .strength input").fill("50")
        page.get_by_label("Keep colours").check()
        expect(page.locator("#viewer .words")).to_contain_text("in the photo’s colours")
        page.wait_for_function(
            """() => document.querySelector("#viewer [aria-label='Download v4 as PNG']")
                .download === "photo-v4-50-keep-colours.png" """
        )
        mixed = blend(original, picture, 0.5, keep_colours=True)
        assert difference(made(page, "v4")[1], mixed) <= 1
        assert not [address for method, address in sent if "upload" in address]
        assert len([address for _, address in sent if address.endswith(".nst")]) == 1

        mode(page, "Slider")
        page.wait_for_function("location.hash.includes('mode=slider')")
        hash = page.evaluate("location.hash")
        assert "engine=device" in hash
        assert "strength=50" in hash
        mode(page, "All")
        choose_engine(page, "OpenVINO")
        expect(page.locator("#viewer .score").last).to_contain_text("dB")
        assert difference(result(page, "v4"), blend(original, other, 0.5, True)) == 0


def test_stop_ends_a_run_after_its_network(
    with_webgpu: sync_api.Browser, url: str, photo: Path
) -> None:
    with visiting(with_webgpu, url, TWO, pictures=3) as page:
        upload(page, photo, pictures=3)
        choose_engine(page, "This device")
        expect(page.locator("#viewer .words")).to_contain_text("Stylizing on")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#viewer .words")).to_contain_text("Stopped: 1 of 2 pictures")
        expect(page.locator("#viewer .wait").nth(2)).to_have_text("not stylized")
        page.get_by_role("button", name="Stylize").click()
        expect(page.locator("#viewer .words")).to_have_text(DONE)


def test_where_the_device_cannot_the_server_does_it(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url, TWO, pictures=3) as page:
        page.evaluate("delete Navigator.prototype.gpu")
        choose_engine(page, "This device")
        words = page.locator("#viewer .words")
        expect(words).to_have_text(
            re.compile(r"Done: 2 pictures .*\. This browser has no WebGPU\. The server does it\.")
        )
        assert page.locator("#bar [value=openvino]").is_checked()
