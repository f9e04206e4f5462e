"""Where the time of a network goes: convolution, norm, padding, activations, memory.

Eager engines are seen through PyTorch's profiler (the operators' own time), OpenVINO through its
performance counters, which are another compilation of the same model.  Both cost a little time
themselves, so shares are what counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd
import torch
from torch.autograd.profiler import profile

from nst.inference.engines import Engine, OpenVinoEngine, PlainEngine

REPEATS = 5
KINDS = ("convolution", "norm", "padding", "activation", "memory")
# What the names of operators contain, tried in this order.
WORDS = {
    "norm": ("norm", "mvn"),
    "padding": ("pad",),
    "convolution": ("conv",),
    "activation": ("relu", "add", "mul", "subgraph", "eltwise", "clamp"),
}


def kind_of(operator: str) -> str:
    """The kind of an operator; what computes nothing (copies, reorderings, slices) is memory."""
    name = operator.lower()
    for kind, words in WORDS.items():
        if any(word in name for word in words):
            return kind
    return "memory"


@torch.inference_mode()
def profile_engine(engine: Engine, width: int, height: int) -> Counter[str]:
    """Milliseconds of each kind in one run."""
    photo = torch.randn(1, 3, height, width)
    engine(photo)
    if isinstance(engine, OpenVinoEngine):
        return _profile_openvino(engine, photo)
    assert isinstance(engine, PlainEngine)
    return _profile_eager(engine, photo)


def _profile_eager(engine: PlainEngine, photo: torch.Tensor) -> Counter[str]:
    with profile(use_kineto=False) as seen:  # Kineto would look for a GPU and complain
        for _ in range(REPEATS):
            engine(photo)
    times: Counter[str] = Counter()
    for event in seen.key_averages():
        times[kind_of(event.key)] += event.self_cpu_time_total / 1000 / REPEATS
    return times


def _profile_openvino(engine: OpenVinoEngine, photo: torch.Tensor) -> Counter[str]:
    import openvino  # here, so that eager engines can be profiled without it

    request = engine.compile((photo.shape[3], photo.shape[2]), profiled=True).create_infer_request()
    times: Counter[str] = Counter()
    for repeat in range(REPEATS + 1):
        request.infer({0: photo.numpy()})
        if repeat:  # the first allocates
            for part in request.profiling_info:
                if part.status == openvino.ProfilingInfo.Status.EXECUTED:
                    milliseconds = part.real_time.total_seconds() * 1000
                    times[kind_of(part.node_type)] += milliseconds / REPEATS
    return times


def profile_table(
    engines: Mapping[str, Mapping[str, Engine]], size: tuple[int, int]
) -> pd.DataFrame:
    """One row for each engine and network: milliseconds, and the share of each kind in percent."""
    rows = []
    for engine, networks in engines.items():
        for name, network in networks.items():
            times = profile_engine(network, *size)
            total = times.total()
            shares = {f"{kind} %": round(100 * times[kind] / total, 1) for kind in KINDS}
            row = {"size": f"{size[0]}×{size[1]}", "engine": engine, "network": name}
            rows.append({**row, "ms": round(total, 1), **shares})
    return pd.DataFrame(rows)
