from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from nst.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_networks,
    load_state,
    save_checkpoint,
    save_state,
)
from nst.inference.picture import stylize
from nst.models import VARIANTS, build_model, count_parameters
from nst.paths import CHECKPOINTS
from tests.helpers import random_picture


def test_round_trip(tmp_path: Path) -> None:
    model = build_model("v2")
    save_checkpoint(tmp_path / "v2.safetensors", model, "v2", step="7")
    loaded, metadata = load_checkpoint(tmp_path / "v2.safetensors")
    assert metadata["variant"] == "v2"
    assert metadata["step"] == "7"
    assert not loaded.training
    x = torch.rand(1, 3, 16, 20)
    assert torch.equal(loaded(x), model.eval()(x))
    assert [path.name for path in tmp_path.iterdir()] == ["v2.safetensors"]


def test_nan_is_never_saved(tmp_path: Path) -> None:
    model = build_model("v3")
    next(model.parameters()).data[0] = float("nan")
    with pytest.raises(CheckpointError, match="NaN or infinity"):
        save_checkpoint(tmp_path / "v3.safetensors", model, "v3")
    assert not list(tmp_path.iterdir())


def test_unusable_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "v3.safetensors"
    with pytest.raises(CheckpointError, match=r"v3\.safetensors: no such checkpoint"):
        load_checkpoint(path)
    path.write_bytes(b"half a file")
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(path)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of this project"):
        load_checkpoint(path)
    save_checkpoint(path, build_model("v3"), "v1")  # weights of another variant
    with pytest.raises(CheckpointError, match=r"Missing key.*encoder"):
        load_checkpoint(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "v3.state.pt"
    save_state(path, {"step": 1})
    with pytest.raises(Exception, match="pickle"):
        save_state(path, {"step": lambda: 2})
    assert load_state(path)["step"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["v3.state.pt"]


def test_a_half_written_state_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "v3.state.pt"
    save_state(path, {"weights": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="damaged training state"):
        load_state(path)


@pytest.mark.parametrize("name", VARIANTS)
def test_shipped_checkpoints_are_one_equal_training(name: str) -> None:
    network, metadata = load_checkpoint(CHECKPOINTS / f"{name}.safetensors")
    _, baseline = load_checkpoint(CHECKPOINTS / "baseline.safetensors")
    assert count_parameters(network) == count_parameters(build_model(name))
    for key in ("step", "epoch", "style_sha256", "changes"):
        assert metadata[key] == baseline[key]
    recipes = [json.loads(of["training"]) for of in (metadata, baseline)]
    weights = [recipe.pop("loss.lattice_weight") for recipe in recipes]
    assert recipes[0] == recipes[1]
    assert weights == [200.0 if name == "v4" else 0.0, 0.0]
    log = pd.read_csv(CHECKPOINTS / f"{name}.csv")
    assert list(log["step"]) == list(range(1, int(metadata["step"]) + 1))
    validation = json.loads(metadata["validation"])
    last = log["validation_total"].dropna().iloc[-1]
    assert last == pytest.approx(validation["total"], rel=1e-4)
    assert validation["style"] < log["style"].iloc[0] / 4


def test_shipped_networks_turn_a_photo_into_another_picture_of_its_size() -> None:
    photo = random_picture(90, 70)
    pictures = {name: stylize(net, photo).picture for name, net in load_networks().items()}
    assert list(pictures) == list(VARIANTS)
    assert {picture.size for picture in pictures.values()} == {(90, 70)}
    assert len({picture.tobytes() for picture in pictures.values()}) == len(VARIANTS)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda weight: weight.fill_(float("nan")), "holds NaN or infinity"),
        (lambda weight: weight.fill_(float("-inf")), "holds NaN or infinity"),
        (lambda weight: weight.to(torch.int8), "holds torch.int8, not floats"),
        (lambda weight: weight.bool(), "holds torch.bool, not floats"),
    ],
)
def test_weights_that_are_no_finite_numbers_are_refused(
    spoil: Callable[[torch.Tensor], torch.Tensor], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "v4.safetensors"
    model = build_model("v4")
    weights = dict(model.state_dict())
    name = "residual.0.norm1.weight"
    weights[name] = spoil(weights[name].clone())
    save_file(weights, path, {"format": "nst-1", "variant": "v4"})
    with pytest.raises(CheckpointError, match=rf"^v4\.safetensors: {name} {message}$"):
        load_checkpoint(path)


def test_a_state_with_a_flipped_bit_is_refused_and_the_one_before_is_named(tmp_path: Path) -> None:
    path = tmp_path / "v3.state.pt"
    weights = torch.rand(500)
    save_state(path, {"step": 1})
    save_state(path, {"step": 2, "weights": weights})
    whole = path.read_bytes()
    before = str(tmp_path / "v3.state.previous.pt")
    assert load_state(Path(before))["step"] == 1
    refused = 0
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            state = load_state(path)
        except CheckpointError as error:
            refused += 1
            assert str(error).startswith(f"{path}: damaged training state (")  # noqa: PT017
            assert before in str(error)  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017
        else:  # it was in what fills the file up
            assert (state["step"], torch.equal(state["weights"], weights)) == (2, True)
    assert refused > 2000 / 7  # which the weights have


def test_an_empty_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v3.state.pt"
    path.touch()
    with pytest.raises(CheckpointError, match=r"v3\.state\.pt: damaged training state"):
        load_state(path)
