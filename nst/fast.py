"""The networks' layers, faster on a CPU than PyTorch's: the same function and parameters.

`fast(network)` puts them in the place of PyTorch's own.  Everywhere: instance norm as group norm
with one channel in each group (30 % faster), ReLU and sums in place, channels last in memory.
While training on a CPU also the two layers at which oneDNN, which PyTorch calls, is slow: those to
few channels, and depthwise ones with wide kernels.
"""

from __future__ import annotations

import copy
import ctypes
import platform
from collections import OrderedDict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.models import ResidualBlock, TransformerNet

CENTRED_PIXELS = 200_000  # of an activation; from here on norms take care of their digits
NARROW = 16  # output channels that a CPU's kernels work on at a time
FAST_COLUMNS = 3  # of a depthwise kernel; from 4 on oneDNN's gradient is up to ten times slower

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


class FastInstanceNorm(nn.GroupNorm):
    """Instance norm, as group norm: one channel in each group.

    With channels last PyTorch takes the variance of sums of squares in float32, of which a large
    picture leaves nothing where a channel's mean is far from 0; so a rough one is taken away first.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x[0, 0].numel() >= CENTRED_PIXELS:
            x = x - x[:, :, ::16, ::16].mean((2, 3), keepdim=True)
        return super().forward(x)


def fast_layer(module: nn.Module) -> nn.Module:
    """The fast form of a layer of `nst.models`, with its parameters; itself where there is none."""
    match module:
        case nn.Sequential():
            parts = {name: fast_layer(part) for name, part in module.named_children()}
            return nn.Sequential(OrderedDict(parts))
        case ResidualBlock():
            return FastResidualBlock(module)
        case nn.InstanceNorm2d():
            norm = FastInstanceNorm(module.num_features, module.num_features, module.eps)
            norm.weight, norm.bias = module.weight, module.bias
            return norm
        case nn.ReLU():
            return nn.ReLU(inplace=True)
        case nn.Conv2d() if is_narrow(module):
            return _of_kind(NarrowConv2d, module)
        case nn.Conv2d() if _is_wide_depthwise(module):
            return _of_kind(WideDepthwiseConv2d, module)
        case nn.Upsample():
            return RepeatPixels(scale_factor=module.scale_factor, mode="nearest")
    return module


def is_narrow(convolution: nn.Conv2d) -> bool:
    """Whether it pays to compute it row by row of its kernel; see `NarrowConv2d`."""
    narrow = convolution.out_channels < NARROW and convolution.groups == 1
    several_rows = convolution.kernel_size[0] > 1 and convolution.bias is not None
    return narrow and several_rows and convolution.stride == (1, 1) and _is_plain(convolution)


def _is_wide_depthwise(convolution: nn.Conv2d) -> bool:
    depthwise = convolution.groups == convolution.in_channels == convolution.out_channels
    wide = convolution.kernel_size[1] > FAST_COLUMNS
    return depthwise and wide and convolution.bias is None and _is_plain(convolution)


def _is_plain(convolution: nn.Conv2d) -> bool:
    return convolution.padding == (0, 0) and convolution.dilation == (1, 1)


def _of_kind(kind: type[nn.Conv2d], module: nn.Conv2d) -> nn.Module:
    """The same convolution, with the same parameters, that computes in another way."""
    layer = copy.copy(module)
    layer.__class__ = kind
    return layer


def keep_freed_memory() -> bool:
    """From now on this process keeps freed memory for the next activation.

    glibc maps every block above 32 MB anew and gives it back when it is freed, so that eager
    PyTorch pays for cleared pages with nearly every layer.  Kept memory falls into pieces, so only
    training on a CPU keeps it.

    Returns:
        False where that is not glibc's to decide.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    settings = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: TOP_PAD}
    return all(libc.mallopt(name, value) == 1 for name, value in settings.items())


def give_back_freed_memory() -> None:
    """Give the system the memory back that was freed but is still with this process.

    glibc keeps it in pieces between what is in use: half a gigabyte after a large picture.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


class RepeatPixels(nn.Upsample):
    """Nearest upsampling whose gradient is a plain sum: (N, C, H, W) -> (N, C, f·H, f·W)."""

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        f = int(self.scale_factor)
        x = x[:, :, :, None, :, None].expand(n, channels, height, f, width, f)
        x = x.reshape(n, channels, f * height, f * width)
        return x.contiguous(memory_format=torch.channels_last)


class NarrowConv2d(nn.Conv2d):
    """A k×k convolution to few channels, stride 1, that trains faster on a CPU.

    CPU kernels work on 16 output channels at a time, so 3 cost as much as 16.  While training,
    the k rows of the kernel are taken as k·out channels of one 1×k convolution, and its results
    are added up, each shifted by its row: the same sum in another order, in half the time.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not _trains_on_cpu(self, x):
            return super().forward(x)
        rows = self.kernel_size[0]
        kernels = kernel_rows(self.weight)
        row_results = F.conv2d(x, kernels).unflatten(1, (rows, self.out_channels)).unbind(1)
        height = x.shape[2] - rows + 1
        y = self.bias[:, None, None]
        for row, result in enumerate(row_results):
            y = y + result[:, :, row : row + height]
        return y


def kernel_rows(weight: Tensor) -> Tensor:
    """The rows of k×k kernels as kernels of their own: (D, C, k, k) -> (k·D, C, 1, k)."""
    _, in_channels, _, columns = weight.shape
    return weight.permute(2, 0, 1, 3).reshape(-1, in_channels, 1, columns)


class WideDepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution, without padding and bias, whose weights' gradient is fast.

    With 9×9 kernels the layer takes a quarter of the time with AVX-512 in bf16, a third with AVX2.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not _trains_on_cpu(self, x):
            return super().forward(x)
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):
            x, weight = x.bfloat16(), weight.bfloat16()
        return _DepthwiseConvolution.apply(x, weight, self.stride)


class _DepthwiseConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return F.conv2d(x, weight, stride=stride, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, None]:
        """The gradient of the weights is taken in pieces of few columns."""
        x, weight = ctx.saved_tensors
        form = (None, ctx.stride, (0, 0), (1, 1), False, (0, 0), len(weight))
        backward = torch.ops.aten.convolution_backward
        places = (gradient.shape[-1] - 1) * ctx.stride[1]
        pieces = []
        for first in range(0, weight.shape[-1], FAST_COLUMNS):
            piece = weight[..., first : first + FAST_COLUMNS]
            seen = x[..., first : first + places + piece.shape[-1]]
            pieces.append(backward(gradient, seen, piece, *form, (False, True, False))[1])
        to_x = None
        if ctx.needs_input_grad[0]:
            to_x = backward(gradient, x, weight, *form, (True, False, False))[0]
        return to_x, torch.cat(pieces, dim=-1), None


def _trains_on_cpu(layer: nn.Module, x: Tensor) -> bool:
    return layer.training and x.device.type == "cpu"
