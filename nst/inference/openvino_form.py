"""In which form `nst.inference.openvino_graph` writes a network, by the picture and the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from nst.models import Architecture

if TYPE_CHECKING:
    from nst.inference.engines import Precision

LARGE_PIXELS = 160_000  # from here on quarter-size activations no longer fit into the cache
CENTRED_PIXELS = 1_100_000  # from here on sums over a picture in float32 are too coarse
WIDE_VECTORS = torch.backends.cpu.get_cpu_capability() == "AVX512"


@dataclass(frozen=True)
class Form:
    """How a network is written for OpenVINO: the same function in every form, but for rounding."""

    group_sizes: Mapping[int, int] = field(default_factory=dict)  # channels -> those of a group
    centred: bool = False  # norms, see `instance_norm`
    for_bf16: bool = False  # for a compiler that is told to use bf16


def best_form(architecture: Architecture, pixels: int, precision: Precision = "fp32") -> Form:
    """What is fastest, and exact, for pictures of that size.

    Milliseconds, whole / in these groups, on two cores with AVX2 and 32 MiB of cache, at 256², 512²
    and 768²: v3 51.7 / 48.4, 226 / 199, 633 / 456; v4 23.4 / 22.6, 117 / 90, 292 / 214; v1 at 768²
    761 / 675.  Ordinary k×k convolutions become slower in pieces.  On two cores with AVX-512, which
    have 2 MiB of cache each, 128 channels in groups gain nothing; whole / 64 in groups / both: v3
    41.9 / 42.0 / 52.6, 167 / 170 / 185, 530 / 505 / 527; v4 at 512² and 768² 81.9 / 80.4 / 93.0,
    186 / 177 / 208.

    In large pictures the norms of v2 and v3, whose encoders have norms inside of their layers, are
    centred.  At 1448×1448 px, largest difference in levels of 255 from the picture made in tiles,
    whose sums are in float64, and values that differ by more than 1, without / with it: v3 4 and
    0.02 % / 3 and 0.0007 %, in 2.4 / 3.1 s; v2 3 and 0.01 % / 1 and none.  The others differ by 1.
    """
    sizes = {}
    if "decoder" in architecture.lightweight:
        sizes[64] = 32
    if "residual" in architecture.lightweight and pixels >= LARGE_PIXELS and not WIDE_VECTORS:
        sizes[128] = 32
    sensitive = "encoder" in architecture.lightweight and "norm" in architecture.inner
    centred = sensitive and pixels >= CENTRED_PIXELS
    return Form(sizes, centred, for_bf16=precision == "bf16")
