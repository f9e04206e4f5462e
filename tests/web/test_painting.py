"""A painting of one's own: what is asked for, what comes of it, and that nothing of it is lost."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from nst.checkpoint import load_checkpoint, save_checkpoint
from nst.models import VARIANTS, build_model
from nst.web.page import components
from nst.web.page.device_files import DeviceFiles
from nst.web.painting import training as training_module
from nst.web.painting.trainer import ROUTE, PaintingTrainer
from nst.web.painting.training import Training, TrainingRequest, curve, trainings
from nst.web.server.environment import Address, is_ones_own
from tests.helpers import random_picture
from tests.web.made import Made, stylize


@pytest.fixture
def trainer(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PaintingTrainer]:
    monkeypatch.setattr(components, "get_upload_folder", lambda: str(tmp_path))
    trainer = reopened(made, tmp_path)
    yield trainer
    trainer.stop()


def reopened(made: Made, tmp_path: Path) -> PaintingTrainer:
    """As after a new start of the page."""
    return PaintingTrainer(tmp_path / "trainings", made.stylizer, DeviceFiles({}))


class Tab:
    """What the page's script does."""

    def __init__(self, trainer: PaintingTrainer) -> None:
        self.client = TestClient(Starlette(routes=trainer.routes()))

    def ask(self, action: str, **body: object) -> dict[str, Any]:
        return self.client.post(f"{ROUTE}/{action}", json=body).json()

    def train(self, path: Path, **other: object) -> dict[str, Any]:
        asked = {"network": "v4", "steps": 2, "photos": "", **other}
        return self.ask("train", file=sent(path), **asked)

    def state(self) -> dict[str, Any]:
        return self.client.get(f"{ROUTE}/state").json()

    def state_when(self, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for _ in range(1200):
            if true(state := self.state()):
                return state
            time.sleep(0.1)
        raise AssertionError(state)


def sent(path: Path) -> dict[str, str]:
    return {"path": str(path), "orig_name": path.name}


def ended(state: dict[str, Any]) -> bool:
    return not state["training"]["running"]


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    random_picture(64, 48, seed=99).save(tmp_path / "my painting.png")
    return tmp_path / "my painting.png"


@pytest.mark.slow
def test_it_is_learned_stopped_found_again_and_compared(
    trainer: PaintingTrainer,
    made: Made,
    painting: Path,
    tiny_vgg_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(training_module.VGG_WEIGHTS, str(tiny_vgg_file))
    monkeypatch.setattr(training_module, "SAVE_EVERY", 1)
    monkeypatch.setattr(training_module, "LOWEST_PRIORITY", 0)  # other tests would starve it
    tab = Tab(trainer)
    state = tab.train(painting, steps=100)
    assert state["training"]["running"]
    assert "already" in tab.train(painting)["error"]
    before = tab.client.get(f"{ROUTE}/picture", params={"photo": "first"}).content
    tab.state_when(lambda state: state["training"]["step"] >= 2)
    tab.ask("stop")
    stopped = tab.state_when(ended)["training"]
    assert 2 <= stopped["step"] < 100
    assert stopped["error"] == ""
    assert tab.client.get(f"{ROUTE}/picture", params={"photo": "first"}).content != before

    tab = Tab(reopened(made, tmp_path))
    assert tab.state()["training"]["step"] == stopped["step"]
    tab.ask("go-on", steps=1)
    tab.state_when(lambda state: state["training"]["step"] > stopped["step"])
    tab.ask("stop")
    state = tab.state_when(ended)
    steps = [step for step, *_ in state["training"]["curve"]]
    assert steps == list(range(1, state["training"]["step"] + 1))
    assert [one["name"] for one in state["paintings"]] == ["my-painting"]
    kept = tmp_path / "kept.safetensors"
    kept.write_bytes(tab.client.get(f"{ROUTE}/files/my-painting/checkpoint").content)
    metadata = load_checkpoint(kept)[1]
    assert metadata["painting"] == state["training"]["title"] == "My painting"

    made.stylizer.engines["eager"]["my-painting"] = made.network
    *_, last = stylize(made, made.visitor(), networks=["v4", "my-painting"])
    facts = last.view.panes["my-painting"].facts
    assert facts == ["v4 after “My painting”", "200,876 parameters"]


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (None, "Accepted: JPEG"),
        (random_picture(31, 60), "31×60 px"),
        (random_picture(1000, 40), "too long"),
        (Image.new("RGB", (64, 64), "red"), "only one colour"),
    ],
)
def test_what_cannot_be_learned_is_a_sentence(
    trainer: PaintingTrainer, tmp_path: Path, picture: Image.Image | None, words: str
) -> None:
    path = tmp_path / "bad.png"
    if picture:
        picture.save(path)
    else:
        path.write_bytes(b"no picture")
    assert words in Tab(trainer).train(path)["error"]
    assert not (tmp_path / "trainings").exists()
    assert Tab(trainer).state()["training"] is None


