from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from nst import paper
from nst.checkpoint import load_checkpoint
from nst.models import (
    ABLATIONS,
    VARIANTS,
    Architecture,
    TransformerNet,
    build_model,
    count_parameters,
)
from nst.paths import CHECKPOINTS

NOTED = json.loads((Path(__file__).parent / "noted" / "pictures.json").read_text())
UPSAMPLINGS = ("transposed", "transposed4", "resize")


def with_upsampling(name: str, upsampling: str) -> TransformerNet:
    return TransformerNet(replace(VARIANTS[name], upsampling=upsampling)).eval()


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("name", paper.PARAMETERS)
def test_parameter_counts_are_the_papers(name: str, upsampling: str) -> None:
    assert count_parameters(with_upsampling(name, upsampling)) == paper.PARAMETERS[name]


def test_v4_has_its_own() -> None:
    assert count_parameters(build_model("v4")) == 200_876
    assert list(VARIANTS) == [*paper.PARAMETERS, "v4"]


@pytest.mark.parametrize("name", ABLATIONS)
def test_each_network_of_the_ablation_differs_from_its_own_in_one_thing(name: str) -> None:
    network, of = build_model(name), VARIANTS[name.partition("-")[0]]
    same = [
        getattr(network.architecture, field.name) == getattr(of, field.name) for field in fields(of)
    ]
    assert same.count(False) == (name != "v4-nolattice")  # which is trained differently
    assert network.eval()(torch.rand(1, 3, 24, 18)).shape == (1, 3, 24, 18)


def test_v4_starts_without_a_grid() -> None:
    """A flat picture comes out flat, away from the borders: its head's four pixels are alike."""
    flat = torch.full((1, 3, 96, 96), 0.3)
    inside = build_model("v4").eval()(flat)[..., 40:56, 40:56]
    assert (inside.amax((2, 3)) - inside.amin((2, 3))).max() < 1e-4


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("name", VARIANTS)
def test_any_size_comes_out_as_it_went_in(name: str, upsampling: str) -> None:
    model = with_upsampling(name, upsampling)
    for height, width in [(16, 16), (17, 30), (64, 19), (33, 32)]:
        result = model(torch.rand(2, 3, height, width))
        assert result.shape == (2, 3, height, width)
        assert result.isfinite().all()


@pytest.mark.parametrize("name", NOTED)
def test_published_networks_paint_what_they_always_did(name: str) -> None:
    """Against values that an earlier version of the code gave, in float64 as here.

    `noted/pictures.json` holds every 11th row and 13th column of each channel.
    """
    y, x = torch.meshgrid(torch.arange(45.0).double(), torch.arange(58.0).double(), indexing="ij")
    red, green = 0.5 + 0.4 * torch.sin(x / 3 + y / 7), 0.5 + 0.4 * torch.cos(x * y / 90)
    photo = torch.stack([red, green, 0.5 + 0.3 * torch.sin(y / 2)])[None]
    network, _ = load_checkpoint(CHECKPOINTS / f"{name}.safetensors")
    picture = network.double()(photo)[0, :, ::11, ::13]
    expected = torch.tensor(NOTED[name], dtype=torch.float64).view_as(picture)
    assert (picture - expected).abs().max() < 1e-5


def test_too_small_and_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="15×40 px is too small"):
        build_model("v3")(torch.rand(1, 3, 40, 15))
    with pytest.raises(ValueError, match="unknown variant 'v9'"):
        build_model("v9")


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize(
    "shape", [(3, 37, 50), (37, 50), (1, 1, 3, 37, 50), (1, 4, 32, 32), (1, 3, 15, 16)]
)
def test_what_is_no_batch_of_pictures_is_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"pictures are \(N, 3, H, W\)|16×15 px is too small"):
        build_model(name)(torch.rand(shape))


def test_v3_has_no_ordinary_spatial_convolution() -> None:
    for layer in build_model("v3").modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) and layer.kernel_size != (1, 1):
            assert layer.groups == layer.in_channels == layer.out_channels


def test_the_baseline_is_what_an_architecture_is_at_first() -> None:
    assert VARIANTS["baseline"] == Architecture()
