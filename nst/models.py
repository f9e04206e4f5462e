"""The networks of "Can Depthwise Separable Convolution Make Neural Style Transfer More
Lightweight?": one `TransformerNet`, and for each name what it is made of.

    name      lightweight parts                 parameters
    baseline  none (Johnson et al., 2016)        1,679,235
    v1        residual blocks                      381,315
    v2        encoder, residual blocks             292,796
    v3        encoder, residual blocks, decoder    207,865
    v4        as v3, but few channels at full      200,876
              size; ours, not the paper's

Johnson et al.: "Perceptual Losses for Real-Time Style Transfer and Super-Resolution" (ECCV 2016),
with instance normalization (Ulyanov et al., 2016).  Decided where the paper is silent: padding is
by reflection; the decoder's convolutions are transposed, as its text says; a lightweight layer is
depthwise, norm, ReLU, pointwise without biases, the one reading that gives its parameter counts.
v4 keeps neither norm nor ReLU inside of it, and its first and last layers are ordinary ones.

Pictures are RGB in [0, 1] outside.  Inside, ImageNet's mean and deviation are taken out, so that 0
is mean grey, which trains fast from scratch.  Shapes in comments are (N, C, H, W).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Part = Literal["encoder", "residual", "decoder"]
Inner = Literal["norm", "relu"]
Upsampling = Literal["transposed", "transposed4", "resize"]

MEAN = (0.485, 0.456, 0.406)  # of ImageNet in RGB, as in torchvision
STD = (0.229, 0.224, 0.225)
MIN_SIDE = 16  # px; 4 are left of them at quarter size, where most of the work is done
STRIDE = 4  # the encoder halves the picture twice


@dataclass(frozen=True)
class Architecture:
    """What a `TransformerNet` is made of; as it stands, the baseline."""

    lightweight: tuple[Part, ...] = ()
    inner: tuple[Inner, ...] = ("norm", "relu")  # what stands inside a lightweight layer
    stem: Literal["full", "half"] = "full"  # 9×9, then 3×3 to half size; or one 5×5 to half size
    upsampling: Upsampling = "transposed"  # of the decoder's layers that double the size
    pointwise_first: bool = False  # in the decoder: fewer channels before there are more pixels
    # What paints from half size on.  "9x9": a doubling and a 9×9 layer, of the decoder's kind;
    # "ordinary 9x9": the same, that layer ordinary also in a lightweight decoder; "shuffle": one
    # ordinary 3×3 layer to twelve channels, which become pixels.
    head: Literal["9x9", "ordinary 9x9", "shuffle"] = "9x9"


BASELINE = Architecture()
V1 = replace(BASELINE, lightweight=("residual",))
V2 = replace(BASELINE, lightweight=("encoder", "residual"))
V3 = replace(BASELINE, lightweight=("encoder", "residual", "decoder"))
V4 = replace(V3, inner=(), stem="half", upsampling="resize", pointwise_first=True, head="shuffle")
VARIANTS = {"baseline": BASELINE, "v1": V1, "v2": V2, "v3": V3, "v4": V4}
# What the red spots come from: one thing changed at a time.
ABLATIONS = {
    "baseline-resize": replace(BASELINE, upsampling="resize"),
    "v1-resize": replace(V1, upsampling="resize"),
    "v3-resize": replace(V3, upsampling="resize"),
    "v3-k4": replace(V3, upsampling="transposed4"),
    "v3-norelu": replace(V3, inner=("norm",)),
    "v3-nonorm": replace(V3, inner=("relu",)),
    "v3-noinner": replace(V3, inner=()),
    "v3-denselast": replace(V3, head="ordinary 9x9"),
    "v4-nolattice": V4,  # trained without the lattice term
}


def normalise(pixels: Tensor) -> Tensor:
    """RGB in [0, 1], (..., 3, H, W) -> ImageNet's mean and standard deviation taken out."""
    return (pixels - _column(MEAN, pixels)) / _column(STD, pixels)


def denormalise(values: Tensor) -> Tensor:
    """The inverse of `normalise`; may lie outside [0, 1] where a network overshoots."""
    return values * _column(STD, values) + _column(MEAN, values)


