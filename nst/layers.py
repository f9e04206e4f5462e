"""The layers of the networks: ordinary and depthwise separable, each in three forms.

Baseline layers follow Johnson et al., "Perceptual Losses for Real-Time Style Transfer and
Super-Resolution" (ECCV 2016) with instance normalization (Ulyanov et al., 2016).  The lightweight
layer is that of "Can Depthwise Separable Convolution Make Neural Style Transfer More
Lightweight?".  Padding is by reflection, which the paper leaves open.

Shapes in comments are (N, C, H, W).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from nst.convolutions import Conv2d, ConvTranspose2d, NarrowConv2d

Upsampling = Literal["transposed", "resize"]


def instance_norm(channels: int) -> nn.GroupNorm:
    """Affine instance normalization of `channels` channels.

    Group normalization with one channel in each group: the same parameters, names and values as
    `nn.InstanceNorm2d(channels, affine=True)`, and faster on a CPU.
    """
    return nn.GroupNorm(channels, channels)


def spatial_convolution(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    *,
    upsampling: Upsampling | None = None,
    groups: int = 1,
    bias: bool = True,
) -> nn.Sequential:
    """A k×k convolution that keeps the size, divides it by `stride`, or doubles it.

    (N, in, H, W) -> (N, out, H / stride, W / stride), or (N, out, 2H, 2W) with `upsampling`:
    "transposed" is one transposed convolution with stride 2; "resize" repeats every pixel 2×2 and
    convolves then (Odena et al., "Deconvolution and Checkerboard Artifacts", 2016).  All forms
    have the same number of parameters.  H and W must be multiples of `stride`.
    """
    if upsampling == "transposed":
        transposed = ConvTranspose2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=2,
            padding=kernel_size // 2,
            output_padding=1,
            groups=groups,
            bias=bias,
        )
        return nn.Sequential(transposed)
    resize = [nn.Upsample(scale_factor=2, mode="nearest")] if upsampling == "resize" else []
    conv = NarrowConv2d if out_channels < 16 and groups == 1 else Conv2d
    return nn.Sequential(
        *resize,
        nn.ReflectionPad2d(kernel_size // 2),
        conv(in_channels, out_channels, kernel_size, stride, groups=groups, bias=bias),
    )


class ConvLayer(nn.Module):
    """One ordinary convolution with bias; see `spatial_convolution` for its three forms."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        upsampling: Upsampling | None = None,
    ) -> None:
        super().__init__()
        self.conv = spatial_convolution(
            in_channels, out_channels, kernel_size, stride, upsampling=upsampling
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class LightweightConvLayer(nn.Module):
    """A depthwise separable convolution: k×k in each channel, then 1×1 across the channels.

    Depthwise k×k without bias -> instance norm -> ReLU -> pointwise 1×1 without bias, the one
    reading of the paper's text that gives its parameter counts.  Takes the place of `ConvLayer`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        upsampling: Upsampling | None = None,
    ) -> None:
        super().__init__()
        self.depthwise = spatial_convolution(
            in_channels,
            in_channels,
            kernel_size,
            stride,
            upsampling=upsampling,
            groups=in_channels,
            bias=False,
        )
        self.norm = instance_norm(in_channels)
        self.pointwise = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu_(self.norm(self.depthwise(x)))  # (N, in, H', W')
        return self.pointwise(x)  # (N, out, H', W')


class ResidualBlock(nn.Module):
    """Two 3×3 layers around which the input is carried unchanged: (N, C, H, W) -> the same.

    No ReLU after the sum, as in Johnson et al.
    """

    def __init__(self, channels: int, layer: type[ConvLayer] | type[LightweightConvLayer]) -> None:
        super().__init__()
        self.conv1 = layer(channels, channels, kernel_size=3)
        self.norm1 = instance_norm(channels)
        self.conv2 = layer(channels, channels, kernel_size=3)
        self.norm2 = instance_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu_(self.norm1(self.conv1(x)))
        return self.norm2(self.conv2(y)).add_(x)
