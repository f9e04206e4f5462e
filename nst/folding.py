"""Steps before and after a network, taken into its first and its last convolution."""

from __future__ import annotations

import copy

import torch
from torch import nn

from nst.models import MEAN, STD, TransformerNet


@torch.no_grad()
def between_pictures(network: TransformerNet) -> TransformerNet:
    """A copy whose encoder takes and whose decoder gives RGB in [0, 1], within rounding.

    The first and the last convolution scale and shift, so that no operation of its own does.
    """
    network = copy.deepcopy(network)
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    first, last = _convolutions(network.encoder)[0], _convolutions(network.decoder)[-1]
    inputs = (-1, 1, 1, 1) if first.groups > 1 else (1, -1, 1, 1)
    first.weight /= std.view(inputs)
    shift = -(first.weight * mean.view(inputs)).sum((1, 2, 3))
    first.bias = nn.Parameter(shift if first.bias is None else first.bias + shift)
    # Several outputs in a row for each colour, where they become pixels.
    mean, std = (values.repeat_interleave(last.out_channels // 3) for values in (mean, std))
    last.weight *= std.view(-1, 1, 1, 1)
    last.bias = nn.Parameter(mean if last.bias is None else last.bias * std + mean)
    return network


def _convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [part for part in module.modules() if isinstance(part, nn.Conv2d)]
