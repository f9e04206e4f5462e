"""Gradients of convolutions and reflection, computed faster on a CPU than PyTorch does.

oneDNN, which PyTorch calls, is slow at the gradient of some weights and has no fast form of a
depthwise transposed convolution in bf16; a compiler gathers reflection's gradient pixel by pixel.
The values are the same but for rounding.  `nst.fast` says where each is used.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Pair = tuple[int, int]
Form = tuple[Pair, Pair, Pair, bool, Pair, int]  # stride, padding, dilation, transposed, ...

FAST_COLUMNS = 3  # of a depthwise kernel; from 4 on oneDNN's gradient is ten times slower


class FastConvolution(torch.autograd.Function):
    """`torch.convolution`; `form` is all that it takes after the bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, form: Form) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.form = form
        return torch.convolution(x, weight, bias, *form)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, padding, _, transposed, output_padding, groups = ctx.form
        if groups > 1:
            to_weight = depthwise_weight_gradient(x, gradient, weight, stride)
        elif transposed:  # is a convolution from its result to its input
            ends = [(p, p - more) for p, more in zip(padding, output_padding, strict=True)]
            result = F.pad(gradient, ends[1] + ends[0])
            to_weight = weight_gradient(result, x, weight.shape[2:], stride)
        else:
            to_weight = weight_gradient(x, gradient, weight.shape[2:], stride)
        to_x = to_bias = None
        if ctx.needs_input_grad[0]:
            to_x = convolution_backward(gradient, x, weight, ctx.form, [True, False, False])[0]
        if ctx.needs_input_grad[2]:
            to_bias = gradient.sum((0, 2, 3))
        return to_x, to_weight, to_bias, None


def weight_gradient(x: Tensor, gradient: Tensor, kernel: Pair, stride: Pair) -> Tensor:
    """The gradient of a convolution's weights as one product of matrices.

    Args:
        x: the input, (N, C, H, W).
        gradient: of the result, (N, D, H', W').

    Returns:
        (D, C, rows, columns).
    """
    patches = x.permute(0, 2, 3, 1).unfold(1, kernel[0], stride[0]).unfold(2, kernel[1], stride[1])
    patches = patches.permute(0, 1, 2, 4, 5, 3)  # (N, H', W', rows, columns, C)
    product = gradient.permute(0, 2, 3, 1).flatten(0, 2).mT @ patches.flatten(0, 2).flatten(1)
    return product.unflatten(1, patches.shape[3:]).permute(0, 3, 1, 2)


def depthwise_weight_gradient(x: Tensor, gradient: Tensor, weight: Tensor, stride: Pair) -> Tensor:
    """The gradient of a depthwise convolution's weights, (C, 1, rows, columns), in slim pieces.

    Args:
        x: the input, (N, C, H, W).
        gradient: of the result, (N, C, H', W').
    """
    form = (stride, (0, 0), (1, 1), False, (0, 0), len(weight))
    places = (gradient.shape[-1] - 1) * stride[1]
    pieces = []
    for first in range(0, weight.shape[-1], FAST_COLUMNS):
        piece = weight[..., first : first + FAST_COLUMNS]
        seen = x[..., first : first + places + piece.shape[-1]]
        pieces.append(convolution_backward(gradient, seen, piece, form, [False, True, False])[1])
    return torch.cat(pieces, dim=-1)


def convolution_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, form: Form, wanted: list[bool]
) -> tuple[Tensor, ...]:
    """PyTorch's own gradients of input, weights and bias, as far as they are wanted."""
    return torch.ops.aten.convolution_backward(gradient, x, weight, None, *form, wanted)


class DepthwiseTransposed(torch.autograd.Function):
    """3×3, stride 2, padding 1, output padding 1, one group a channel, without bias, in bf16.

    (N, C, H, W) -> (N, C, 2H, 2W).  oneDNN has no fast bf16 form of it: 102 ms for 4×64×128×128
    on two AMX cores.  Zeros between the pixels and an ordinary depthwise convolution give the same
    numbers in 45 ms, less where a compiler writes the zeros; its gradients are fast as they are.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        n, channels, height, width = x.shape
        spread = F.pad(x[:, :, :, None, :, None], (0, 1, 0, 0, 0, 1))  # (N, C, H, 2, W, 2)
        spread = F.pad(spread.reshape(n, channels, 2 * height, 2 * width), (1, 1, 1, 1))
        spread = spread.contiguous(memory_format=torch.channels_last)
        return F.conv2d(spread, weight.flip(2, 3), groups=channels)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        form = ((2, 2), (1, 1), (1, 1), True, (1, 1), x.shape[1])
        return convolution_backward(gradient, x, weight, form, [True, True, False])[:2]


class Reflection(torch.autograd.Function):
    """Padding of all four sides by reflection: (N, C, H, W) -> (N, C, H + 2p, W + 2p)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, padding: int) -> Tensor:
        ctx.padding = padding
        return F.pad(x, (padding,) * 4, mode="reflect")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        inside = slice(ctx.padding, -ctx.padding)
        gradient = gradient.clone()
        fold_edges(gradient, ctx.padding)
        return gradient[:, :, inside, inside], None


@torch.library.custom_op("nst::fold_edges", mutates_args={"gradient"})
def fold_edges(gradient: Tensor, padding: int) -> None:
    """Add the borders of (N, C, H, W) to the pixels that they mirror, in place.

    An operator of its own, so that a compiler leaves it as it is.
    """
    for axis in (2, 3):
        last = gradient.shape[axis] - 1
        for border in range(padding):
            mirrored = 2 * padding - border
            for source, place in ((border, mirrored), (last - border, last - mirrored)):
                gradient.select(axis, place).add_(gradient.select(axis, source))


@fold_edges.register_fake
def _(gradient: Tensor, padding: int) -> None:
    return None
