"""What the browser tests share; importing it skips them where Playwright is not installed."""

from __future__ import annotations

import base64
import io
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.models import VARIANTS
from nst.pictures.reading import read_picture

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a camera that shows a clock
    "--use-fake-ui-for-media-stream",  # which every page may use
]
NAMES = ["original", *VARIANTS]
TIMEOUT = 60_000  # ms; a slow machine with two cores
LOADED = """count => {
    const colours = [...document.querySelectorAll("#viewer tbody td")];
    return colours.length === count && colours.every(cell => /\\d/.test(cell.textContent));
}"""

Page = sync_api.Page
expect = sync_api.expect
expect.set_options(timeout=TIMEOUT)


def executable() -> str | None:
    """The system's Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def chromium() -> Iterator[sync_api.Browser | None]:
    """The system's Chromium, or None where there is none."""
    path = executable()
    if path is None:
        yield None
        return
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visiting(
    browser: sync_api.Browser,
    url: str,
    hash: str = "",
    pictures: int = len(NAMES),
    **context: object,
) -> Iterator[Page]:
    """A visit that must ask nothing of other machines and must log no error."""
    errors, elsewhere = [], []
    began = time.monotonic()

    def note(words: str, place: object = "") -> None:
        errors.append(f"after {time.monotonic() - began:.1f} s: {words} {place}")
        print(errors[-1])  # for tests that fail because of it, before they come to the end

    visit = browser.new_context(**context)
    visit.set_default_timeout(TIMEOUT)
    page = visit.new_page()
    page.on("pageerror", lambda error: note(error.stack or str(error)))
    page.on("console", lambda line: line.type == "error" and note(line.text, line.location))
    visit.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((url, "data:", "blob:"))
            else elsewhere.append(request.url)
        ),
    )
    page.goto(url + hash)
    page.wait_for_function(LOADED, arg=pictures)
    yield page
    visit.close()
    assert elsewhere == []
    assert not errors, "\n".join(["the page had errors", *errors])


def upload(page: Page, path: Path, pictures: int = len(NAMES)) -> None:
    """Choose a photo, which is painted at once."""
    page.locator("#bar input[type=file]").set_input_files(path)
    painted(page, pictures)


def painted(page: Page, pictures: int = len(NAMES)) -> None:
    """Wait until everything that was asked for is there."""
    expect(page.locator("#viewer .words")).to_contain_text("Done")
    page.wait_for_function(LOADED, arg=pictures)


def choose_size(page: Page, side: int) -> None:
    page.get_by_label("Longer side of the results").select_option(str(side))


def choose_networks(page: Page, names: Collection[str]) -> None:
    """Tick these networks, one after the other; each change is painted at once."""
    page.locator("#bar summary").click()
    for name in VARIANTS:
        page.get_by_role("checkbox", name=name, exact=True).set_checked(name in names)
    page.locator("#bar summary").click()


def mode(page: Page, name: str) -> None:
    page.locator("#viewer").get_by_role("radio", name=name).check()


def viewer(page: Page, expression: str) -> object:
    """Evaluate with `viewer` as the viewer's own object, when everything has been drawn."""
    return page.evaluate(
        """async expression => {
            const frame = () => new Promise(requestAnimationFrame);
            await frame(), await frame();
            const { viewer } = document.querySelector("#viewer [data-mode]");
            return new Function("viewer", `return ${expression}`)(viewer);
        }""",
        expression,
    )


def canvas(page: Page, selector: str) -> np.ndarray:
    """(H, W, 3) of what a canvas shows."""
    viewer(page, "true")
    address = page.evaluate(
        'selector => document.querySelector(selector).toDataURL("image/png")', selector
    )
    return png(base64.b64decode(address.partition(",")[2]))


def png(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def result(page: Page, name: str) -> Image.Image:
    """The PNG that a picture's download link gives."""
    link = page.locator(f"#viewer a[aria-label='Download {name} as PNG']")
    address = link.evaluate("link => link.href")
    return read_picture(page.request.get(address).body())  # on white, as it is shown


def pane(name: str) -> str:
    return f"#viewer .panes figure:nth-child({NAMES.index(name) + 1}) canvas[role=img]"


def place(page: Page, name: str) -> dict[str, float]:
    """Scroll a picture into view; where it is on the screen."""
    shown = page.locator(pane(name))
    shown.scroll_into_view_if_needed()
    return shown.bounding_box()


def open_live(page: Page) -> None:
    """Show the tab with the camera, as soon as its script listens."""
    page.get_by_role("tab", name="Live").click()
    page.wait_for_function("document.querySelector('#live') && !document.querySelector('[inert]')")


def camera_is_off(page: Page) -> bool:
    """Whether all cameras have ended that the page's test has put into `window.cameras`."""
    return page.evaluate('window.cameras.every((track) => track.readyState === "ended")')
