"""The ablation's command, on trainings of two steps with a tiny VGG."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, ImageFilter

import train
from nst.checkpoint import load_checkpoint, save_checkpoint
from nst.models import build_model, count_parameters
from nst.paths import ASSETS, CHECKPOINTS
from nst.pictures.examples import examples
from nst.pictures.tensors import to_picture, to_tensor
from nst.study import ablation
from nst.study.ablation import (
    ablation_markdown,
    draw_orbs,
    find_runs,
    measure_run,
    rim_chroma,
    through_median,
)
from tests.helpers import random_picture


@pytest.mark.slow
def test_runs_are_measured_and_reported(
    photos: Path,
    painting: Path,
    tiny_vgg_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = dict(list(examples().items())[:2]) | {ablation.OF_ORBS: examples()[ablation.OF_ORBS]}
    monkeypatch.setattr(ablation, "examples", lambda: few)
    monkeypatch.setattr(ablation, "REPEATS", 3)
    common = ["--photos", str(photos), "--style", str(painting), "--vgg-weights"]
    common.append(str(tiny_vgg_file))
    more = ["--steps", "2", "--photo-side", "64", "--style-side", "64", "--device", "cpu"]
    more += ["--style-layers", "relu1_2", "--precision", "fp32"]
    folders = [tmp_path / "runs" / name for name in ("a-v1", "a-v3-resize", "a-v1-lattice")]
    for folder, flags in zip(
        folders, (["v1"], ["v3-resize"], ["v1", "--lattice-weight", "200"]), strict=True
    ):
        train.command(["--variant", *flags, *common, *more, "--out", str(folder)])
    out = tmp_path / "assets"
    command = ["--runs", *map(str, folders), *common, "--median", "a-v1", "--out", str(out)]
    assert ablation.main(command) == 0
    results = pd.read_csv(out / "ablation.csv")
    names = ["a-v1", "a-v3-resize", "a-v1-lattice", "a-v1, median"]
    assert list(results["run"]) == names
    assert list(results["change"]) == ["v1", "v3-resize", "v1 --lattice-weight 200.0", "v1"]
    assert set(results["step"]) == {2}
    assert set(results["photos"]) == {1}
    assert results["parameters"][1] == count_parameters(build_model("v3-resize"))
    assert (results["eager_ms"][:3] > 0).all()
    assert np.isnan(results["eager_ms"][3])
    assert results["lattice_db"][3] < results["lattice_db"][0]
    assert set(results["examples_judged"]) <= set(range(len(few) + 1))
    with Image.open(out / "ablation-orbs.png") as strip:
        assert strip.size == (4 * 30, 30)
    before = set(out.iterdir())
    assert ablation.main(["--report", "--out", str(out)]) == 0
    written = {path.name for path in set(out.iterdir()) - before}
    assert written == {"ablation.md", "figure-9-ablation.png"}
    lines = (out / "ablation.md").read_text(encoding="utf-8").splitlines()
    assert "1 test photos" in lines[0]
    assert [line.split(" | ")[0] for line in lines[2:]] == [f"| {name}" for name in names]


def test_the_table_rounds_and_leaves_out_what_was_not_measured() -> None:
    row = {"run": "a-v1", "change": "v1", "step": 2000, "parameters": 381315, "photos": 50}
    row |= {"content": 1.23456, "style": 0.2, "lattice_db": 12.34, "lattice_db_sd": 0.5}
    row |= {"judged": 40, "array_share": 0.5, "array_share_sd": 0.1, "array_contrast": 41.7}
    row |= {"examples_array_share": 0.123, "examples_judged": 7}
    row |= {"flat_field": 3.21, "rim": 0.804, "eager_ms": 60.0, "openvino_ms": None}
    none = {"judged": 0, "array_share": None, "array_share_sd": None, "array_contrast": None}
    none |= {"examples_judged": 0, "examples_array_share": None}
    first, second = ablation_markdown(pd.DataFrame([row, row | none])).splitlines()[2:]
    start = "| a-v1 | v1 | 2000 | 381,315 | 1.235 | 0.200 | 12.3 ± 0.5 |"
    assert first == f"{start} 50 ± 10 (40) | 42 | 12 (7) | 3.2 | 0.80 | 60.0 | – |"
    assert second == f"{start} no yellow | – | no yellow | 3.2 | 0.80 | 60.0 | – |"


def test_the_figure_magnifies_each_orb_under_its_name() -> None:
    strip = random_picture(8 * 30, 30)
    sheet = np.asarray(draw_orbs([f"run {number}" for number in range(8)], strip))
    assert sheet.shape == (2 * (24 + 240) + 6, 6 * 246 - 6, 3)
    seventh = np.asarray(strip)[:, 180:210].repeat(8, 0).repeat(8, 1)
    assert np.array_equal(sheet[24 + 240 + 6 + 24 :, :240], seventh)
    assert (sheet[:24, :240] < 100).any()  # the name
    with pytest.raises(ValueError, match="does not belong"):
        draw_orbs(["one"], strip)


def test_table_and_figure_are_those_of_the_results(tmp_path: Path) -> None:
    for name in ("ablation.csv", "ablation-orbs.png"):
        (tmp_path / name).write_bytes((ASSETS / name).read_bytes())
    assert ablation.main(["--report", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "ablation.md").read_bytes() == (ASSETS / "ablation.md").read_bytes()
    drawn, shown = (
        np.asarray(Image.open(folder / "figure-9-ablation.png").convert("RGB"), dtype=float)
        for folder in (tmp_path, ASSETS)
    )
    assert np.abs(drawn - shown).mean() < 1  # letters may differ by the version of FreeType


def test_the_rims_chroma() -> None:
    picture = torch.zeros(3, 80, 96)
    picture[0] = 0.5
    assert rim_chroma(picture) == {"outer": 0.5, "inner": 0.5}
    for rim in (picture[..., :8], picture[..., -8:], picture[:, :8], picture[:, -8:]):
        rim[1:] = 0.25
    picture[1:, 10:22, 10:-10] = 0.4  # between them nothing counts
    assert rim_chroma(picture) == {"outer": 0.25, "inner": 0.5}
    columns = ("content", "style", "lattice_db", "array_share", "array_contrast")
    rows = [dict.fromkeys(columns, 1.0) | {"outer": outer, "inner": 0.5} for outer in (0.1, 0.3)]
    assert measure_run(lambda photos: photos, pd.DataFrame(rows))["rim"] == pytest.approx(0.4)


def test_a_median_is_taken_of_the_pictures() -> None:
    photo = to_tensor(random_picture(32, 40, seed=3))[None]
    filtered = to_picture(photo[0]).filter(ImageFilter.MedianFilter(3))
    assert torch.equal(through_median(lambda photos: photos)(photo)[0], to_tensor(filtered))


def test_what_is_wrong_with_runs_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--photos", "x", "--style", "y", "--runs", str(tmp_path)]
    assert ablation.main(command) == 1
    assert f"{tmp_path}: no checkpoint of a training" in capsys.readouterr().err
    assert ablation.main(["--report", "--out", str(tmp_path)]) == 1
    assert "ablation.csv" in capsys.readouterr().err
    for wrong in (
        ["--runs", str(tmp_path)],
        ["--report", "--runs", "x"],
        ["--report", "--photos", "x"],
    ):
        with pytest.raises(SystemExit):
            ablation.main(wrong)


def test_runs_for_two_paintings_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        training = json.dumps({"style_sha256": folder.name, "vgg_weights": "torchvision"})
        model = build_model("v3")
        save_checkpoint(folder / "v3.safetensors", model, "v3", step="1", training=training)
    command = ["--runs", *map(str, folders), "--photos", "x", "--style", "y"]
    assert ablation.main(command) == 1
    assert "b/v3.safetensors: trained with another style_sha256 than" in capsys.readouterr().err


def test_a_folder_of_several_gives_their_names(tmp_path: Path) -> None:
    runs = find_runs([CHECKPOINTS])
    assert list(runs) == ["baseline", "v1", "v2", "v3", "v4"]
    assert runs["v4"].change(runs["baseline"]) == "v4 --lattice-weight 200.0"
    assert load_checkpoint(runs["v1"].path)[1]["variant"] == "v1"
