"""Weights of VGG-16: the user's, torchvision's, and files that are neither."""

from __future__ import annotations

import hashlib
import urllib.error
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from nst.vgg import load_vgg16


def test_vgg_matches_torchvision(tmp_path: Path) -> None:
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    features = torchvision.models.vgg16(weights=None).features[:16].eval()
    state = {f"features.{name}": value for name, value in features.state_dict().items()}
    torch.save(state, tmp_path / "vgg.pth")
    vgg = load_vgg16(tmp_path / "vgg.pth")
    pixels = torch.rand(1, 3, 32, 32)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = features((pixels - mean.view(3, 1, 1)) / std.view(3, 1, 1))
    torch.testing.assert_close(vgg(pixels, ["relu3_3"])["relu3_3"], expected, rtol=1e-4, atol=1e-5)


def test_unreadable_weights_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file"):
        load_vgg16(tmp_path / "none.pth")
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="not a readable weights file"):
        load_vgg16(tmp_path / "bad.safetensors")
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="no VGG-16 weights"):
        load_vgg16(tmp_path / "other.safetensors")


def assert_refused(path: Path, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load_vgg16(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_random_bytes_and_lists_are_refused_in_one_line(tmp_path: Path) -> None:
    for number in range(8):  # what pickle says about them differs
        noise = torch.randint(256, (300,), generator=torch.Generator().manual_seed(number))
        (tmp_path / "noise.pth").write_bytes(bytes(noise.tolist()))
        assert_refused(tmp_path / "noise.pth", "not a readable weights file")
    torch.save([torch.zeros(3)], tmp_path / "list.pth")
    assert_refused(tmp_path / "list.pth", "holds a list, not weights by name")


def test_weights_of_another_network_are_refused(tiny_vgg_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    whole = load_file(tiny_vgg_file)
    vgg19 = {**whole, "features.16.weight": torch.zeros(8, 8, 3, 3)}  # VGG-16's 15th is a pooling
    gap = {name: value for name, value in whole.items() if not name.startswith("features.5.")}
    for state in (vgg19, gap):
        save_file(state, path)
        assert_refused(path, r"features\.\d+\.(weight|bias) does not belong to VGG-16")
    for shape in ((), (4,), (4, 3, 5, 5), (4, 7, 3, 3)):
        save_file({**whole, "features.0.weight": torch.zeros(shape)}, path)
        assert_refused(path, r"features\.0\.weight has a shape that VGG-16 has not")
    save_file({**whole, "features.2.bias": torch.full((4,), float("nan"))}, path)
    assert_refused(path, "NaN")


@pytest.fixture
def cached(
    tiny_vgg_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, bytes]:
    """Where torchvision's weights would lie, and small ones with the hash that is expected."""
    from torchvision.models import VGG16_Weights

    torch.save(load_file(tiny_vgg_file), tmp_path / "vgg.pth")
    data = (tmp_path / "vgg.pth").read_bytes()
    name = f"vgg16-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    url = f"https://download.example/models/{name}"
    monkeypatch.setattr(VGG16_Weights.IMAGENET1K_V1.value, "url", url)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    path = tmp_path / "hub" / "checkpoints" / name
    path.parent.mkdir(parents=True)
    return path, data


def test_torchvisions_weights_are_taken_from_its_cache(cached: tuple[Path, bytes]) -> None:
    path, data = cached
    path.write_bytes(data)
    assert "relu3_3" in load_vgg16().positions


@pytest.mark.parametrize("spoil", [lambda data: data[:900], lambda data: data + b"x"])
def test_other_bytes_in_torchvisions_cache_are_refused(
    cached: tuple[Path, bytes], spoil: object
) -> None:
    path, data = cached
    assert callable(spoil)
    path.write_bytes(spoil(data))
    with pytest.raises(ValueError, match=r"not torchvision's VGG-16 weights.*--vgg-weights") as e:
        load_vgg16()
    assert str(path) in str(e.value)


def test_without_a_network_it_says_what_to_download_and_where_it_goes(
    cached: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = cached

    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(ValueError, match="no network") as caught:
        load_vgg16()
    for part in (f"https://download.example/models/{path.name}", str(path), "--vgg-weights"):
        assert part in str(caught.value)


def test_a_margin_is_reflected_and_taken_off_again(tiny_vgg_file: Path) -> None:
    pixels = torch.rand(1, 3, 40, 56)
    names = ["relu1_2", "relu2_2", "relu3_3"]
    wider = load_vgg16(tiny_vgg_file, margin=8)(pixels, names)
    padded = torch.nn.functional.pad(pixels, (8, 8, 8, 8), mode="reflect")
    plain = load_vgg16(tiny_vgg_file)(padded, names)
    for name, margin in zip(names, (8, 4, 2), strict=True):
        inside = plain[name][..., margin:-margin, margin:-margin]
        assert torch.equal(wider[name], inside)
    for margin in (6, -4):
        with pytest.raises(ValueError, match=f"{margin} px: must be a multiple of 4"):
            load_vgg16(tiny_vgg_file, margin=margin)(pixels, names)


def test_pooling_by_averages(tiny_vgg_file: Path) -> None:
    pixels = torch.rand(1, 3, 32, 32)
    vgg = load_vgg16(tiny_vgg_file, "average")
    features = vgg(pixels, ["relu1_2", "relu2_1"])
    pooled = torch.nn.functional.avg_pool2d(features["relu1_2"], 2)
    convolution, relu = vgg.layers[5:7]
    torch.testing.assert_close(features["relu2_1"], relu(convolution(pooled)))
    assert not vgg.is_plain
    assert not load_vgg16(tiny_vgg_file, margin=4).is_plain
    assert load_vgg16(tiny_vgg_file).is_plain
