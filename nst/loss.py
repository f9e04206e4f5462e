"""The perceptual loss of Johnson et al. (2016) through VGG-16: content, style, total variation;
and, against the grid that upsampling leaves, the energy of the pixel lattice.

Content and style are divided by their target's own energy, so that a weight means the same whatever
the scale of VGG's activations (torchvision's and Caffe's differ by a factor of about 50).  The
weight of the lattice term is a network's own: `nst.training.objective` adds it.

    content  ‖F(y) − F(x)‖² / ‖F(x)‖²                    F: one layer's features
    style    Σ ‖G(y) − G(s)‖² / ‖G(s)‖²                  G: Gram matrix of a layer at a scale
    tv       mean of squared differences between neighbours
    lattice  what repeats every 2 or 4 px; see `lattice_energy`

for y the network's picture, x the photo, s the style picture.  A style layer is written
"relu3_3", or "relu3_3/2" for the features of the picture at half its size, where strokes twice as
long fit into the same receptive field.  Gram matrices and losses are computed in fp32, also when
the features come in bf16.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, replace
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.vgg import Pooling, VGGFeatures


def flag(default: Any = MISSING, help: str = "", at_least: float = -math.inf) -> Any:
    """A dataclass's field that train.py takes from its command line."""
    return field(default=default, metadata={"help": help, "at_least": at_least})


@dataclass(frozen=True)
class LossSettings:
    """What is compared, and how much it weighs; the paper states none of it."""

    content_layer: str = flag("relu2_2", "of VGG, whose features shall stay the photo's")
    style_layers: tuple[str, ...] = flag(
        (
            *("relu1_2", "relu2_2", "relu3_1"),
            *("relu1_2/2", "relu2_2/2", "relu3_3/2", "relu4_3/2"),
        ),
        "of VGG, whose Gram matrices shall become the painting's",
    )
    content_weight: float = flag(1.0, "the other weights are beside this one")
    style_weight: float = flag(4.0, "2 is pale, 12 swallows the photo in the light networks")
    tv_weight: float = flag(1.0, "comes to about 1 % of the total; a third of it blurs")
    lattice_weight: float = flag(0.0, "of the grid of 2 and 4 px that upsampling leaves; v4: 200")
    vgg_pooling: Pooling = flag("max", "of VGG, between its blocks")
    loss_margin: int = flag(
        0, "px of reflection around what VGG sees; without, it sees zeros there"
    )

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name.endswith("_weight") and not 0 <= value < math.inf:
                raise ValueError(f"{name} is {value}, not a number from 0 on")


class LossTerms(NamedTuple):
    """Scalars; `total` is the weighted sum that is trained, the others are unweighted."""

    content: Tensor
    style: Tensor
    tv: Tensor
    lattice: Tensor
    total: Tensor


def gram_matrix(features: Tensor) -> Tensor:
    """Correlations between channels (Gatys et al., 2016): (N, C, H, W) -> (N, C, C) in fp32.

    Divided by C·H·W, so that pictures of different sizes compare.
    """
    channels, height, width = features.shape[1:]
    columns = features.float().permute(0, 2, 3, 1).flatten(1, 2)  # (N, H·W, C)
    with torch.autocast(features.device.type, enabled=False):  # or it would multiply in bf16
        return columns.mT @ columns / (channels * height * width)


def total_variation(pixels: Tensor) -> Tensor:
    """Mean squared difference between neighbours, down and across: (N, 3, H, W) -> scalar."""
    down = pixels[..., 1:, :] - pixels[..., :-1, :]
    across = pixels[..., :, 1:] - pixels[..., :, :-1]
    return down.square().mean() + across.square().mean()


LATTICE_PERIOD = 4  # px, of what two upsamplings leave
LATTICE_BLOCK = 32  # px, a side


