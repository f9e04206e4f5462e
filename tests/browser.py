"""What the browser tests share; importing it skips them where Playwright is not installed."""

from __future__ import annotations

import base64
import io
import shutil
import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

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

WINDOW = {"width": 1280, "height": 720}
FORGET = """async () => {
    sessionStorage.clear();
    for (const { name } of await indexedDB.databases()) {
        await new Promise((done) => (indexedDB.deleteDatabase(name).onsuccess = done));
    }
}"""

Page = sync_api.Page
expect = sync_api.expect
expect.set_options(timeout=TIMEOUT)

LEFT: dict[tuple, list[Page]] = defaultdict(list)  # pages that nobody visits, of each device


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
def blank_page(
    browser: sync_api.Browser,
    own: bool = False,
    viewport: dict[str, int] = WINDOW,
    color_scheme: str = "light",
    reduced_motion: str = "no-preference",
    **device: object,
) -> Iterator[Page]:
    """An empty page of somebody who has never been here.

    It is used again: a browser context of its `own` takes three times the work of a visit, and is
    for tests that change it in ways that stay, as scripts before the page's and DevTools do.
    """
    left = [] if own else LEFT[browser, tuple(sorted(device.items()))]
    if left:
        page = left.pop()
    else:
        context = browser.new_context(**device)
        context.set_default_timeout(TIMEOUT)
        page = context.new_page()
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
    yield page
    if own:
        page.context.close()
    else:
        leave(page)
        left.append(page)


def leave(page: Page) -> None:
    """Let nothing stay of a visit."""
    for other in page.context.pages:
        if other != page:
            other.close()
    page.unroute_all()
    page.mouse.move(0, 0)
    page.goto(urljoin(page.url, "/robots.txt"))  # a page without a script
    page.evaluate(FORGET)


@contextmanager
def visiting(
    browser: sync_api.Browser,
    url: str,
    hash: str = "",
    pictures: int = len(NAMES),
    **visitor: object,
) -> Iterator[Page]:
    """A visit that must ask nothing of other machines and must log no error."""
    errors, elsewhere = [], []
    began = time.monotonic()

    def note(words: str, place: object = "") -> None:
        errors.append(f"after {time.monotonic() - began:.1f} s: {words} {place}")
        print(errors[-1])  # for tests that fail because of it, before they come to the end

    def note_error(error: sync_api.Error) -> None:
        note(error.stack or str(error))

    def note_line(line: sync_api.ConsoleMessage) -> None:
        if line.type == "error":
            note(line.text, line.location)

    def note_request(request: sync_api.Request) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            elsewhere.append(request.url)

    with blank_page(browser, **visitor) as page:
        page.on("pageerror", note_error)
        page.on("console", note_line)
        page.context.on("request", note_request)
        page.goto(url + hash)
        page.wait_for_function(LOADED, arg=pictures)
        yield page
        page.remove_listener("pageerror", note_error)
        page.remove_listener("console", note_line)
        page.context.remove_listener("request", note_request)
    assert elsewhere == []
    assert not errors, "\n".join(["the page had errors", *errors])


def upload(page: Page, path: Path, pictures: int = len(NAMES)) -> None:
    """Choose a photo, which is painted at once."""
    page.locator("#bar input[type=file]").set_input_files(path)
    expect(page.locator("#viewer .facts").first).to_contain_text(path.name)
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
