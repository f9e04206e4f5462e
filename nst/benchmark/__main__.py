"""Table 1 of the paper, measured: parameters, file size, arithmetic and CPU latency.

    python -m nst.benchmark                     the paper's protocol: one 256×256 picture, eager
    python -m nst.benchmark --size 256 512 1080p --engine plain eager openvino --csv latency.csv
    python -m nst.benchmark --profile --engine eager openvino             where the time goes
    python -m nst.benchmark --peers --engine plain openvino      beside ONNX Runtime, torch.compile
                                                                 and pytorch/examples' network

Latency is the time of one network on one picture from tensor to tensor: a few runs to warm up,
then the median of repeats.  Every repeat times all networks on all engines one after the other, so
that a busy machine slows all of them alike.  Engines are those of `nst.inference.engines`, peers
those of `nst.benchmark.peers`.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.benchmark.__main__")

import argparse
import copy
import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from nst import paper
from nst.benchmark.peers import OTHER_NETWORKS, peers
from nst.checkpoint import CheckpointError, load_networks
from nst.fast import keep_freed_memory
from nst.files import write_then_rename
from nst.inference.engines import (
    ALL_ENGINES,
    EngineError,
    Size,
    build_engines,
)
from nst.inference.latency import (
    hardware,
    measure_latency,
    parse_size,
    speed_ups,
)
from nst.models import TransformerNet, build_model, count_parameters
from nst.paths import CHECKPOINTS

REPEATS = 50  # of a picture of that size; larger ones are repeated less often

PAPERS_SIZE: Size = (paper.LATENCY_SIDE, paper.LATENCY_SIDE)


def gigamacs(
    network: TransformerNet, size: Size = (paper.LATENCY_SIDE, paper.LATENCY_SIDE)
) -> float:
    """Multiply-accumulates of all convolutions for one picture, in 10⁹; nothing is computed."""
    width, height = size
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        copy.deepcopy(network).to("meta")(torch.empty(1, 3, height, width, device="meta"))
    return counter.get_total_flops() / 2e9


def default_repeats(size: Size) -> int:
    return max(7, round(REPEATS * paper.LATENCY_SIDE**2 / (size[0] * size[1])))


def latency_table(
    networks: Mapping[str, TransformerNet],
    times: Mapping[tuple[str, str], Sequence[float]],
    size: Size = PAPERS_SIZE,
) -> pd.DataFrame:
    """One row for each engine and network, from the milliseconds of (engine, network).

    `speed-up` is against the baseline on the same engine, `against eager` against the baseline in
    eager PyTorch where that was measured too; the paper's columns belong to 256×256 and are empty
    for networks that it does not have.
    """
    medians = {key: statistics.median(values) for key, values in times.items()}
    papers = speed_ups(paper.LATENCY_MS)
    most = count_parameters(networks["baseline"])
    others = {key: build_model(name) for key, name in OTHER_NETWORKS.items() if key in times}
    macs = {name: gigamacs(network, size) for name, network in (networks | others).items()}
    file_sizes = {
        name: (CHECKPOINTS / f"{name}.safetensors").stat().st_size / 1e6 for name in networks
    }
    eager = medians.get(("eager", "baseline"), math.nan)
    rows = []
    for (engine, name), values in times.items():
        lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
        parameters = count_parameters(networks[name])
        median = medians[engine, name]
        rows.append(
            {
                "size": f"{size[0]}×{size[1]}",
                "engine": engine,
                "network": name,
                "parameters": parameters,
                "reduction %": round(100 * (1 - parameters / most), 2),
                "GMAC": round(macs.get((engine, name), macs[name]), 2),
                "file MB": round(file_sizes[name], 2),
                "latency ms": round(median, 1),
                "quartiles ms": f"{lower:.1f}–{upper:.1f}",
                "repeats": len(values),
                "speed-up": round(medians[engine, "baseline"] / median, 2),
                "against eager": round(eager / median, 2),
                "paper ms": paper.LATENCY_MS.get(name, math.nan),
                "paper speed-up": round(papers.get(name, math.nan), 2),
            }
        )
    return pd.DataFrame(rows)


def markdown(rows: pd.DataFrame) -> str:
    """Rows of `latency_table` as the README shows them: a line for each size and engine.

    Medians in ms with the speed-up against the same engine's baseline; "all 4" is their sum.  What
    an engine does not have is a dash.
    """
    names = list(dict.fromkeys(rows["network"]))
    head = f"| size | engine | {' | '.join(names)} | all {len(names)} |"
    lines = [head, "|---" * (len(names) + 3) + "|"]
    for (size, engine), part in rows.groupby(["size", "engine"], sort=False):
        of = part.set_index("network")
        cells = [
            f"{of['latency ms'][name]:.0f} ({of['speed-up'][name]:.2f}×)"
            if name in of.index
            else "–"
            for name in names
        ]
        cells.append("–" if "–" in cells else f"{of['latency ms'].sum():.0f}")
        lines.append(f"| {size} | {engine} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m nst.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--size",
        type=parse_size,
        nargs="+",
        default=[PAPERS_SIZE],
        metavar="PX",
        help="512, 640x480, 1080p",
    )
    add("--engine", nargs="+", choices=ALL_ENGINES, default=["eager"])
    add("--peers", action="store_true", help="also ONNX Runtime, torch.compile, pytorch/examples")
    add("--repeats", type=int, help=f"default: {REPEATS} at 256×256, fewer for larger pictures")
    add("--threads", type=int, help="default: PyTorch's choice")
    add("--precision", choices=("fp32", "bf16"), default="fp32", help="of OpenVINO")
    add("--keep-memory", action="store_true", help="see nst.fast.keep_freed_memory")
    add("--profile", action="store_true", help="shares of the time instead of latencies")
    add("--csv", type=Path, help="the rows, into a file")
    add("--json", type=Path, help="the rows and circumstances, into a file")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    kept = options.keep_memory and keep_freed_memory()
    if options.profile and options.peers:
        parser.error("--profile sees engines only, not --peers")
    if options.repeats is not None and options.repeats < 2:
        parser.error("--repeats: 2 at least")
    precision = {"openvino": options.precision}
    try:
        networks = load_networks()
        engines = {
            name: build_engines(networks, name, precision=precision.get(name, "fp32"), report=None)
            for name in options.engine
        }
        runs = engines | (peers(networks) if options.peers else {})
    except (CheckpointError, EngineError) as error:
        parser.error(str(error))

    memory = ", freed memory kept" if kept else ""
    lines = {name: hardware(name, precision.get(name, "fp32")) + memory for name in runs}
    print("\n".join(lines.values()))
    if options.profile:
        from nst.benchmark.profile import profile_table  # here: PyTorch's profiler takes a second

        for size in options.size:
            print(profile_table(engines, size).to_string(index=False))
        return 0

    ready = {(name, network): run for name, of in runs.items() for network, run in of.items()}
    tables = []
    for size in options.size:
        try:
            times = measure_latency(ready, *size, options.repeats or default_repeats(size))
        except EngineError as error:
            parser.error(str(error))
        tables.append(latency_table(networks, times, size))
    rows = pd.concat(tables)
    failures = write_files(rows, lines, options.csv, options.json)  # before anything is printed
    for table in tables:
        print(f"\n{table['size'][0]}, median of {table['repeats'][0]} interleaved repeats")
        print(table.drop(columns=["size", "repeats"]).to_string(index=False, na_rep="–"))
    print(f"\n{markdown(rows)}")
    for failure in failures:
        print(f"nst.benchmark: {failure}", file=sys.stderr)
    return 1 if failures else 0


def write_files(
    rows: pd.DataFrame, circumstances: Mapping[str, str], csv: Path | None, json_path: Path | None
) -> list[OSError]:
    """The rows, and in JSON their circumstances; what could not be written."""
    content = {
        "circumstances": circumstances,
        "rows": rows.astype(object).where(rows.notna(), None).to_dict("records"),
    }
    texts = {
        csv: rows.to_csv(index=False),
        json_path: json.dumps(content, indent=1, ensure_ascii=False),
    }
    failures = []
    for path, text in texts.items():
        try:
            if path is not None:
                write_then_rename(
                    path, lambda name, text=text: Path(name).write_text(text, encoding="utf-8")
                )
        except OSError as error:
            failures.append(error)
    return failures
