from __future__ import annotations

import pytest
import torch
from torch import nn

from nst.layers import instance_norm
from nst.models import DECODERS, VARIANTS, build_model, count_parameters

PAPER_PARAMETERS = {"baseline": 1_679_235, "v1": 381_315, "v2": 292_796, "v3": 207_865}


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("name", VARIANTS)
def test_parameter_counts_are_the_papers(name: str, decoder: str) -> None:
    assert count_parameters(build_model(name, decoder)) == PAPER_PARAMETERS[name]


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("name", VARIANTS)
def test_any_size_comes_out_as_it_went_in(name: str, decoder: str) -> None:
    model = build_model(name, decoder).eval()
    for height, width in [(16, 16), (17, 30), (64, 19), (33, 32)]:
        result = model(torch.randn(2, 3, height, width))
        assert result.shape == (2, 3, height, width)
        assert result.isfinite().all()


def test_too_small_and_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="15×40 px is too small"):
        build_model("v3")(torch.randn(1, 3, 40, 15))
    with pytest.raises(ValueError, match="unknown variant 'v4'"):
        build_model("v4")
    with pytest.raises(ValueError, match="unknown decoder"):
        build_model("v3", "bilinear")


def test_v3_has_no_ordinary_spatial_convolution() -> None:
    for layer in build_model("v3").modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) and layer.kernel_size != (1, 1):
            assert layer.groups == layer.in_channels == layer.out_channels


def test_instance_norm_is_pytorchs() -> None:
    ours, theirs = instance_norm(5), nn.InstanceNorm2d(5, affine=True)
    nn.init.normal_(ours.weight)
    nn.init.normal_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 5, 9, 7) * 30 + 4
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)
