"""Instance norms whose statistics are given, so that a part of a picture is enough for them."""

from __future__ import annotations

import copy

import torch
from PIL import Image
from torch import Tensor, nn

from nst.images import normalise, to_tensor
from nst.models import TransformerNet


class ChannelStatistics:
    """Mean and variance of each channel, gathered from parts: Chan et al., 1979, in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = torch.zeros(1, dtype=torch.float64)  # (C)
        self._squares = torch.zeros(1, dtype=torch.float64)  # (C), of the deviations from it

    def add(self, values: Tensor) -> None:
        """Take in a part of the picture, (1, C, h, w)."""
        mean = values.mean((0, 2, 3), keepdim=True)
        squares = (values - mean).square_().sum((0, 2, 3)).double()
        count = values.shape[2] * values.shape[3]
        total = self.count + count
        difference = mean.flatten().double() - self.mean
        self.mean = self.mean + difference * (count / total)
        self._squares = self._squares + squares + difference**2 * (self.count * count / total)
        self.count = total

    @property
    def variance(self) -> Tensor:
        """(C), of the values themselves, not an estimate for more of them."""
        return self._squares / self.count


class FrozenNorm(nn.Module):
    """An instance norm whose statistics are given: (N, C, H, W) -> the same, scaled and shifted."""

    def __init__(self, norm: nn.GroupNorm, statistics: ChannelStatistics) -> None:
        super().__init__()
        scale = norm.weight.double() / (statistics.variance + norm.eps).sqrt()
        shift = norm.bias.double() - statistics.mean * scale
        self.register_buffer("scale", scale.float()[:, None, None])
        self.register_buffer("shift", shift.float()[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x, self.scale)


def freeze_norms(network: TransformerNet, picture: Image.Image) -> TransformerNet:
    """A copy of the network in which every norm has the statistics of this one picture.

    What it makes of a pixel depends on the neighbourhood alone, so it can be applied to tiles, and
    converted for another engine like any network.
    """
    frozen = copy.deepcopy(network)
    norms = [
        (name, norm) for name, norm in frozen.named_modules() if isinstance(norm, nn.GroupNorm)
    ]
    statistics = {name: ChannelStatistics() for name, _ in norms}
    for name, norm in norms:
        norm.register_forward_pre_hook(lambda _, x, name=name: statistics[name].add(*x))
    frozen(normalise(to_tensor(picture)[None]))
    for name, norm in norms:
        frozen.set_submodule(name, FrozenNorm(norm, statistics[name]))
    return frozen
