"""What tests of the page share: a page with results for a small photo, and handlers without one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.applications import Starlette

from nst.models import TransformerNet
from nst.web.server.store import PictureStore
from tests.helpers import random_picture
from tests.web.live import Visitors

HOSTILE = "<img src=x onerror=window.hacked=1>&amp;.png"


@pytest.fixture(scope="session")
def desktop(browser: object, url: str) -> Iterator[object]:
    """A page whose results are small."""
    from tests.browser import choose_size, expect, visiting

    with visiting(browser, url, viewport={"width": 1280, "height": 900}) as page:
        choose_size(page, 256)
        expect(page.locator("#viewer .facts").first).to_contain_text("256×192")
        yield page


@pytest.fixture(scope="session")
def hostile_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whose name is markup."""
    path = tmp_path_factory.mktemp("upload") / HOSTILE
    random_picture(300, 200).save(path)
    return path


@pytest.fixture
def page(desktop: object, hostile_photo: Path) -> object:
    """The same page with results for that photo, as nobody had touched the viewer yet."""
    from tests.browser import expect, mode, upload

    expect(desktop.locator("#viewer .words")).not_to_contain_text(
        re.compile("Sending|Waiting|Stylizing")
    )
    mode(desktop, "All")
    if HOSTILE not in desktop.locator("#viewer .facts").first.text_content():
        upload(desktop, hostile_photo)
    desktop.locator("#viewer .kind").select_option("spots")
    desktop.locator("#viewer .heat").uncheck()
    desktop.locator("#viewer .fit").click()
    desktop.evaluate("document.activeElement.blur(), window.scrollTo(0, 0)")
    desktop.mouse.move(0, 0)
    return desktop


@pytest.fixture(scope="session")
def with_webgpu(browser: object) -> Iterator[object]:
    """A Chromium whose graphics device is a software adapter."""
    from tests.browser import executable
    from tests.web.webgpu import WITH_WEBGPU

    with browser.browser_type.launch(executable_path=executable(), args=WITH_WEBGPU) as chromium:
        page = chromium.new_page()
        page.route("**/*", lambda route: route.fulfill(body="", content_type="text/html"))
        page.goto("http://localhost/")
        if not page.evaluate("navigator.gpu?.requestAdapter().then(Boolean)"):
            pytest.skip("this Chromium has no WebGPU")
        page.close()
        yield chromium


@pytest.fixture(scope="session")
def open_engine(with_webgpu: object, networks: dict[str, TransformerNet]) -> Callable[..., object]:
    """Opens a page that has the engine."""
    from tests.web.webgpu import engine_pages

    return engine_pages(with_webgpu, networks)


@pytest.fixture(scope="session")
def engine_page(open_engine: Callable[..., object]) -> object:
    """A page on which one network stays open, so that kernels are compiled once."""
    page = open_engine()
    page.evaluate('async () => { globalThis.open = await Engine.open("/v4.nst"); }')
    return page


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    with Visitors() as visitors:
        yield visitors


@pytest.fixture
def made(tmp_path: Path) -> object:
    from tests.web.made import make_handlers

    return make_handlers(tmp_path)


class Idle(NamedTuple):
    url: str
    application: Starlette
    store: PictureStore


@pytest.fixture(scope="session")
def idle() -> Iterator[Idle]:
    """A page with our settings whose networks do nothing."""
    from app import build_application
    from nst.checkpoint import load_networks
    from nst.models import VARIANTS
    from nst.pictures.examples import LAMPS
    from nst.web.page.stylizer import Stylizer
    from tests.web.made import serving

    engines = {"eager": dict.fromkeys(VARIANTS, lambda photo: photo)}
    store = PictureStore()
    application = build_application(Stylizer(load_networks(), engines, store, {"lamps": LAMPS}))
    with serving(application) as url:
        yield Idle(url, application, store)
