"""How fast this machine trains: `python -m nst.training.pace v4` prints seconds for a step."""

from __future__ import annotations

import sys
import time

import torch
from torch import nn

from nst.fast import fast, keep_freed_memory
from nst.loss import PerceptualLoss
from nst.models import build_model
from nst.training.machine import choose_precision, join_world
from nst.training.objective import Objective
from nst.training.settings import settings_for
from nst.vgg import VGGFeatures

VGG_WIDTHS = (3, 64, 64, 0, 128, 128, 0, 256, 256, 256)  # to relu3_3; 0: pooling


def seconds_a_step(variant: str) -> float:
    """Not compiled; VGG is random, so that nothing has to be downloaded."""
    device = join_world(None).device
    keep_freed_memory()
    settings = settings_for(variant, {})
    side = settings.photo_side
    style = torch.rand(3, settings.style_side, settings.style_side, device=device)
    loss = PerceptualLoss(_random_vgg().to(device), style, settings.loss, lambda text: None)
    objective = Objective(loss, choose_precision("auto", device))
    network = fast(build_model(variant).to(device, memory_format=torch.channels_last))
    photos = torch.rand(settings.batch_size, 3, side, side, device=device)
    times = []
    for _ in range(3):  # the first one is slow
        started = time.perf_counter()
        target = objective.content_target(photos)
        total = objective.terms(network, photos, target, settings.loss.lattice_weight).total
        total.backward()
        total.item()
        times.append(time.perf_counter() - started)
    return min(times)


def _random_vgg() -> VGGFeatures:
    layers: list[nn.Module] = []
    channels = VGG_WIDTHS[0]
    for width in VGG_WIDTHS[1:]:
        if width:
            layers += [nn.Conv2d(channels, width, kernel_size=3, padding=1), nn.ReLU()]
        else:
            layers.append(nn.MaxPool2d(2))
        channels = width or channels
    return VGGFeatures(layers).to(memory_format=torch.channels_last)


if __name__ == "__main__":
    print(f"{seconds_a_step(sys.argv[1]):.3f}")
