"""How the viewer fits its pictures and captions into windows of any size.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import Page, expect, mode, place, sync_api, upload, viewer, visiting
from tests.helpers import random_picture

WINDOWS = [(1920, 1080), (1280, 900), (768, 1024), (390, 844)]
PHOTOS = {"portrait": (300, 450), "landscape": (450, 300), "panorama": (600, 120)}

CUT = """() => {
    const parts = [...document.querySelectorAll("#viewer .panes figcaption :is(h3, p, span)")];
    const cut = (part) => {
        const { left, right, bottom } = part.getBoundingClientRect();
        const figure = part.closest("figure").getBoundingClientRect();
        const inline = getComputedStyle(part).display === "inline";
        return !inline && part.scrollWidth > part.clientWidth + 1
            || left < figure.left - 1 || right > figure.right + 1 || bottom > figure.bottom + 1;
    };
    return parts.filter((part) => part.offsetParent && cut(part)).map((part) => part.textContent);
}"""
LARGEST = """() => {
    const { viewer } = document.querySelector("#viewer [data-mode]");
    const { columns, element: { style }, entries, viewport: { size } } = viewer;
    const zoomOf = () => {
        const { clientWidth, clientHeight } = viewer.currentPane;
        return Math.min(clientWidth / size[0], clientHeight / size[1]);
    };
    const zooms = entries.map((_, index) => {
        style.setProperty("--columns", index + 1);
        style.setProperty("--rows", Math.ceil(entries.length / (index + 1)));
        return zoomOf();
    });
    viewer.layOut();
    return [zooms[columns - 1], Math.max(...zooms)];
}"""


@pytest.mark.parametrize("shape", PHOTOS)
def test_pictures_are_large_and_captions_whole_in_every_window(
    browser: sync_api.Browser, url: str, tmp_path: Path, shape: str
) -> None:
    random_picture(*PHOTOS[shape]).save(tmp_path / "photo.png")
    with visiting(browser, url, viewport={"width": 1280, "height": 900}) as page:
        upload(page, tmp_path / "photo.png")
        page.get_by_role("slider", name="Strength").press("ArrowLeft")
        expect(page.locator("#viewer .words")).to_contain_text("95 %")
        for width, height in WINDOWS:
            page.set_viewport_size({"width": width, "height": height})
            viewer(page, "true")
            assert page.evaluate(CUT) == []
            zoom, largest = page.evaluate(LARGEST)
            assert zoom > 0.9 * largest  # whose captions may be higher


def click(page: Page, name: str) -> None:
    box = place(page, name)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_one_shows_the_picture_that_was_chosen(page: Page) -> None:
    click(page, "original")
    mode(page, "One")
    expect(page.locator("#viewer .tag.left")).to_have_text("original")
    mode(page, "All")
    click(page, "v3")
    mode(page, "One")
    expect(page.locator("#viewer .tag.left")).to_have_text("v3")
