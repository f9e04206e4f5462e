from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nst.fast import NarrowConv2d, RepeatPixels, WideDepthwiseConv2d, fast, fast_layer
from nst.models import VARIANTS, build_model

FORMS = {  # name: PyTorch's layer, and ours that takes its place, if one does
    "3×3": (nn.Conv2d(5, 17, 3), nn.Conv2d),
    "depthwise 9×9": (nn.Conv2d(6, 6, 9, groups=6, bias=False), WideDepthwiseConv2d),
    "depthwise 5×7, stride 2": (
        nn.Conv2d(6, 6, (5, 7), stride=2, groups=6, bias=False),
        WideDepthwiseConv2d,
    ),
    "depthwise 3×3, taken as it is": (nn.Conv2d(6, 6, 3, groups=6, bias=False), nn.Conv2d),
    "depthwise with bias, taken as it is": (nn.Conv2d(6, 6, 5, groups=6), nn.Conv2d),
    "dilated, taken as it is": (
        nn.Conv2d(6, 6, 5, dilation=2, groups=6, bias=False),
        nn.Conv2d,
    ),
    "narrow": (nn.Conv2d(6, 3, 5), NarrowConv2d),
    "narrow, dilated, taken as it is": (nn.Conv2d(6, 3, 5, dilation=2), nn.Conv2d),
    "doubling": (nn.ConvTranspose2d(5, 7, 3, 2, padding=1, output_padding=1), nn.ConvTranspose2d),
}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("form", FORMS)
def test_they_train_as_pytorchs(form: str, layout: torch.memory_format) -> None:
    theirs, kind = FORMS[form]
    ours = fast_layer(theirs)
    assert type(ours) is kind
    x = torch.randn(2, ours.in_channels, 21, 18).contiguous(memory_format=layout).requires_grad_()
    results = [conv.train()(x) for conv in (ours, theirs)]
    torch.testing.assert_close(*results)
    towards = torch.randn_like(results[0])
    gradients = [
        torch.autograd.grad(result, [x, *conv.parameters()], towards)
        for result, conv in zip(results, (ours, theirs), strict=True)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.eval()(x), results[1])


@pytest.mark.parametrize("form", ["depthwise 9×9", "narrow"])
def test_the_picture_needs_no_gradient(form: str) -> None:
    conv = fast_layer(FORMS[form][0]).train()
    conv(torch.randn(1, 6, 12, 12)).sum().backward()
    assert conv.weight.grad is not None


def test_wide_depthwise_kernels_in_bf16_are_near_fp32() -> None:
    conv = fast_layer(FORMS["depthwise 9×9"][0])
    torch.manual_seed(0)
    x = torch.randn(2, 6, 20, 24).contiguous(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        ours = conv.train()(x)
    assert "Depthwise" in ours.grad_fn.name()
    theirs = conv.eval()(x)
    assert ours.dtype == torch.bfloat16
    towards = torch.randn_like(theirs)
    gradients = [
        torch.autograd.grad(result, [x, conv.weight], towards.to(result.dtype))
        for result in (ours, theirs)
    ]
    for one, other in zip((ours, *gradients[0]), (theirs, *gradients[1]), strict=True):
        assert one.shape == other.shape
        assert F.cosine_similarity(one.float().flatten(), other.flatten(), dim=0) > 0.9999


@pytest.mark.parametrize("size", [(9, 12), (20, 17)])
def test_repeated_pixels_train_as_pytorchs(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    ours, theirs = RepeatPixels(scale_factor=2), nn.Upsample(scale_factor=2)
    results = ours.train()(x), theirs(x)
    assert torch.equal(*results)
    towards = torch.randn_like(results[0])
    gradients = (torch.autograd.grad(result, x, towards)[0] for result in results)
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_fast_network_is_the_same_function_of_the_same_parameters(name: str) -> None:
    torch.manual_seed(0)
    network = build_model(name).double()
    ours = fast(network)
    assert list(ours.state_dict()) == list(network.state_dict())
    mine, theirs = (dict(model.named_parameters()) for model in (ours, network))
    assert all(mine[key] is theirs[key] for key in theirs)
    x = torch.rand(2, 3, 17, 20, dtype=torch.float64)
    results = ours(x), network(x)
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-9)
    towards = torch.randn_like(results[0])
    gradients = (torch.autograd.grad(result, list(theirs.values()), towards) for result in results)
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-6)
    with torch.inference_mode():
        torch.testing.assert_close(ours.eval()(x), network.eval()(x), rtol=1e-9, atol=1e-9)


def test_norms_of_large_pictures_keep_their_digits() -> None:
    """PyTorch's group norm is off by 0.12 here, on a CPU with AVX2."""
    generator = torch.Generator().manual_seed(0)
    x = 5 + 0.1 * torch.randn(1, 8, 700, 900, generator=generator)
    x = x.to(memory_format=torch.channels_last)
    exact = F.instance_norm(x.double())
    assert (fast_layer(nn.InstanceNorm2d(8, affine=True))(x) - exact).abs().max() < 2e-3
