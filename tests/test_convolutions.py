from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nst.convolutions import Conv2d, ConvTranspose2d, NarrowConv2d

FORMS = {
    "3×3": lambda conv: conv(5, 7, 3),
    "without bias": lambda conv: conv(5, 7, 3, bias=False),
    "3×2, stride 2×1": lambda conv: conv(5, 7, (3, 2), stride=(2, 1)),
    "9×9, taken as it is": lambda conv: conv(5, 7, 9),
    "padded, taken as it is": lambda conv: conv(5, 7, 3, padding=1),
    "depthwise 9×9": lambda conv: conv(6, 6, 9, groups=6, bias=False),
    "depthwise 5×7, stride 2": lambda conv: conv(6, 6, (5, 7), stride=2, groups=6),
    "depthwise 3×3, taken as it is": lambda conv: conv(6, 6, 3, groups=6),
    "two groups, taken as it is": lambda conv: conv(6, 4, 5, groups=2),
    "dilated, taken as it is": lambda conv: conv(5, 7, 3, dilation=2),
}
TRANSPOSED = {
    "doubling": {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
    "4×4": {"kernel_size": 4, "stride": 2, "padding": 1},
    "unequal": {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)},
    "dilated, taken as it is": {"kernel_size": 3, "stride": 2, "dilation": 2},
}


def check(ours: nn.Module, theirs: nn.Module, x: Tensor) -> None:
    """Same state dict, results and gradients, while training and afterwards."""
    theirs.load_state_dict(ours.state_dict())
    x.requires_grad_()
    results = [conv.train()(x) for conv in (ours, theirs)]
    torch.testing.assert_close(*results)
    towards = torch.randn_like(results[0])
    gradients = [
        torch.autograd.grad(result, [x, *conv.parameters()], towards)
        for result, conv in zip(results, (ours, theirs), strict=True)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.eval()(x), results[1])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("form", FORMS)
def test_convolutions_train_as_pytorchs(form: str, layout: torch.memory_format) -> None:
    ours = FORMS[form](Conv2d)
    x = torch.randn(2, ours.in_channels, 21, 18).contiguous(memory_format=layout)
    check(ours, FORMS[form](nn.Conv2d), x)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("form", TRANSPOSED)
def test_transposed_convolutions_train_as_pytorchs(form: str, layout: torch.memory_format) -> None:
    ours, theirs = (
        conv(5, 7, **TRANSPOSED[form]) for conv in (ConvTranspose2d, nn.ConvTranspose2d)
    )
    check(ours, theirs, torch.randn(2, 5, 9, 6).contiguous(memory_format=layout))


def test_narrow_convolution_trains_as_an_ordinary_one() -> None:
    check(NarrowConv2d(6, 3, 5), nn.Conv2d(6, 3, 5), torch.randn(2, 6, 14, 11))


def test_the_picture_needs_no_gradient() -> None:
    conv = Conv2d(3, 4, 3).train()
    conv(torch.randn(1, 3, 8, 8)).sum().backward()
    assert conv.weight.grad is not None


def test_in_bf16_it_is_pytorchs() -> None:
    conv, x = Conv2d(3, 4, 3).train(), torch.randn(1, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        result = conv(x)
    assert result.dtype == torch.bfloat16
    assert "_Convolution" not in result.grad_fn.name()
