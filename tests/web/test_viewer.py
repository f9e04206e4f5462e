"""The viewer in a real browser: the right pixels, moved by mouse and keys, in every mode.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from nst.web.zoom import magnify, region
from tests.browser import (
    LOADED,
    NAMES,
    Page,
    canvas,
    choose_size,
    expect,
    mode,
    pane,
    place,
    result,
    sync_api,
    upload,
    viewer,
    visiting,
)
from tests.helpers import random_picture

HOSTILE = "<img src=x onerror=window.hacked=1>&amp;.png"


@pytest.fixture(scope="module")
def desktop(
    browser: sync_api.Browser, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """A page with results for a photo whose name is markup."""
    path = tmp_path_factory.mktemp("upload") / HOSTILE
    random_picture(300, 200).save(path)
    with visiting(browser, url, viewport={"width": 1280, "height": 900}) as page:
        choose_size(page, 256)
        upload(page, path)
        yield page


@pytest.fixture
def page(desktop: Page) -> Page:
    """The same page, as nobody had touched the viewer yet."""
    mode(desktop, "Side by side")
    desktop.locator("#viewer .fit").click()
    desktop.mouse.move(0, 0)
    return desktop


def test_names_of_files_are_text(page: Page) -> None:
    facts = page.locator("#viewer .facts").first
    expect(facts).to_contain_text("onerror=window.hacked=1")
    assert page.locator("#viewer figcaption img").count() == 0
    assert page.evaluate("window.hacked") is None
    saved = page.get_by_role("link", name="Download v3 as PNG").get_attribute("download")
    assert saved == "img-src-x-onerror-window-hacked-1-amp-v3.png"


def test_pixels_on_the_screen_are_the_results(page: Page) -> None:
    for _ in range(3):
        page.locator("#viewer .in").click()
    page.locator("#viewer .pane").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    x, y, zoom = viewer(page, "[viewer.state.x, viewer.state.y, viewer.state.zoom]")
    width, height = viewer(page, "viewer.paneSize()")
    assert zoom >= 2
    for name in NAMES:
        expected = np.asarray(magnify(result(page, name), x, y, zoom, width, height))
        assert np.array_equal(canvas(page, pane(name)), expected), name


def test_viewer_and_api_share_one_formula(page: Page) -> None:
    draw = random.Random(0)
    cases = [
        (
            [draw.randint(16, 3000), draw.randint(16, 3000)],
            draw.uniform(0, 100),
            draw.choice([0, 50, 100, draw.uniform(0, 100)]),
            draw.choice([0.3, 1, 2, 3.7, 8, 32]),
            draw.randint(50, 1200),
            draw.randint(50, 1200),
        )
        for _ in range(300)
    ]
    shown = page.evaluate(
        """cases => cases.map(values =>
            document.querySelector("#viewer [data-mode]").viewer.region(...values))""",
        cases,
    )
    for case, box in zip(cases, shown, strict=True):
        assert box == pytest.approx(region(*case), abs=1e-9)


def test_wheel_and_drag_move_all_pictures(page: Page) -> None:
    box = place(page, "v1")
    page.wait_for_timeout(300)  # a wheel that has been scrolling goes on scrolling
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    fitted = viewer(page, "viewer.state.zoom")
    page.mouse.wheel(0, -300)
    page.wait_for_function(
        "zoom => document.querySelector('#viewer [data-zoom]').dataset.zoom > zoom", arg=fitted
    )
    before = canvas(page, pane("v3"))
    x = viewer(page, "viewer.state.x")
    page.mouse.down()
    page.mouse.move(middle[0] - 60, middle[1], steps=4)
    page.mouse.up()
    assert viewer(page, "viewer.state.x") > x
    assert not np.array_equal(canvas(page, pane("v3")), before)


def test_a_click_and_enter_centre(page: Page) -> None:
    box = place(page, "v2")
    page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.6)
    cursor = viewer(page, "viewer.state.cursor")
    assert viewer(page, "viewer.state.zoom") == 4
    assert viewer(page, "viewer.state.x") == pytest.approx(100 * (cursor[0] + 0.5) / 256, abs=0.3)
    for _ in range(9):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    x = 100 * (cursor[0] + 9.5) / 256
    assert viewer(page, "viewer.state.x") == pytest.approx(x, abs=0.3)


def test_the_readout_gives_every_pictures_colour(page: Page) -> None:
    box = place(page, "v1")
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.7)
    x, y = viewer(page, "viewer.state.cursor")
    expect(page.locator("#viewer .where")).to_contain_text(f"x {x}, y {y}")
    for index, name in enumerate(NAMES):
        colour = " ".join(map(str, result(page, name).getpixel((x, y))))
        expect(page.locator("#viewer tbody td").nth(index)).to_have_text(colour)


def test_slider_shows_one_left_and_the_other_right(page: Page) -> None:
    mode(page, "Slider")
    page.get_by_label("First picture").select_option("original")
    page.get_by_label("Second picture").select_option("v2")
    divider = page.get_by_role("slider", name="Divider")
    divider.press("End")
    whole = canvas(page, "#viewer .single canvas")
    divider.press("Home")
    other = canvas(page, "#viewer .single canvas")
    for _ in range(5):
        divider.press("PageUp")
    half = canvas(page, "#viewer .single canvas")
    cut = half.shape[1] // 2
    assert np.array_equal(half[:, : cut - 1], whole[:, : cut - 1])
    assert np.array_equal(half[:, cut + 1 :], other[:, cut + 1 :])
    assert not np.array_equal(whole, other)
    box = divider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 100, box["y"] + 30, steps=3)
    page.mouse.up()
    assert int(divider.get_attribute("aria-valuenow")) > 50


def test_blink_is_slow_and_can_be_paused(page: Page) -> None:
    mode(page, "Blink")
    tag = page.locator("#viewer .tag.left")
    first, second = (
        page.get_by_label(f"{which} picture").input_value() for which in ("First", "Second")
    )
    expect(tag).to_have_text(second)
    expect(tag).to_have_text(first)
    changes = page.evaluate(
        """() => new Promise(done => {
            let changes = 0;
            const tag = document.querySelector("#viewer .tag.left");
            new MutationObserver(() => (changes += 1)).observe(tag, { childList: true });
            setTimeout(() => done(changes), 2000);
        })"""
    )
    assert 1 <= changes <= 4  # two changes make one blink: never above 1 Hz
    page.get_by_role("button", name="Pause").click()
    shown = tag.text_content()
    page.wait_for_timeout(1600)
    assert tag.text_content() == shown
    page.locator("#viewer .pause").click()


def test_difference_is_amplified(page: Page) -> None:
    mode(page, "Difference")
    page.get_by_label("First picture").select_option("baseline")
    page.get_by_label("Second picture").select_option("v3")
    gain = page.get_by_label("Amplified")
    gain.press("Home")
    gain.press("ArrowRight")
    gain.press("ArrowRight")
    gain.press("ArrowRight")
    expect(page.locator("#viewer .gain output")).to_have_text("×8")
    x, y, zoom = viewer(page, "[viewer.state.x, viewer.state.y, viewer.state.zoom]")
    assert zoom == int(zoom) >= 2  # a small picture is fitted to whole pixels
    one, two = (np.asarray(result(page, name)).astype(int) for name in ("baseline", "v3"))
    expected = Image.fromarray(np.minimum(8 * abs(one - two), 255).astype(np.uint8))
    shown = canvas(page, "#viewer .single canvas")
    width, height = (zoom * side for side in expected.size)
    left, top = (shown.shape[1] - width + 1) // 2, (shown.shape[0] - height + 1) // 2
    magnified = np.asarray(magnify(expected, x, y, zoom, *shown.shape[1::-1]))
    assert np.array_equal(shown[top : top + height, left : left + width], magnified)
    mean = f"mean difference {abs(one - two).mean():.1f} of 255"
    expect(page.locator("#viewer .tag.left")).to_contain_text(mean)


def test_strength_changes_the_pictures_at_once(page: Page) -> None:
    before = result(page, "v3")
    strength = page.get_by_role("slider", name="Strength")
    strength.focus()
    strength.press("Home")
    expect(page.locator("#viewer .words")).to_have_text("Shown at 0 % strength.")
    link = page.locator("#viewer a[aria-label='Download v3 as PNG']")
    expect(link).to_have_attribute("href", re.compile(r"-v3-0\.png$"))
    page.wait_for_function(LOADED, arg=len(NAMES))
    assert result(page, "v3").tobytes() == result(page, "original").tobytes()
    strength.press("End")
    expect(page.locator("#viewer .words")).to_have_text("Shown at 100 % strength.")
    expect(link).to_have_attribute("href", re.compile(r"-v3\.png$"))
    assert result(page, "v3").tobytes() == before.tobytes()


def test_all_pictures_can_be_saved_as_one(page: Page) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="All of them in one PNG").click()
    assert download.value.suggested_filename.endswith("-comparison.png")
    assert Image.open(download.value.path()).width > 3 * 256
