"""Exported networks run in their own runtimes, at any size, and make eager PyTorch's pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
import pytest
from PIL import Image

from nst.checkpoint import load_checkpoint
from nst.export import ExportError, Format, check, export, load_exported
from nst.models import build_model
from nst.paths import CHECKPOINTS
from tests.helpers import random_picture, run_python

PHOTOS = [random_picture(64, 48), random_picture(97, 122, seed=1), random_picture(16, 16, seed=2)]


@pytest.mark.parametrize(
    ("variant", "format"),
    [
        ("v3", "onnx"),
        ("baseline", "onnx"),
        *((name, "openvino") for name in ("baseline", "v1", "v2", "v3")),
    ],
)
def test_exported_file_makes_the_same_pictures(
    variant: str, format: Format, tmp_path: Path
) -> None:
    network, metadata = load_checkpoint(CHECKPOINTS / f"{variant}.safetensors")
    suffix = "onnx" if format == "onnx" else "xml"
    path = export(network, metadata, tmp_path / "new" / f"{variant}.{suffix}", format)
    assert check(network, load_exported(path), PHOTOS) < 1 / 255

    if format == "onnx":
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        assert session.get_inputs()[0].shape[2:] == ["height", "width"]
        inside = session.get_modelmeta().custom_metadata_map
    else:
        model = openvino.Core().read_model(path)
        assert str(model.input(0).partial_shape) == "[1,3,?,?]"
        inside = {key: model.get_rt_info(["nst", key]).astype(str) for key in metadata}
    assert inside == metadata
    assert inside["variant"] == variant


def test_wrong_pictures_are_noticed() -> None:
    network = build_model("v3")

    def grey(pixels: np.ndarray) -> np.ndarray:
        return np.full_like(pixels, 0.5)

    def wrong_size(pixels: np.ndarray) -> np.ndarray:
        return pixels[..., :-1]

    for run, words in ((grey, "differ by"), (wrong_size, "came back as")):
        with pytest.raises(ExportError, match=words):
            check(network, run, PHOTOS[:1])


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ExportError, match="pip install onnxscript"):
        export(build_model("v3"), {}, tmp_path / "v3.onnx", "onnx")


def test_command_line(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "orange").save(tmp_path / "photo.png")
    command = ("-m", "nst.export", "--variant", "v3", "--format", "openvino")
    result = run_python(*command, "-o", tmp_path, "--photos", tmp_path / "photo.png")
    assert result.returncode == 0, result.stderr
    assert "v3.xml: differs from eager PyTorch by" in result.stdout
    assert (tmp_path / "v3.bin").stat().st_size > 800_000
    failed = run_python(*command, "--checkpoints", tmp_path)
    assert failed.returncode == 1
    assert failed.stderr.startswith("nst.export: ")
    assert "Traceback" not in failed.stderr
