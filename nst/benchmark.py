"""Table 1 of the paper, measured: parameters, file size and CPU latency of the four networks.

    python -m nst.benchmark                         the paper's protocol: one 256×256 picture, CPU
    python -m nst.benchmark --size 512 --repeats 30

Latency is the time of one network on one picture from tensor to tensor, in eager PyTorch: a few
runs to warm up, then the median of repeats.  Every repeat times all networks one after the other,
so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import torch

from nst.checkpoint import CheckpointError
from nst.models import TransformerNet, count_parameters
from nst.stylize import CHECKPOINTS, load_networks

PAPER_LATENCY_MS = {"baseline": 71.31, "v1": 60.46, "v2": 57.65, "v3": 49.49}  # its Table 1, CPU
PAPER_SIDE = 256  # px
WARM_UP = 3


@torch.inference_mode()
def measure_latency(
    networks: Mapping[str, TransformerNet], width: int, height: int, repeats: int
) -> dict[str, list[float]]:
    """Milliseconds of every repeat for each network, interleaved, on one width×height picture."""
    photo = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    times: dict[str, list[float]] = {name: [] for name in networks}
    for repeat in range(WARM_UP + repeats):
        for name, network in networks.items():
            started = time.perf_counter()
            network(photo)
            if repeat >= WARM_UP:
                times[name].append((time.perf_counter() - started) * 1000)
    return times


def speed_ups(latencies: Mapping[str, float]) -> dict[str, float]:
    """How many times as fast as the baseline each network is, from latencies in one unit."""
    return {name: latencies["baseline"] / latency for name, latency in latencies.items()}


def latency_table(
    networks: Mapping[str, TransformerNet], times: Mapping[str, list[float]]
) -> pd.DataFrame:
    """One row for each network: parameters, median latency, quartiles, speed-up, the paper's."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    ours, papers = speed_ups(medians), speed_ups(PAPER_LATENCY_MS)
    most = count_parameters(networks["baseline"])
    rows = []
    for name, network in networks.items():
        lower, _, upper = statistics.quantiles(times[name], n=4, method="inclusive")
        parameters = count_parameters(network)
        rows.append(
            {
                "network": name,
                "parameters": parameters,
                "reduction %": round(100 * (1 - parameters / most), 2),
                "latency ms": round(medians[name], 1),
                "quartiles ms": f"{lower:.1f}–{upper:.1f}",
                "speed-up": round(ours[name], 2),
                "paper ms": PAPER_LATENCY_MS[name],
                "paper speed-up": round(papers[name], 2),
            }
        )
    return pd.DataFrame(rows)


def circumstances() -> str:
    """What a latency depends on apart from network and picture, in one line."""
    return (
        f"{cpu_name()}, {torch.get_num_threads()} CPU thread(s), "
        f"eager PyTorch {torch.__version__}, fp32, Python {platform.python_version()}"
    )


def cpu_name() -> str:
    """The processor's name as the system tells it."""
    with contextlib.suppress(OSError):  # only Linux has the file
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, nargs="+", default=[PAPER_SIDE], metavar="PX")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--threads", type=int, help="default: PyTorch's choice")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.repeats < 2:
        parser.error("--repeats: 2 at least")
    try:
        networks = load_networks()
    except CheckpointError as error:
        parser.error(str(error))
    print(circumstances())
    for name in networks:
        size = (CHECKPOINTS / f"{name}.safetensors").stat().st_size
        print(f"{name}: {size / 1e6:.2f} MB on disk")
    for side in options.size:
        times = measure_latency(networks, side, side, options.repeats)
        print(f"\n{side}×{side}, median of {options.repeats} interleaved repeats")
        print(latency_table(networks, times).to_string(index=False))


if __name__ == "__main__":
    main()
