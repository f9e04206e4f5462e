"""The tab "Your painting" in a real browser, without the minutes of a training."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from app import build_application
from nst.checkpoint import load_networks, save_checkpoint
from nst.models import build_model
from nst.pictures.examples import LAMPS
from nst.web.page.stylizer import Stylizer
from nst.web.painting import trainer
from nst.web.painting.training import Training, TrainingRequest
from nst.web.server.store import PictureStore
from tests.browser import LOADED, NAMES, Page, expect, sync_api, visiting
from tests.helpers import random_picture
from tests.web.made import serving

pytestmark = pytest.mark.slow

LOG = (
    "step,epoch,content,style,tv,lattice,total,lr,seconds\n"
    "1,1,1.5,4.0,0,0,9,0.001,1\n"
    "2,1,1.0,0.5,0,0,4,0.001,2\n"
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page of one's own on which a training has been stopped; its first network is quick."""
    folder = tmp_path_factory.mktemp("trainings") / "wave"
    Training.create(folder, random_picture(80, 60), TrainingRequest("Wave", "v4", 400))
    (folder / "v4.csv").write_text(LOG)
    save_checkpoint(folder / "v4.safetensors", build_model("v4"), "v4", painting="Wave")
    engines = {"eager": {name: lambda photo: photo for name in NAMES[1:]}}
    stylizer = Stylizer(load_networks(), engines, PictureStore(), {"lamps": LAMPS})
    with (
        pytest.MonkeyPatch.context() as patch,
        serving(build_application(stylizer, folder.parent)) as url,
    ):
        patch.setattr(trainer, "start_quietly", measured_already)
        yield url


def measured_already(*_: object, **__: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "print(0.9)"], stdout=subprocess.PIPE)


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Your painting").click()
    expect(page.locator("#painting .learned li")).to_have_count(1)


def test_what_was_learned_is_shown_and_joins_the_others(
    browser: sync_api.Browser, own: str
) -> None:
    with visiting(browser, own, viewport={"width": 1280, "height": 900}) as page:
        open_tab(page)
        expect(page.locator("#painting .words")).to_have_text(
            "Stopped after 2 of 400 steps, and kept."
        )
        expect(page.locator("#painting .facts").last).to_have_text("content 1.000 style 0.500")
        expect(page.locator("#painting .result .facts")).to_have_text("after 2 steps")
        assert page.locator("path.style").get_attribute("d") == "M 0.00 0.00 L 100.00 100.00"
        assert page.locator("#painting .start").is_disabled()
        choice = page.locator("#painting .steps option:checked")
        expect(choice).to_have_text("about 6 minutes: 400 steps")
        page.get_by_role("button", name="Compare").click()
        page.wait_for_function(LOADED, arg=len(NAMES) + 1)
        expect(page.locator("#viewer h3").last).to_have_text("wave")
        page.locator("#bar summary").click()
        assert page.get_by_role("checkbox", name="Wave").is_checked()
        page.get_by_role("tab", name="Live").click()
        assert page.locator("#live .network").first.locator("option").last.inner_text() == "wave"


def test_a_painting_that_cannot_be_learned_is_said(
    browser: sync_api.Browser, own: str, tmp_path: Path
) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    with visiting(browser, own, viewport={"width": 1280, "height": 900}) as page:
        open_tab(page)
        page.locator("#painting .file").set_input_files(tmp_path / "red.png")
        page.get_by_role("button", name="Learn it").click()
        expect(page.locator("#painting .error")).to_contain_text("only one colour")
        expect(page.locator("#painting .choose")).to_contain_text("red.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_usable_on_a_phone(browser: sync_api.Browser, own: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    with visiting(browser, own, color_scheme=scheme, **phone) as page:
        open_tab(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert axe.run(page).response["violations"] == []


def test_a_page_for_everybody_trains_nothing(browser: sync_api.Browser, idle: object) -> None:
    with visiting(browser, idle.url) as page:
        page.get_by_role("tab", name="Your painting").click()
        expect(page.get_by_text("python train.py --variant v4 --style mine.jpg")).to_be_visible()
        assert page.request.get(f"{idle.url}/painting/state").status == 404
