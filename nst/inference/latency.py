"""How long a network takes for a picture, and what that depends on apart from both."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from nst.inference.engines import OpenVinoEngine, Size
from nst.models import MIN_SIDE

WARM_UP = 3  # runs that are not counted
ROUGH = 0.25  # of a median: quartiles that lie farther apart are a busy machine's
RUNTIMES = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}  # engines that are no PyTorch

Key = TypeVar("Key", bound=Hashable)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


@dataclass(frozen=True)
class Latency:
    """A measurement and what it depends on."""

    side: int  # px, of the square picture
    milliseconds: Mapping[str, Sequence[float]]  # of each repeat
    hardware: str

    @property
    def repeats(self) -> int:
        return len(next(iter(self.milliseconds.values())))

    def quartiles(self, name: str) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile in ms."""
        return quartiles(self.milliseconds[name])

    def is_rough(self, name: str) -> bool:
        low, middle, high = self.quartiles(name)
        return high - low > ROUGH * middle


def parse_size(text: str) -> Size:
    """ "512", "640x480" or "1080p" -> width and height; for argparse.

    Raises:
        ValueError: something else, or a side below 16 px.
    """
    if text == "1080p":
        return 1920, 1080
    match = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text)
    if match is None:
        raise ValueError(text)
    size = int(match[1]), int(match[2] or match[1])
    if min(size) < MIN_SIDE:
        raise ValueError(text)
    return size


def measure_latency(
    networks: Mapping[Key, Callable[[Tensor], object]], width: int, height: int, repeats: int
) -> dict[Key, list[float]]:
    """Milliseconds of every repeat for each network, interleaved, on one width×height picture."""
    times: dict[Key, list[float]] = {name: [] for name in networks}
    for found in latency_rounds(networks, width, height, repeats):
        for name, milliseconds in found.items():
            times[name].append(milliseconds)
    return times


@torch.inference_mode()
def latency_rounds(
    networks: Mapping[Key, Callable[[Tensor], object]], width: int, height: int, repeats: int
) -> Iterator[dict[Key, float]]:
    """Milliseconds of each network, repeat after repeat; nothing of those that warm up."""
    photo = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    for repeat in range(WARM_UP + repeats):
        times = {}
        for name, network in networks.items():
            if isinstance(network, OpenVinoEngine):
                network.prepare((width, height))
            started = time.perf_counter()
            network(photo)
            times[name] = (time.perf_counter() - started) * 1000
        yield times if repeat >= WARM_UP else {}


def speed_ups(latencies: Mapping[str, float]) -> dict[str, float]:
    """How many times as fast as the baseline each network is, from latencies in one unit."""
    return {name: latencies["baseline"] / latency for name, latency in latencies.items()}


def hardware(engine: str = "eager", precision: str = "fp32") -> str:
    """What a latency depends on apart from network and picture, in one line."""
    if engine in RUNTIMES:
        software = f"{RUNTIMES[engine]} {importlib.metadata.version(engine)}"
    else:
        software = f"{engine} PyTorch {torch.__version__}"
    allocator = "".join(
        f", {name}={value}" for name, value in os.environ.items() if name.startswith("MALLOC_")
    )
    return (
        f"{cpu_name()}, {torch.get_num_threads()} CPU thread(s), "
        f"{software}, {precision}, Python {platform.python_version()}{allocator}"
    )


def cpu_name() -> str:
    """The processor's name and its widest vector instructions, as the system tells them."""
    with contextlib.suppress(OSError):  # only Linux has the file
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                return f"{name} ({torch.backends.cpu.get_cpu_capability()})"
    return platform.processor() or platform.machine()
