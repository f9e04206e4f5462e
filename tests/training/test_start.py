"""Another painting from trained weights, and crops of the examples where there are no photos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import train
from nst.checkpoint import CheckpointError, load_checkpoint, load_state, save_checkpoint
from nst.files import sha256
from nst.models import build_model
from nst.training.data import CROPS, crop_examples, names_sha256
from tests.training.test_train import assert_same_run, weights


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A checkpoint of v4, of weights that no training begins with."""
    torch.manual_seed(5)
    save_checkpoint(tmp_path / "trained.safetensors", build_model("v4"), "v4")
    return tmp_path / "trained.safetensors"


def test_it_begins_at_those_weights_and_notes_their_hash(
    arguments: list[str], trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ["--variant", "v4", *arguments, "--out", str(out), "--start", str(trained)]
    train.command([*options, "--steps", "1", "--learning-rate", "0"])
    for name, value in weights(out / "v4.safetensors").items():
        assert torch.equal(value, weights(trained)[name]), name
    training = json.loads(load_checkpoint(out / "v4.safetensors")[1]["training"])
    assert training["start_sha256"] == sha256(trained)


def test_another_start_is_refused_when_it_goes_on(
    arguments: list[str], trained: Path, tmp_path: Path
) -> None:
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    options = ["--variant", "v4", *arguments, "--start", str(trained)]
    train.command([*options, "--steps", "1", "--out", str(stopped)])
    for others in (options[:-2], [*options[:-1], str(stopped / "v4.safetensors")]):
        with pytest.raises(CheckpointError, match="made with other settings: start_sha256"):
            train.command([*others, "--steps", "3", "--out", str(stopped), "--resume"])
    train.command([*options, "--steps", "3", "--out", str(stopped), "--resume"])
    train.command([*options, "--steps", "3", "--out", str(whole)])
    assert_same_run(stopped, whole, "v4")


def test_another_architecture_is_refused(
    arguments: list[str], trained: Path, tmp_path: Path
) -> None:
    options = [*arguments, "--out", str(tmp_path / "out"), "--steps", "1", "--start", str(trained)]
    with pytest.raises(CheckpointError, match=r"--start .*trained\.safetensors: holds v4, not v3"):
        train.command(["--variant", "v4", "v3", *options])
    assert not list((tmp_path / "out").glob("v*"))
    train.command(["--variant", "v4-nolattice", *options])  # is v4, trained by another loss


def test_crops_are_the_same_whenever_they_are_asked_for() -> None:
    said: list[str] = []
    sets = crop_examples(32, seed=0, say=said.append)
    assert said == [
        "no photos: random crops of the page's 7 examples, the same for all: "
        "8 test, 4,000 train, 40 validation"
    ]
    assert {part: len(crops) for part, crops in sets.items()} == CROPS
    batch = sets["train"].batch([5, 3])
    assert batch.shape == (2, 3, 32, 32)
    assert 0 <= batch.min() < batch.max() <= 1
    assert torch.equal(sets["train"].batch([3, 5]), batch.flip(0))
    again = crop_examples(32, seed=0, say=said.append)
    assert torch.equal(again["train"].batch([5, 3]), batch)
    assert names_sha256(again) == names_sha256(sets)
    other_seed = crop_examples(32, seed=1, say=said.append)["train"]
    for others in (other_seed, sets["validation"]):
        assert not torch.equal(others.batch([5, 3]), batch)


def test_crops_show_all_examples_at_many_sizes_and_mirrored() -> None:
    crops = crop_examples(32, seed=0, say=lambda text: None)["train"]
    flipped = {tuple(crops.batch([n]).mean((0, 2, 3)).mul(50).int().tolist()) for n in range(60)}
    assert len(flipped) > 25


def test_without_photos_it_trains_on_crops_and_goes_on_exactly(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    monkeypatch.chdir(tmp_path)  # where no val2017.zip is
    options = ["--variant", "v3", *arguments[2:]]
    train.command([*options, "--steps", "2", "--out", str(stopped)])
    assert "no photos: random crops of the page's 7 examples" in capsys.readouterr().out
    train.command([*options, "--steps", "4", "--out", str(stopped), "--resume"])
    train.command([*options, "--steps", "4", "--out", str(whole)])
    assert_same_run(stopped, whole)
    with pytest.raises(CheckpointError, match="photo_names_sha256"):
        train.command(["--variant", "v3", *arguments, "--out", str(stopped), "--resume"])
    assert load_state(stopped / "v3.state.pt")["step"] == 4
