"""Make the page's screenshots in assets/ again: desktop and phone, light and dark, and Live.

    python -m tests.screenshots [FOLDER]

They show one of the page's own examples.  The times in them are those of this machine, so let it
do nothing else meanwhile.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

from tests.browser import (
    Page,
    chromium,
    executable,
    expect,
    open_live,
    painted,
    sync_api,
    visiting,
)
from tests.helpers import ROOT
from tests.load import page as running_page
from tests.web.test_device_page import A_GPU
from tests.web.webgpu import WITH_WEBGPU

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 1.5,
}


def take(browser: sync_api.Browser, url: str, folder: Path) -> None:
    for scheme in ("light", "dark"):
        with visiting(browser, url, color_scheme=scheme, **DESKTOP) as page:
            choose_tower(page)
            page.get_by_role("button", name="Measure", exact=True).click()
            expect(page.get_by_text("Measured;")).to_be_visible()
            page.mouse.move(0, 0)
            page.evaluate("document.activeElement.blur()")
            save(page.screenshot(full_page=True), folder / f"page-desktop-{scheme}.png")
        with visiting(browser, url, color_scheme=scheme, **PHONE) as page:
            choose_tower(page)
            page.locator("#viewer .pane").first.tap()  # so that the hints are those for fingers
            page.locator("#viewer .fit").tap()
            page.evaluate("document.activeElement.blur()")
            page.evaluate("window.scrollTo(0, 0)")
            save(page.screenshot(), folder / f"page-phone-{scheme}.png")


def take_live(browser: sync_api.Browser, url: str, folder: Path) -> None:
    """The example that moves before the camera starts, painted in the browser."""
    with visiting(browser, url, viewport={"width": 1000, "height": 640}) as page:
        page.evaluate(f"() => {{ {A_GPU} }}")  # for a software adapter it would stand still
        open_live(page)
        expect(page.locator("#live .words")).to_contain_text("painted on this device")
        parts = "[...document.querySelectorAll('#live canvas')].every(({ width }) => width < 512)"
        page.wait_for_function(parts)  # what the server has painted is whole
        save(page.screenshot(), folder / "page-live.png")


def choose_tower(page: Page) -> None:
    page.get_by_role("button", name="example: tower").click()
    expect(page.locator("#viewer .facts").first).to_contain_text("tower")
    painted(page)


def save(png: bytes, path: Path) -> None:
    """In 256 colours, a third of the size."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(256).save(path, optimize=True)
    print(f"{path.name}: {picture.width}×{picture.height}, {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "assets"
    with running_page() as (url, _), chromium() as browser:
        if browser is None:
            sys.exit("no Chromium on this machine")
        take(browser, url, folder)
        with browser.browser_type.launch(executable_path=executable(), args=WITH_WEBGPU) as other:
            take_live(other, url, folder)


if __name__ == "__main__":
    main()
