"""The loss with a gradient of its own is the plain loss."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nst.loss import LossSettings, PerceptualLoss
from nst.pictures.tensors import to_tensor
from nst.training.fast_loss import FastLoss, gather, nchw, nhwc
from nst.vgg import VGGFeatures, load_vgg16
from tests.helpers import random_picture

# Gram matrices at two layers of a block, behind the content layer, and at half size.
STYLE_LAYERS = ("relu1_2", "relu2_1", "relu3_1", "relu1_2/2", "relu3_3/2")
WIDTHS = {0: 16, 2: 16, 5: 32, 7: 32, 10: 48, 12: 48, 14: 48}


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    """Compiling takes a minute, and one test does it."""
    with torch.compiler.set_stance("force_eager"):
        yield


@pytest.fixture
def vgg(tmp_path: Path) -> VGGFeatures:
    """VGG-16 up to relu3_3, as wide as a rounding error needs to average out."""
    torch.manual_seed(0)
    weights, channels = {}, 3
    for position, width in WIDTHS.items():
        weight = torch.randn(width, channels, 3, 3) * (2 / (9 * channels)) ** 0.5
        weights[f"features.{position}.weight"] = weight
        weights[f"features.{position}.bias"] = torch.rand(width) / 10
        channels = width
    save_file(weights, tmp_path / "vgg.safetensors")
    return load_vgg16(tmp_path / "vgg.safetensors")


def terms_and_gradient(
    loss: PerceptualLoss | FastLoss, pictures: torch.Tensor, photos: torch.Tensor, in_bf16: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    pictures = pictures.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=in_bf16):
        terms = loss(pictures, loss.content_target(photos))
    terms.total.backward()
    assert pictures.grad is not None
    return torch.stack(terms).detach(), pictures.grad


def make_loss(vgg: VGGFeatures) -> PerceptualLoss:
    settings = LossSettings(
        style_layers=STYLE_LAYERS, content_weight=2.0, style_weight=3.0, lattice_weight=50.0
    )
    return PerceptualLoss(vgg, to_tensor(random_picture(60, 50)), settings)  # unlike the pictures


# 48 is halved evenly all the way down, 54 is odd before the second pooling.
@pytest.mark.parametrize("side", [48, 54])
def test_in_fp32_it_is_the_plain_loss(vgg: VGGFeatures, side: int) -> None:
    loss = make_loss(vgg)
    pictures, photos = torch.rand(2, 2, 3, side, side)
    terms, gradient = terms_and_gradient(FastLoss(loss, torch.float32), pictures, photos, False)
    plain_terms, plain_gradient = terms_and_gradient(loss, pictures, photos, False)
    torch.testing.assert_close(terms, plain_terms, rtol=1e-4, atol=0)
    difference = (gradient - plain_gradient).norm() / plain_gradient.norm()
    assert difference < 1e-4


def test_of_equal_pixels_the_same_one_is_pooled() -> None:
    y = torch.randint(1, 3, (2, 3, 8, 8)).float().requires_grad_()  # full of ties
    pooled = torch.nn.functional.max_pool2d(y, 2)
    towards = torch.randn_like(pooled)
    pooled.backward(towards)
    ours = gather(nhwc(y.detach()), nhwc(towards), nhwc(pooled.detach()), None, None, None)
    assert y.grad is not None
    assert torch.equal(nchw(ours), y.grad)


def test_in_bf16_it_is_as_good_as_autocast(vgg: VGGFeatures) -> None:
    loss = make_loss(vgg)
    pictures, photos = torch.rand(2, 2, 3, 64, 64)
    terms, gradient = terms_and_gradient(FastLoss(loss, torch.bfloat16), pictures, photos, True)
    plain_terms, plain_gradient = terms_and_gradient(loss, pictures, photos, True)
    torch.testing.assert_close(terms, plain_terms, rtol=1e-3, atol=0)
    _, exact = terms_and_gradient(loss, pictures, photos, False)
    cosines = (
        torch.cosine_similarity(one.flatten(), exact.flatten(), dim=0)
        for one in (gradient, plain_gradient)
    )
    ours, autocasts = cosines
    assert ours > autocasts - 1e-4
    assert ours > 0.99


def test_without_a_gradient_it_gives_the_same_terms(vgg: VGGFeatures) -> None:
    loss = make_loss(vgg)
    fast = FastLoss(loss, torch.float32)
    pictures, photos = torch.rand(2, 2, 3, 48, 48)
    terms, _ = terms_and_gradient(fast, pictures, photos, False)
    with torch.no_grad():
        again = torch.stack(fast(pictures, fast.content_target(photos)))
    assert torch.equal(again, terms)
