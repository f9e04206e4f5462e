"""Exported networks run in their own runtimes, at any size, and make eager PyTorch's pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
import pytest
import torch
from PIL import Image

from nst import export as export_module
from nst.checkpoint import load_checkpoint
from nst.export import (
    ExportError,
    Format,
    Runner,
    check,
    check_photos,
    clamped,
    export,
    export_checked,
    load_exported,
    plan,
)
from nst.models import VARIANTS, TransformerNet, build_model
from nst.paths import CHECKPOINTS
from tests.helpers import random_picture, run_python

PHOTOS = [random_picture(64, 48), random_picture(97, 122, seed=1), random_picture(16, 16, seed=2)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "format"),
    [
        ("v3", "onnx"),
        ("baseline", "onnx"),
        ("v4", "onnx"),
        *((name, "openvino") for name in VARIANTS),
    ],
)
def test_exported_file_makes_the_same_pictures(
    variant: str, format: Format, tmp_path: Path
) -> None:
    network, metadata = load_checkpoint(CHECKPOINTS / f"{variant}.safetensors")
    suffix = "onnx" if format == "onnx" else "xml"
    path = export(network, metadata, tmp_path / "new" / f"{variant}.{suffix}", format)
    run = load_exported(path)
    assert check(network, run, PHOTOS) < 1 / 255
    assert_takes_batches_and_refuses_small_pictures(network, run)

    if format == "onnx":
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        assert session.get_inputs()[0].shape == ["batch", 3, "height", "width"]
        inside = session.get_modelmeta().custom_metadata_map
    else:
        model = openvino.Core().read_model(path)
        assert str(model.input(0).partial_shape) == "[?,3,16..,16..]"
        inside = {key: model.get_rt_info(["nst", key]).astype(str) for key in metadata}
    assert inside == metadata
    assert inside["variant"] == variant


def assert_takes_batches_and_refuses_small_pictures(network: TransformerNet, run: Runner) -> None:
    for shape in ((3, 3, 33, 47), (5, 3, 16, 20)):
        pixels = torch.rand(shape)
        with torch.inference_mode():
            expected = clamped(network)(pixels).numpy()
        np.testing.assert_allclose(run(pixels.numpy()), expected, atol=1e-3)
    for height, width in ((15, 16), (16, 15), (8, 200), (200, 4), (1, 1)):
        with pytest.raises(Exception, match=r"(?i)shape|bounds"):
            run(np.zeros((1, 3, height, width), np.float32))


def test_wrong_pictures_are_noticed() -> None:
    network = build_model("v3")

    def grey(pixels: np.ndarray) -> np.ndarray:
        return np.full_like(pixels, 0.5)

    def wrong_size(pixels: np.ndarray) -> np.ndarray:
        return pixels[..., :-1]

    for run, words in ((grey, "differ by"), (wrong_size, "came back as")):
        with pytest.raises(ExportError, match=words):
            check(network, run, PHOTOS[:1])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_noticed(value: float) -> None:
    """In one photo's pictures of several, and where eager PyTorch has them, too."""
    network = build_model("v4").eval()

    def broken_once(pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            result = clamped(network)(torch.from_numpy(pixels)).numpy()
        result[0, 0, 0, 0] = value if result.shape[2] == 16 else result[0, 0, 0, 0]
        return result

    for photos in (PHOTOS, PHOTOS[::-1]):
        with pytest.raises(ExportError, match="no numbers"):
            check(network, broken_once, photos)


def test_a_network_of_nan_is_not_exported(tmp_path: Path) -> None:
    network = build_model("v4").eval()
    torch.nn.init.constant_(network.decoder[-2][-1].bias, float("nan"))
    with pytest.raises(ExportError, match="no numbers"):
        export_checked(network, {}, tmp_path / "v4.xml", "openvino", PHOTOS[2:])
    assert list(tmp_path.iterdir()) == []


def test_a_file_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").mkdir()
    for out, expected in {
        f"{tmp_path}/x.onnx": "x.onnx",
        f"{tmp_path}/x.onnx/": "x.onnx/v3.onnx",
        f"{tmp_path}/a.onnx": "a.onnx/v3.onnx",
        f"{tmp_path}/x": "x/v3.onnx",
        f"{tmp_path}": "v3.onnx",
    }.items():
        assert plan(out, ["v3"], ".onnx") == {"v3": tmp_path / expected}
    assert plan(".", ["v3", "v4"], ".xml") == {"v3": Path("v3.xml"), "v4": Path("v4.xml")}
    with pytest.raises(ValueError, match="several networks need a folder"):
        plan("x.onnx", ["v3", "v4"], ".onnx")
    with pytest.raises(ValueError, match=r"this format ends in \.xml"):
        plan("x.onnx", ["v3"], ".xml")


def test_small_pictures_that_are_taken_are_noticed() -> None:
    network = build_model("v3").eval()

    def generous(pixels: np.ndarray) -> np.ndarray:
        if min(pixels.shape[2:]) < 16:
            return pixels
        with torch.inference_mode():
            return clamped(network)(torch.from_numpy(pixels)).numpy()

    with pytest.raises(ExportError, match="takes 16×15 px, which the network refuses"):
        check(network, generous, PHOTOS[:1])


@pytest.mark.parametrize("size", [(16, 16), (21, 400), (17, 21), (21, 22)])
def test_any_photo_that_can_be_read_can_be_checked_with(
    size: tuple[int, int], tmp_path: Path
) -> None:
    random_picture(*size).save(tmp_path / "photo.png")
    photos = check_photos([tmp_path / "photo.png"])
    assert len(photos) == 2
    assert min(min(photo.size) for photo in photos) >= 16


@pytest.mark.parametrize("error", [ExportError, OSError, RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("before", [False, True])
def test_whatever_fails_the_file_goes(
    error: type[BaseException], before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was there stays, in OpenVINO's pair of files too."""

    def fail(*_: object) -> float:
        raise error("something")

    network = build_model("v4").eval()
    path = tmp_path / "v4.xml"
    if before:
        export_checked(network, {}, path, "openvino", PHOTOS[2:])
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert set(files) == ({"v4.xml", "v4.bin"} if before else set())
    monkeypatch.setattr(export_module, "check", fail)
    expected = ExportError if error is RuntimeError else error
    with pytest.raises(expected, match="something"):
        export_checked(build_model("v4").eval(), {}, path, "openvino", PHOTOS[2:])
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ExportError, match="pip install onnxscript"):
        export(build_model("v3"), {}, tmp_path / "v3.onnx", "onnx")


@pytest.mark.slow
def test_command_line(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "orange").save(tmp_path / "photo.png")
    command = ("-m", "nst.export", "--variant", "v3", "--format", "openvino")
    result = run_python(*command, "-o", tmp_path / "x.xml", "--photos", tmp_path / "photo.png")
    assert result.returncode == 0, result.stderr
    assert "x.xml: differs from eager PyTorch by" in result.stdout
    assert (tmp_path / "x.xml").is_file()
    assert (tmp_path / "x.bin").stat().st_size > 800_000


def test_what_fails_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["--variant", "v3", "--format", "openvino", "--checkpoints", str(tmp_path)]
    assert export_module.main(command) == 1
    said = capsys.readouterr().err
    assert said.startswith("nst.export: ")
    assert said.count("\n") == 1
