"""The networks' layers, faster on a CPU than PyTorch's: the same function and parameters.

`fast(network)` puts them in the place of PyTorch's own.  Everywhere: instance norm as group norm
with one channel in each group (30 % faster), ReLU and sums in place, channels last in memory.
While training in fp32 on a CPU also the gradients of weights at which oneDNN, which PyTorch calls,
is slow.  Milliseconds on two AVX2 cores, batch of 4:

    layer                        gradient of         oneDNN    here
    128 3×3 kernels, 128×66×66   input and weights      168     100
    64 3×3 kernels, 32×258×258,
    stride 2                     input and weights      182      49
    32 depthwise 9×9 kernels,
    32×264×264                   weights                386      45
"""

from __future__ import annotations

import ctypes
import platform
from collections import OrderedDict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.models import ResidualBlock, TransformerNet

Pair = tuple[int, int]
Form = tuple[Pair, Pair, Pair, bool, Pair, int]  # stride, padding, dilation, transposed, ...

FAST_COLUMNS = 3  # of a depthwise kernel; from 4 on oneDNN's gradient is ten times slower
NARROW = 16  # output channels that a CPU's kernels work on at a time

# Parameters of mallopt, from glibc's malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
TOP_PAD = 256 * 2**20  # bytes, asked of the system at a time


def fast(network: TransformerNet) -> TransformerNet:
    """An equal network that is faster on a CPU: (N, 3, H, W) -> the same, within rounding.

    It shares the parameters of `network`, so that training either trains both, and puts them into
    channels-last order; names in the state dict are the same.
    """
    return FastTransformerNet(network).to(memory_format=torch.channels_last)


class FastTransformerNet(TransformerNet):
    """A `TransformerNet` of fast layers; see `fast`."""

    def __init__(self, network: TransformerNet) -> None:
        nn.Module.__init__(self)
        self.architecture = network.architecture
        for name, part in network.named_children():
            self.add_module(name, fast_layer(part))
        self.train(network.training)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.contiguous(memory_format=torch.channels_last))


class FastResidualBlock(ResidualBlock):
    """A `ResidualBlock` whose sum takes no memory of its own."""

    def __init__(self, block: ResidualBlock) -> None:
        nn.Module.__init__(self)
        for name, part in block.named_children():
            self.add_module(name, fast_layer(part))

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.norm1(self.conv1(x)))
        return self.norm2(self.conv2(y)).add_(x)


def fast_layer(module: nn.Module) -> nn.Module:
    """The fast form of a layer of `nst.models`, with its parameters; itself where there is none."""
    match module:
        case nn.Sequential():
            parts = {name: fast_layer(part) for name, part in module.named_children()}
            return nn.Sequential(OrderedDict(parts))
        case ResidualBlock():
            return FastResidualBlock(module)
        case nn.InstanceNorm2d():
            norm = nn.GroupNorm(module.num_features, module.num_features, module.eps)
            norm.weight, norm.bias = module.weight, module.bias
            return norm
        case nn.ReLU():
            return nn.ReLU(inplace=True)
        case nn.Conv2d():
            return _with_parameters_of(module, NarrowConv2d if is_narrow(module) else Conv2d)
        case nn.ConvTranspose2d():
            return _with_parameters_of(module, ConvTranspose2d)
    return module


def is_narrow(convolution: nn.Conv2d) -> bool:
    """Whether it pays to compute it row by row of its kernel; see `NarrowConv2d`."""
    several_rows = convolution.kernel_size[0] > 1 and convolution.bias is not None
    return convolution.out_channels < NARROW and convolution.groups == 1 and several_rows


