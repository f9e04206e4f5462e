"""A painting is data: networks that have learned another one than The Starry Night."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.models import VGG16_Weights

from nst import checkpoint, stylize, vgg
from nst.checkpoint import load_painting, paintings, save_checkpoint, title_of
from nst.files import sha256
from nst.models import build_model
from nst.pictures.tensors import to_picture, to_tensor
from nst.training import pace
from nst.training.settings import Settings
from tests.helpers import random_picture


@pytest.fixture
def wave(tmp_path: Path) -> Path:
    path = tmp_path / "paintings" / "great_wave.safetensors"
    save_checkpoint(path, build_model("v4"), "v4")
    return path


def test_a_checkpoint_knows_its_painting(wave: Path) -> None:
    assert load_painting(wave)[1:] == ("v4", "Great wave", sha256(wave))
    save_checkpoint(wave, build_model("v3"), "v3", painting="The Great Wave off Kanagawa")
    assert load_painting(wave)[1:3] == ("v3", "The Great Wave off Kanagawa")
    assert title_of(Path("my_own--picture.png")) == "My own picture"
    assert paintings(wave.parent) == {"great_wave": wave}
    assert paintings(wave.parent / "nowhere") == {}


@pytest.mark.parametrize("by_name", [True, False])
def test_photos_are_stylized_after_another_painting(
    wave: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_name: bool
) -> None:
    monkeypatch.setattr(stylize, "paintings", lambda: checkpoint.paintings(wave.parent))
    photo = random_picture(40, 32)
    photo.save(tmp_path / "photo.png")
    chosen = ["--painting", "great_wave"] if by_name else ["--weights", str(wave)]
    out = f"{tmp_path / 'out'}/"
    stylize.main([str(tmp_path / "photo.png"), "-o", out, "--engine", "eager", *chosen])
    with torch.inference_mode():
        expected = to_picture(load_painting(wave).network(to_tensor(photo)[None])[0])
    result = Image.open(tmp_path / "out" / "photo-great_wave.png")
    difference = to_tensor(result) - to_tensor(expected)
    assert difference.abs().max() <= 1.01 / 255


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (["--painting", "mona_lisa"], "invalid choice: 'mona_lisa'"),
        (["--weights", "nowhere.safetensors"], "nowhere.safetensors: no such checkpoint"),
        (["--weights", "w.safetensors", "--variant", "v1"], "not allowed with"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture, chosen: list[str], words: str
) -> None:
    with pytest.raises(SystemExit):
        stylize.main(["photo.png", "-o", str(tmp_path / "out.png"), *chosen])
    assert words in capsys.readouterr().err


def test_a_download_is_known_while_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert VGG16_Weights.IMAGENET1K_V1.url.endswith(f"/{vgg.DOWNLOAD}")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(vgg, "DOWNLOAD_BYTES", 8)
    assert vgg.downloaded() == 0
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / f"{vgg.DOWNLOAD}.0123.partial").write_bytes(b"half")
    assert vgg.downloaded() == 0.5
    (folder / vgg.DOWNLOAD).write_bytes(b"all of it")
    assert vgg.downloaded() == 1


def test_this_machines_pace_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Settings(photo_side=32, style_side=32, batch_size=1)
    monkeypatch.setattr(pace, "settings_for", lambda variant, given: small)
    assert 0 < pace.seconds_a_step("v4") < 60
