from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from nst.artifacts.measure import measure
from nst.checkpoint import CheckpointError, load_checkpoint, load_networks, save_checkpoint
from nst.loss import LossSettings, PerceptualLoss
from nst.models import VARIANTS
from nst.paths import CHECKPOINTS
from nst.pictures.tensors import to_picture
from nst.study import common, evaluate
from nst.study.common import common_loss, evaluate_part, loss_settings
from nst.vgg import VGGFeatures


class Photos:
    """As `nst.training.data.PhotoSet`, of a tensor."""

    def __init__(self, photos: torch.Tensor) -> None:
        self.photos = photos

    def __len__(self) -> int:
        return len(self.photos)

    def batch(self, numbers: list[int]) -> torch.Tensor:
        return self.photos[numbers]


def test_rows_hold_the_losses_the_distance_and_the_artifacts(tiny_vgg: VGGFeatures) -> None:
    networks = load_networks()
    settings = LossSettings(style_layers=("relu1_2", "relu2_2/2"), lattice_weight=0)
    loss = PerceptualLoss(tiny_vgg, torch.rand(3, 64, 64), settings)
    photos = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    table = evaluate_part(networks, loss, Photos(photos), "test", lambda one: {"also": one.ndim})
    assert set(table["also"]) == {3}
    assert set(table["part"]) == {"test"}
    for number, photo in enumerate(photos[:, None]):
        rows = table[table["photo"] == number].set_index("network")
        assert list(rows.index) == list(networks)
        with torch.inference_mode():
            pictures = {name: networks[name](photo).clamp(0, 1) for name in networks}
            terms = loss(pictures["v3"], loss.content_target(photo))
            apart = loss(pictures["v3"], loss.content_target(pictures["baseline"])).content
        v3 = rows.loc["v3"]
        for name, value in terms._asdict().items():
            assert v3[name] == pytest.approx(value.item(), rel=1e-4)
        assert v3["from_baseline"] == pytest.approx(apart.item(), rel=1e-4)
        assert rows.loc["baseline", "from_baseline"] == 0
        artifacts = measure(to_picture(pictures["v3"][0]))
        assert v3["lattice_db"] == pytest.approx(artifacts.lattice_db, abs=0.1)
        assert pd.isna(v3["array_share"]) == (artifacts.array_share is None)
        assert pd.isna(v3["array_contrast"]) == (artifacts.array_share is None)


def test_the_loss_is_read_from_the_checkpoints() -> None:
    losses = {
        name: loss_settings(load_checkpoint(CHECKPOINTS / f"{name}.safetensors")[1])
        for name in VARIANTS
    }
    assert [loss.lattice_weight for loss in losses.values()] == [0, 0, 0, 0, 200]
    assert common_loss() == losses["baseline"]


def test_networks_of_unlike_losses_do_not_compare(tmp_path: Path) -> None:
    for name, more in (("baseline", ""), ("v1", ', "loss.style_weight": 2.0')):
        network, _ = load_checkpoint(CHECKPOINTS / f"{name}.safetensors")
        training = f'{{"loss.tv_weight": 1.0, "loss.vgg_padding": "zeros"{more}}}'
        save_checkpoint(tmp_path / f"{name}.safetensors", network, name, training=training)
    assert common_loss(tmp_path, ["baseline"]) == LossSettings()  # a trial's name is left out
    with pytest.raises(CheckpointError, match="v1: trained with another loss than baseline"):
        common_loss(tmp_path, ["baseline", "v1"])


@pytest.mark.slow
def test_the_command(
    photos: Path,
    painting: Path,
    tiny_vgg_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out" / "evaluation.csv"
    command = ["--photos", str(photos), "--style", str(painting)]
    command += ["--vgg-weights", str(tiny_vgg_file), "--out", str(out.parent)]
    assert evaluate.main(command) == 1
    assert "trained for another picture" in capsys.readouterr().err
    assert not out.exists()
    _, metadata = load_checkpoint(CHECKPOINTS / "baseline.safetensors")
    monkeypatch.setattr(common, "sha256", lambda path: metadata["style_sha256"])
    assert evaluate.main(command) == 0
    said = capsys.readouterr().err
    assert "other photos than those of the training" in said
    assert "another VGG-16 than the training's" in said
    table = pd.read_csv(out)
    assert list(table["network"]) == 2 * list(VARIANTS)
    assert list(table["part"]) == len(VARIANTS) * ["test"] + len(VARIANTS) * ["validation"]
    assert set(table["photo"]) == {0}
    of_total = table["content"] + 4 * table["style"] + table["tv"]
    assert list(table["total"]) == pytest.approx(list(of_total), rel=1e-3)