def _with_parameters_of(
    module: nn.Conv2d | nn.ConvTranspose2d, kind: type[nn.Conv2d] | type[nn.ConvTranspose2d]
) -> nn.Module:
    settings = {name: getattr(module, name) for name in ("stride", "padding", "dilation", "groups")}
    if isinstance(module, nn.ConvTranspose2d):
        settings["output_padding"] = module.output_padding
    channels = module.in_channels, module.out_channels
    bias = module.bias is not None
    layer = kind(*channels, module.kernel_size, bias=bias, device="meta", **settings)
    layer.weight, layer.bias = module.weight, module.bias
    return layer


def keep_freed_memory() -> bool:
    """From now on this process keeps freed memory for the next activation.

    glibc maps every block above 32 MB anew and gives it back when it is freed, so that eager
    PyTorch pays for fresh, cleared pages with nearly every layer of a large picture.  Kept memory
    is faster, but stays with the process and falls into pieces: tiles of 6000×4000 px were 3 to
    11 % faster with it and took 3.9 to 4.3 instead of 2.9 GiB.  So training on a CPU keeps it and
    the benchmark does when asked to, but neither the page nor the command line.

    The same from outside, before Python starts: MALLOC_MMAP_MAX_=0
    MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_TOP_PAD_=268435456.

    Returns:
        False where that is not glibc's to decide.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    settings = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: TOP_PAD}
    return all(libc.mallopt(name, value) == 1 for name, value in settings.items())


class Conv2d(nn.Conv2d):
    """A convolution without padding whose weights' gradient is fast."""

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = self.kernel_size
        if self.groups == 1:
            slow = rows * columns <= 9
        else:
            slow = columns > FAST_COLUMNS and self.groups == self.in_channels == self.out_channels
        if not (slow and self.padding == (0, 0) and _trains_here(self, x)):
            return super().forward(x)
        form = (self.stride, self.padding, self.dilation, False, (0, 0), self.groups)
        return _Convolution.apply(x, self.weight, self.bias, form)


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution whose weights' gradient is fast."""

    def forward(self, x: Tensor) -> Tensor:
        if not (self.groups == 1 and _trains_here(self, x)):
            return super().forward(x)
        form = (self.stride, self.padding, self.dilation, True, self.output_padding, self.groups)
        return _Convolution.apply(x, self.weight, self.bias, form)


class NarrowConv2d(nn.Conv2d):
    """A k×k convolution to few channels, stride 1, that trains faster on a CPU.

    CPU kernels work on 16 output channels at a time, so 3 cost as much as 16.  While training,
    the k rows of the kernel are taken as k·out channels of one 1×k convolution, and its results
    are added up, each shifted by its row: the same sum in another order, the same parameters.
    Measured on 4×32×264×264 with a 9×9 kernel to 3 channels, forward and backward on two cores:
    71 ms instead of 158 ms.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        out_channels, in_channels, rows, columns = self.weight.shape
        kernels = self.weight.permute(2, 0, 1, 3).reshape(-1, in_channels, 1, columns)
        row_results = F.conv2d(x, kernels).unflatten(1, (rows, out_channels)).unbind(1)
        height = x.shape[2] - rows + 1
        y = self.bias[:, None, None]
        for row, result in enumerate(row_results):
            y = y + result[:, :, row : row + height]
        return y


def _trains_here(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> bool:
    """In training, on a CPU, in fp32, and without the dilation that is not provided for."""
    in_fp32 = x.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
    return layer.training and in_fp32 and layer.dilation == (1, 1)


class _Convolution(torch.autograd.Function):
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
            to_x = _backward(gradient, x, weight, ctx.form, [True, False, False])[0]
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
        pieces.append(_backward(gradient, seen, piece, form, [False, True, False])[1])
    return torch.cat(pieces, dim=-1)


def _backward(
    gradient: Tensor, x: Tensor, weight: Tensor, form: Form, wanted: list[bool]
) -> tuple[Tensor, ...]:
    """PyTorch's own gradients of input, weights and bias, as far as they are wanted."""
    return torch.ops.aten.convolution_backward(gradient, x, weight, None, *form, wanted)
