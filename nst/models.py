"""The networks of "Can Depthwise Separable Convolution Make Neural Style Transfer More
Lightweight?": one `TransformerNet`, and for each name what it is made of.

    name      lightweight parts                 parameters
    baseline  none (Johnson et al., 2016)        1,679,235
    v1        residual blocks                      381,315
    v2        encoder, residual blocks             292,796
    v3        encoder, residual blocks, decoder    207,865

Johnson et al.: "Perceptual Losses for Real-Time Style Transfer and Super-Resolution" (ECCV 2016),
with instance normalization (Ulyanov et al., 2016).  Decided where the paper is silent: padding is
by reflection; the decoder's convolutions are transposed, as its text says; a lightweight layer is
depthwise, norm, ReLU, pointwise without biases, the one reading that gives its parameter counts.

Pictures are RGB in [0, 1] outside.  Inside, ImageNet's mean and deviation are taken out, so that 0
is mean grey, which trains fast from scratch.  Shapes in comments are (N, C, H, W).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from nst.images import denormalise, normalise

Part = Literal["encoder", "residual", "decoder"]
Upsampling = Literal["transposed", "resize"]

MIN_SIDE = 16  # px; below it the reflection at quarter size has too little to reflect
STRIDE = 4  # the encoder halves the picture twice


@dataclass(frozen=True)
class Architecture:
    """What a `TransformerNet` is made of; as it stands, the baseline."""

    lightweight: tuple[Part, ...] = ()
    upsampling: Upsampling = "transposed"  # of the decoder's two layers that double the size


BASELINE = Architecture()
VARIANTS: dict[str, Architecture] = {
    "baseline": BASELINE,
    "v1": replace(BASELINE, lightweight=("residual",)),
    "v2": replace(BASELINE, lightweight=("encoder", "residual")),
    "v3": replace(BASELINE, lightweight=("encoder", "residual", "decoder")),
}


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
    settings = {"groups": groups, "bias": bias}
    if upsampling == "transposed":
        half = kernel_size // 2
        settings |= {"stride": 2, "padding": half, "output_padding": 1}
        return nn.Sequential(nn.ConvTranspose2d(in_channels, out_channels, kernel_size, **settings))
    resize = [nn.Upsample(scale_factor=2, mode="nearest")] if upsampling == "resize" else []
    return nn.Sequential(
        *resize,
        nn.ReflectionPad2d(kernel_size // 2),
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, **settings),
    )


def instance_norm(channels: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(channels, affine=True)


class ConvLayer(nn.Sequential):
    """One ordinary convolution with bias; see `spatial_convolution` for its three forms."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        upsampling: Upsampling | None = None,
    ) -> None:
        convolution = spatial_convolution(
            in_channels, out_channels, kernel_size, stride, upsampling=upsampling
        )
        super().__init__(OrderedDict(conv=convolution))


class LightweightConvLayer(nn.Sequential):
    """A depthwise separable convolution: k×k in each channel, then 1×1 across the channels.

    Depthwise k×k without bias, instance norm, ReLU, pointwise 1×1 without bias.  Takes the place
    of `ConvLayer`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        upsampling: Upsampling | None = None,
    ) -> None:
        depthwise = spatial_convolution(
            in_channels,
            in_channels,
            kernel_size,
            stride,
            upsampling=upsampling,
            groups=in_channels,
            bias=False,
        )
        pointwise = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)
        super().__init__(
            OrderedDict(
                depthwise=depthwise,  # (N, in, H', W')
                norm=instance_norm(in_channels),
                relu=nn.ReLU(),
                pointwise=pointwise,  # (N, out, H', W')
            )
        )


Layer = type[ConvLayer] | type[LightweightConvLayer]


class ResidualBlock(nn.Module):
    """Two 3×3 layers around which the input is carried unchanged: (N, C, H, W) -> the same.

    No ReLU after the sum, as in Johnson et al.
    """

    def __init__(self, channels: int, layer: Layer) -> None:
        super().__init__()
        self.conv1 = layer(channels, channels, kernel_size=3)
        self.norm1 = instance_norm(channels)
        self.relu = nn.ReLU()
        self.conv2 = layer(channels, channels, kernel_size=3)
        self.norm2 = instance_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.norm1(self.conv1(x)))
        return x + self.norm2(self.conv2(y))


class TransformerNet(nn.Module):
    """Johnson's feed-forward style-transfer network.

    Encoder 9×9×32, 3×3×64 stride 2, 3×3×128 stride 2; five residual blocks of 128 channels;
    decoder ×2 to 64, ×2 to 32, 9×9×3.  Instance norm and ReLU follow each layer but the last.
    """

    def __init__(self, architecture: Architecture = BASELINE) -> None:
        super().__init__()
        self.architecture = architecture

        def layer(part: Part) -> Layer:
            return LightweightConvLayer if part in architecture.lightweight else ConvLayer

        conv = layer("encoder")
        self.encoder = nn.Sequential(
            *(conv(3, 32, kernel_size=9), instance_norm(32), nn.ReLU()),
            *(conv(32, 64, kernel_size=3, stride=2), instance_norm(64), nn.ReLU()),
            *(conv(64, 128, kernel_size=3, stride=2), instance_norm(128), nn.ReLU()),
        )
        conv = layer("residual")
        self.residual = nn.Sequential(*(ResidualBlock(128, conv) for _ in range(5)))
        conv = layer("decoder")
        double = partial(conv, kernel_size=3, upsampling=architecture.upsampling)
        self.decoder = nn.Sequential(
            *(double(128, 64), instance_norm(64), nn.ReLU()),
            *(double(64, 32), instance_norm(32), nn.ReLU()),
            conv(32, 3, kernel_size=9),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Stylize pictures: (N, 3, H, W) RGB in [0, 1] -> the same, any H, W of at least 16.

        The result may lie a little outside [0, 1].  Sides that are no multiple of 4 are padded by
        reflection at the right and the bottom, and the result is cropped back.

        Raises:
            ValueError: a side is below 16 px.
        """
        height, width = x.shape[-2:]
        if height < MIN_SIDE or width < MIN_SIDE:
            raise ValueError(f"{width}×{height} px is too small: {MIN_SIDE} px a side at least")
        x = F.pad(normalise(x), (0, -width % STRIDE, 0, -height % STRIDE), mode="reflect")
        x = self.encoder(x)  # (N, 128, H/4, W/4)
        x = self.residual(x)
        x = self.decoder(x)  # (N, 3, H, W)
        return denormalise(x[..., :height, :width])


def build_model(name: str) -> TransformerNet:
    """An untrained network by its name in `VARIANTS`.

    Raises:
        ValueError: no such variant.
    """
    if name not in VARIANTS:
        raise ValueError(f"unknown variant {name!r}; known: {', '.join(VARIANTS)}")
    return TransformerNet(VARIANTS[name])


def count_parameters(model: nn.Module) -> int:
    """The number of learned values, all of which are trained."""
    return sum(parameter.numel() for parameter in model.parameters())
