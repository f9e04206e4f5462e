"""What tests of the page share: a page with results for a small photo, and handlers without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.applications import Starlette

from nst.web.server.store import PictureStore
from tests.helpers import random_picture

HOSTILE = "<img src=x onerror=window.hacked=1>&amp;.png"


@pytest.fixture(scope="session")
def desktop(
    browser: object, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[object]:
    """A page with results for a photo whose name is markup."""
    from tests.browser import choose_size, upload, visiting

    path = tmp_path_factory.mktemp("upload") / HOSTILE
    random_picture(300, 200).save(path)
    with visiting(browser, url, viewport={"width": 1280, "height": 900}) as page:
        choose_size(page, 256)
        upload(page, path)
        yield page


@pytest.fixture
def page(desktop: object) -> object:
    """The same page, as nobody had touched the viewer yet."""
    from tests.browser import mode

    mode(desktop, "All")
    desktop.locator("#viewer .kind").select_option("spots")
    desktop.locator("#viewer .heat").uncheck()
    desktop.locator("#viewer .fit").click()
    desktop.evaluate("document.activeElement.blur(), window.scrollTo(0, 0)")
    desktop.mouse.move(0, 0)
    desktop.wait_for_timeout(300)  # a wheel that has been turned goes on turning
    return desktop


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
