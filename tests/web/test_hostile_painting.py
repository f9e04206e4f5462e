"""What comes to the tab "Your painting" from somebody else than the page's owner's own page."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from starlette.applications import Starlette
from starlette.testclient import TestClient

from nst.checkpoint import Painting, save_checkpoint
from nst.models import build_model
from nst.web.painting.trainer import PaintingTrainer
from tests.web.made import Made, stylize
from tests.web.test_painting import ROUTE, Tab, sent
from tests.web.test_painting import painting as painting
from tests.web.test_painting import trainer as trainer


def test_a_name_of_the_pages_own_is_not_taken(trainer: PaintingTrainer, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    save_checkpoint(path, build_model("v4"), "v4", painting="original")
    state = Tab(trainer).ask("load", file=sent(path))
    assert [one["name"] for one in state["paintings"]] == ["original-2"]


def test_a_title_is_one_short_line(trainer: PaintingTrainer, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    save_checkpoint(path, build_model("v4"), "v4", painting="A\u202e\n" + "long" * 100_000)
    (one,) = Tab(trainer).ask("load", file=sent(path))["paintings"]
    assert len(one["title"]) <= 80
    assert one["title"].isprintable()


@pytest.mark.parametrize(
    "wrong",
    [{"photos": 3}, {"photos": "a\0b"}, {"network": []}, {"steps": 1e999}, {"steps": "9"}],
)
def test_what_no_page_sends_is_refused_and_leaves_nothing(
    trainer: PaintingTrainer, painting: Path, tmp_path: Path, wrong: dict
) -> None:
    tab = Tab(trainer)
    asked = {"file": sent(painting), "network": "v4", "steps": 2, "photos": "", **wrong}
    answer = tab.client.post(f"{ROUTE}/train", content=json.dumps(asked)).json()
    assert answer["error"]
    assert tab.state()["training"] is None
    assert not list(tmp_path.glob("trainings/*"))


def test_an_upload_is_read_and_shown(trainer: PaintingTrainer, painting: Path) -> None:
    Image.open(painting).convert("RGBA").save(painting)
    assert trainer._read_photo(str(painting)).mode == "RGB"
    with pytest.raises(ValueError, match="no such network"):
        trainer.train(sent(painting), "v9", 1, "")


def test_nobody_else_trains(trainer: PaintingTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Starlette(routes=trainer.routes())
    proxied = TestClient(own, client=("203.0.113.7", 1))
    elsewhere = TestClient(own, headers={"sec-fetch-site": "cross-site"})
    for client in (proxied, elsewhere):
        assert client.get(f"{ROUTE}/state").status_code == 403
        assert client.get(f"{ROUTE}/pace", params={"network": "none"}).status_code == 403
        assert client.post(f"{ROUTE}/stop", json={}).status_code == 403
    monkeypatch.setenv("NST_OWN", "1")
    assert proxied.get(f"{ROUTE}/state").status_code == 200


@pytest.mark.parametrize("value", [float("nan"), 1e30])
def test_weights_that_make_no_picture_end_nothing(
    trainer: PaintingTrainer, tmp_path: Path, value: float
) -> None:
    weights = {
        name: torch.full_like(one, value) for name, one in build_model("v4").state_dict().items()
    }
    path = tmp_path / "wild.safetensors"
    save_file(weights, path, {"format": "nst-1", "variant": "v4"})
    answer = Tab(trainer).ask("load", file=sent(path))
    assert ("NaN" in answer["error"]) if math.isnan(value) else answer["paintings"]


def test_a_pickle_is_not_opened(trainer: PaintingTrainer, tmp_path: Path) -> None:
    torch.save(build_model("v4").state_dict(), tmp_path / "wild.safetensors")
    answer = Tab(trainer).ask("load", file=sent(tmp_path / "wild.safetensors"))
    assert "no safetensors" in answer["error"]


def test_what_a_painting_made_before_it_learned_further_is_gone(made: Made) -> None:
    pictures = []
    for version in ("1", "2"):
        made.stylizer.add("wave", Painting(build_model("v4"), "v4", "Wave", version))
        visitor = made.visitor()
        stylize(made, visitor, networks=["wave"])
        pictures.append(visitor.shown.files["wave"])
    assert pictures[0] != pictures[1]