def test_files_that_were_not_sent_to_the_page_are_not_read(
    trainer: PaintingTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_picture(64, 64).save(tmp_path / "other.png")
    monkeypatch.setattr(components, "get_upload_folder", lambda: str(tmp_path / "uploads"))
    for answer in (
        Tab(trainer).train(tmp_path / "other.png"),
        Tab(trainer).ask("load", file=sent(tmp_path / "other.png")),
    ):
        assert answer["error"] == "Only a file that was uploaded can be read."


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    trainer: PaintingTrainer, painting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(training_module, "_write_request", full)
    assert Tab(trainer).train(painting) == {"error": "No space left on device."}
    assert list((tmp_path / "trainings").iterdir()) == []


def test_what_ends_a_training_is_said(
    trainer: PaintingTrainer, painting: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "trainings" / "mine"
    training = Training.create(folder, Image.open(painting), TrainingRequest("Mine", "v4", 9))
    words = "v4: the loss or its gradient became NaN or infinite in step 3"
    (folder / "output.txt").write_text(f"10%|█  | 2/9\rtrain.py: {words}\n", encoding="utf-8")
    assert training.error() == words
    assert [one.request.title for one in trainings(tmp_path / "trainings")] == ["Mine"]
    (folder / "request.json").write_text("{}")
    assert trainings(tmp_path / "trainings") == []


def test_a_checkpoint_that_was_kept_is_taken_in(
    trainer: PaintingTrainer, made: Made, tmp_path: Path
) -> None:
    path = tmp_path / "wave.safetensors"
    save_checkpoint(path, build_model("v4"), "v4", painting="The Wave")
    tab = Tab(trainer)
    for names in (["The-Wave"], ["The-Wave", "The-Wave-2"]):
        state = tab.ask("load", file=sent(path))
        assert [one["name"] for one in state["paintings"]] == names
    assert state["training"] is None
    assert state["paintings"][0]["words"] == "v4 after “The Wave”"
    assert trainer.device_files.addresses.keys() == {"The-Wave", "The-Wave-2"}
    assert list(made.stylizer.networks) == [*VARIANTS, "The-Wave", "The-Wave-2"]
    assert made.stylizer.names == list(VARIANTS)  # what a visitor sees at first
    assert "no safetensors" in tab.ask("load", file=sent(tmp_path / "photo.png"))["error"]
    tab = Tab(reopened(made, tmp_path))
    assert [one["title"] for one in tab.state()["paintings"]] == ["The Wave", "The Wave"]


def test_a_name_of_a_network_is_not_taken(trainer: PaintingTrainer, tmp_path: Path) -> None:
    path = tmp_path / "v4.safetensors"
    save_checkpoint(path, build_model("v4"), "v4")
    state = Tab(trainer).ask("load", file=sent(path))
    assert [one["name"] for one in state["paintings"]] == ["V4"]


def test_the_time_left_is_that_of_the_last_saves(trainer: PaintingTrainer) -> None:
    assert trainer._seconds_left(0, 0, 100) is None
    assert trainer._seconds_left(1000, 5, 100) is None
    assert trainer._seconds_left(5000, 10, 100) == 72
    assert trainer._seconds_left(5000, 10, 100) == 72


def test_a_long_log_is_drawn_by_means() -> None:
    rows = [{"step": n, "content": 1.0, "style": n % 2, "total": 0} for n in range(1, 481)]
    points = curve(rows)
    assert len(points) == 120
    assert points[0] == (2.5, 1, 0.5)


@pytest.mark.parametrize(
    ("name", "environment", "own"),
    [
        ("127.0.0.1", {}, True),
        ("localhost", {}, True),
        ("::1", {}, True),
        ("0.0.0.0", {}, False),
        ("0.0.0.0", {"NST_OWN": "1"}, True),
        ("127.0.0.1", {"GRADIO_ROOT_PATH": "/demo"}, False),
        ("127.0.0.1", {"SPACE_ID": "a/b"}, False),
    ],
)
def test_only_a_page_of_ones_own_trains(name: str, environment: dict, own: bool) -> None:
    assert is_ones_own(Address(name), environment) is own