def lattice_energy(pixels: Tensor) -> Tensor:
    """The mean square of what is locked to the pixel lattice: (N, C, H, W) -> scalar, fp32.

    Two upsamplings ×2 leave patterns whose periods are 2 and 4 px.  The picture is high-passed, by
    taking out the separable blur [1 2 2 2 1] / 8, which is blind to both; in each whole block of
    32×32 px and each channel the means of the 16 phases (row mod 4, column mod 4) are taken, less
    their own mean, and squared.  Detail that is locked to nothing averages out: photos and
    paintings have 1e-4, a network with the grid 1.5e-3.  A picture without a whole block has 0.
    """
    with torch.autocast(pixels.device.type, enabled=False):
        pixels = pixels.float()
        rows, columns = (side // LATTICE_BLOCK for side in pixels.shape[-2:])
        if not (rows and columns):
            return pixels.new_zeros(())
        fine = (pixels - _blur(pixels))[..., : rows * LATTICE_BLOCK, : columns * LATTICE_BLOCK]
        per_side = LATTICE_BLOCK // LATTICE_PERIOD
        fine = fine.unflatten(3, (columns, per_side, LATTICE_PERIOD))
        fine = fine.unflatten(2, (rows, per_side, LATTICE_PERIOD))
        phases = fine.mean((3, 6))  # (N, C, rows, 4, columns, 4)
        return (phases - phases.mean((3, 5), keepdim=True)).square().mean()


def _blur(pixels: Tensor) -> Tensor:
    channels = pixels.shape[1]
    kernel = pixels.new_tensor([1, 2, 2, 2, 1]) / 8
    across = kernel.expand(channels, 1, 1, 5)
    pixels = F.pad(pixels, (2, 2, 2, 2), mode="reflect")
    pixels = F.conv2d(pixels, across, groups=channels)
    return F.conv2d(pixels, across.mT, groups=channels)


def relative_error(value: Tensor, target: Tensor) -> Tensor:
    """‖value − target‖² / ‖target‖² of each sample, averaged over the batch: scalar, fp32.

    (N, ...) and the same, or one target for all samples, (1, ...).
    """
    value, target = value.float().flatten(1), target.float().flatten(1)
    energy = target.square().sum(1).clamp_min(torch.finfo(torch.float32).tiny)
    return ((value - target).square().sum(1) / energy).mean()


class PerceptualLoss(nn.Module):
    """How far pictures are from their photos in content and from one painting in style.

    Args:
        vgg: the feature extractor, pooling and margin as in the settings; it is frozen.
        style: the style picture, (3, H, W) in [0, 1].
        settings: layers and weights.
        report: gets one sentence for each style layer that `vgg` does not reach and that is
            therefore left out.

    Its `settings` name the style layers that are left.

    Raises:
        ValueError: a layer is unknown, `vgg` does not reach the content layer, or it reaches no
            style layer.
    """

    def __init__(
        self,
        vgg: VGGFeatures,
        style: Tensor,
        settings: LossSettings | None = None,
        report: Callable[[str], None] = print,
    ) -> None:
        super().__init__()
        self.vgg = vgg
        settings = settings or LossSettings()
        if settings.content_layer not in vgg.positions:
            raise ValueError(f"the VGG weights do not reach content layer {settings.content_layer}")
        self.scales: dict[int, list[str]] = {}  # how much smaller: the layers looked at
        reached = []
        for layer in settings.style_layers:
            name, scale = _parse_style_layer(layer)
            if name in vgg.positions:
                self.scales.setdefault(scale, []).append(name)
                reached.append(layer)
            else:
                report(f"style layer {layer} left out: the VGG weights do not reach it")
        if not self.scales:
            raise ValueError("the VGG weights reach none of the style layers")
        self.settings = replace(settings, style_layers=tuple(reached))
        with torch.no_grad():
            for scale, names in self.scales.items():
                features = vgg(shrink(style[None], scale), names)
                for name in names:
                    gram = gram_matrix(features[name])  # (1, C, C)
                    self.register_buffer(_buffer_name(name, scale), gram, persistent=False)

    @torch.no_grad()
    def content_target(self, photos: Tensor) -> Tensor:
        """What `forward` compares with: (N, 3, H, W) in [0, 1] -> (N, C, H', W')."""
        layer = self.settings.content_layer
        return self.vgg(photos, [layer])[layer]

    def forward(self, pictures: Tensor, content_target: Tensor) -> LossTerms:
        """The loss terms of a batch of pictures, (N, 3, H, W), meant to lie in [0, 1]."""
        settings = self.settings
        content = style = pictures.new_zeros(())
        for scale, names in {1: [], **self.scales}.items():
            wanted = {*names, settings.content_layer} if scale == 1 else names
            features = self.vgg(shrink(pictures, scale), wanted)
            if scale == 1:
                content = relative_error(features[settings.content_layer], content_target)
            for name in names:
                gram = gram_matrix(features[name])
                target = self.style_target(name, scale)
                style = style + relative_error(gram, target)
        return self.weighted(content, style, pictures)

    def style_target(self, name: str, scale: int) -> Tensor:
        """The style picture's Gram matrix of a layer at 1/scale of its size, (1, C, C)."""
        return getattr(self, _buffer_name(name, scale))

    def weighted(self, content: Tensor, style: Tensor, pictures: Tensor) -> LossTerms:
        """All terms with their weighted sum, from those that VGG sees and the pictures."""
        settings = self.settings
        tv, lattice = total_variation(pictures.float()), lattice_energy(pictures)
        total = (
            settings.content_weight * content
            + settings.style_weight * style
            + settings.tv_weight * tv
            + settings.lattice_weight * lattice
        )
        return LossTerms(content, style, tv, lattice, total)


def _parse_style_layer(layer: str) -> tuple[str, int]:
    match = re.fullmatch(r"(relu(?:[12]_[12]|[3-5]_[1-3]))(?:/([1-9]))?", layer)
    if match is None:
        raise ValueError(f"no style layer is called {layer!r}; write for example relu3_3/2")
    return match[1], int(match[2] or 1)


def _buffer_name(name: str, scale: int) -> str:
    return f"gram_{name}_{scale}"


def shrink(pixels: Tensor, scale: int) -> Tensor:
    """(N, 3, H, W) -> (N, 3, H / scale, W / scale)."""
    return F.avg_pool2d(pixels, scale) if scale > 1 else pixels