def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(3, 1, 1)


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
    convolves then, with as many parameters (Odena et al., "Deconvolution and Checkerboard
    Artifacts", 2016); "transposed4" is transposed with a 4×4 kernel, whose overlap is even.
    H and W must be multiples of `stride`.
    """
    settings = {"groups": groups, "bias": bias}
    if upsampling in ("transposed", "transposed4"):
        kernel_size = 4 if upsampling == "transposed4" else kernel_size
        settings |= {"padding": (kernel_size - 1) // 2, "output_padding": kernel_size % 2}
        layer = nn.ConvTranspose2d(in_channels, out_channels, kernel_size, 2, **settings)
        return nn.Sequential(layer)
    resize = [nn.Upsample(scale_factor=2, mode="nearest")] if upsampling == "resize" else []
    return nn.Sequential(
        *resize,
        nn.ReflectionPad2d(kernel_size // 2),
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, **settings),
    )


def instance_norm(channels: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(channels, affine=True)


class ConvLayer(nn.Sequential):
    """One ordinary convolution with bias: arguments and forms as of `spatial_convolution`."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(OrderedDict(conv=spatial_convolution(*arguments, **settings)))


class LightweightConvLayer(nn.Sequential):
    """In `ConvLayer`'s place: depthwise k×k, instance norm, ReLU, pointwise 1×1; no biases.

    Args:
        inner: what stands between the two convolutions.
        pointwise_first: the two in the other order.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        upsampling: Upsampling | None = None,
        *,
        inner: Collection[Inner] = ("norm", "relu"),
        pointwise_first: bool = False,
    ) -> None:
        channels = out_channels if pointwise_first else in_channels  # of all but the pointwise
        layers = {  # in their usual order: (N, in, H', W') until the pointwise one
            "depthwise": partial(
                spatial_convolution,
                *(channels, channels, kernel_size, stride),
                upsampling=upsampling,
                groups=channels,
                bias=False,
            ),
            "norm": partial(instance_norm, channels),
            "relu": nn.ReLU,
            "pointwise": partial(nn.Conv2d, in_channels, out_channels, kernel_size=1, bias=False),
        }
        order = ["depthwise", *(name for name in ("norm", "relu") if name in inner), "pointwise"]
        if pointwise_first:
            order[0], order[-1] = order[-1], order[0]
        super().__init__(OrderedDict((name, layers[name]()) for name in order))


Layer = Callable[..., nn.Sequential]  # ConvLayer, or a LightweightConvLayer of some kind


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


def shuffle_head(in_channels: int) -> list[nn.Module]:
    """3×3 to twelve channels, which become 2×2 pixels of three: (N, in, H, W) -> (N, 3, 2H, 2W).

    The four pixels are alike at first, or they would be a grid (ICNR: Aitken et al., 2017).
    """
    convolution = spatial_convolution(in_channels, 12, kernel_size=3)
    with torch.no_grad():
        for values in convolution[-1].parameters():
            values.copy_(values[::4].repeat_interleave(4, dim=0))
    return [convolution, nn.PixelShuffle(2)]


class TransformerNet(nn.Module):
    """Johnson's feed-forward style-transfer network.

    Encoder 9×9×32, 3×3×64 stride 2, 3×3×128 stride 2; five residual blocks of 128 channels;
    decoder ×2 to 64, ×2 to 32, 9×9×3.  Instance norm and ReLU follow each layer but the last.
    An `Architecture` says which of them are of another kind.
    """

    def __init__(self, architecture: Architecture = BASELINE) -> None:
        super().__init__()
        self.architecture = architecture
        self.encoder = _encoder(architecture)
        conv = _layer(architecture, "residual")
        self.residual = nn.Sequential(*(ResidualBlock(128, conv) for _ in range(5)))
        self.decoder = _decoder(architecture)

    def forward(self, x: Tensor) -> Tensor:
        """Stylize pictures: (N, 3, H, W) RGB in [0, 1] -> the same, any H, W of at least 16.

        The result may lie a little outside [0, 1].  Sides that are no multiple of 4 are padded by
        reflection at the right and the bottom, and the result is cropped back.

        Raises:
            ValueError: another shape, or a side is below 16 px.
        """
        check_shape(x)
        height, width = x.shape[2:]
        x = F.pad(normalise(x), (0, -width % STRIDE, 0, -height % STRIDE), mode="reflect")
        x = self.encoder(x)  # (N, 128, H/4, W/4)
        x = self.residual(x)
        x = self.decoder(x)  # (N, 3, H, W)
        return denormalise(x[..., :height, :width])


def check_shape(x: Tensor) -> None:
    """Raises ValueError: pictures that no network takes."""
    if x.dim() != 4 or x.shape[1] != 3:
        raise ValueError(f"pictures are (N, 3, H, W), not {tuple(x.shape)}")
    height, width = x.shape[2:]
    if height < MIN_SIDE or width < MIN_SIDE:
        raise ValueError(f"{width}×{height} px is too small: {MIN_SIDE} px a side at least")


def _layer(architecture: Architecture, part: Part) -> Layer:
    if part in architecture.lightweight:
        return partial(LightweightConvLayer, inner=architecture.inner)
    return ConvLayer


def _encoder(architecture: Architecture) -> nn.Sequential:
    conv = _layer(architecture, "encoder")
    if architecture.stem == "half":
        return nn.Sequential(
            *(ConvLayer(3, 32, kernel_size=5, stride=2), instance_norm(32), nn.ReLU()),
            *(conv(32, 128, kernel_size=3, stride=2), instance_norm(128), nn.ReLU()),
        )
    return nn.Sequential(
        *(conv(3, 32, kernel_size=9), instance_norm(32), nn.ReLU()),
        *(conv(32, 64, kernel_size=3, stride=2), instance_norm(64), nn.ReLU()),
        *(conv(64, 128, kernel_size=3, stride=2), instance_norm(128), nn.ReLU()),
    )


def _decoder(architecture: Architecture) -> nn.Sequential:
    conv = _layer(architecture, "decoder")
    double = partial(conv, kernel_size=3, upsampling=architecture.upsampling)
    if architecture.pointwise_first:
        double = partial(double, pointwise_first=True)
    to_half_size = (double(128, 64), instance_norm(64), nn.ReLU())
    if architecture.head == "shuffle":
        return nn.Sequential(*to_half_size, *shuffle_head(64))
    to_full_size = (double(64, 32), instance_norm(32), nn.ReLU())
    last = ConvLayer if architecture.head == "ordinary 9x9" else conv
    return nn.Sequential(*to_half_size, *to_full_size, last(32, 3, kernel_size=9))


def build_model(name: str) -> TransformerNet:
    """An untrained network by its name in `VARIANTS` or `ABLATIONS`.

    Raises:
        ValueError: no such variant.
    """
    known = VARIANTS | ABLATIONS
    if name not in known:
        raise ValueError(f"unknown variant {name!r}; known: {', '.join(known)}")
    return TransformerNet(known[name])


def count_parameters(model: nn.Module) -> int:
    """The number of learned values, all of which are trained."""
    return sum(parameter.numel() for parameter in model.parameters())
