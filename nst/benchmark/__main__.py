"""Table 1 of the paper, measured: parameters, file size, arithmetic and CPU latency.

    python -m nst.benchmark                     the paper's protocol: one 256×256 picture, eager
    python -m nst.benchmark --size 256 512 1080p --engine plain eager openvino --csv latency.csv
    python -m nst.benchmark --profile --engine eager openvino             where the time goes
    python -m nst.benchmark --peers --engine plain openvino      beside ONNX Runtime, torch.compile
                                                                 and pytorch/examples' network
    python -m nst.benchmark.cost                                 how the time grows with the picture

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
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch

from nst import paper
from nst.benchmark.peers import Peer, peers
from nst.benchmark.tables import PAPERS_SIZE, latency_markdown, latency_table
from nst.checkpoint import CheckpointError, load_networks
from nst.console import command_parser
from nst.files import write_then_rename
from nst.inference.engines import ALL_ENGINES, EngineError, build_engines
from nst.inference.latency import Size, hardware, measure_latency, parse_size
from nst.models import TransformerNet

REPEATS = 50  # of a picture of the paper's size; larger ones are repeated less often


def default_repeats(size: Size) -> int:
    return max(7, round(REPEATS * paper.LATENCY_SIDE**2 / (size[0] * size[1])))


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser("nst.benchmark", __doc__)
    add = parser.add_argument
    sizes = {"type": parse_size, "metavar": "PX", "help": "512, 640x480, 1080p"}
    add("--size", nargs="+", default=[PAPERS_SIZE], **sizes)
    add("--engine", nargs="+", choices=ALL_ENGINES, default=["eager"])
    add("--peers", action="store_true", help="also ONNX Runtime, torch.compile, pytorch/examples")
    add("--repeats", type=int, help=f"default: {REPEATS} at 256×256, fewer for larger pictures")
    add("--threads", type=int, help="default: PyTorch's choice")
    add("--precision", choices=("fp32", "bf16"), default="fp32", help="of OpenVINO")
    add("--profile", action="store_true", help="shares of the time instead of latencies")
    add("--csv", type=Path, help="the rows, into a file")
    options = parser.parse_args(arguments)
    if options.profile and options.peers:
        parser.error("--profile sees engines only, not --peers")
    if options.repeats is not None and options.repeats < 2:
        parser.error("--repeats: 2 at least")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = parse_options(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    precision = {"openvino": options.precision}
    try:
        networks = load_networks()
        engines = {
            name: build_engines(networks, name, precision=precision.get(name, "fp32"), report=None)
            for name in options.engine
        }
        runs = engines | (peers(networks) if options.peers else {})
        for name in runs:
            print(hardware(name, precision.get(name, "fp32")))
        if options.profile:
            from nst.benchmark.profile import profile_table  # here: its profiler takes a second

            for size in options.size:
                print(profile_table(engines, size).to_string(index=False))
            return 0
        rows = measure_all(networks, runs, options.size, options.repeats)
    except (CheckpointError, EngineError) as error:
        print(f"nst.benchmark: {error}", file=sys.stderr)
        return 1
    return report(rows, options.csv)


def measure_all(
    networks: Mapping[str, TransformerNet],
    runs: Mapping[str, Mapping[str, Peer]],
    sizes: Sequence[Size],
    repeats: int | None,
) -> pd.DataFrame:
    """Rows of `latency_table` for all sizes, of each network on each engine or peer."""
    ready = {(name, network): run for name, of in runs.items() for network, run in of.items()}
    tables = []
    for size in sizes:
        times = measure_latency(ready, *size, repeats or default_repeats(size))
        tables.append(latency_table(networks, times, size))
    return pd.concat(tables)


def report(rows: pd.DataFrame, csv: Path | None) -> int:
    """Write the rows into a file, if there is one, then print them; the exit code."""
    code = 0
    if csv is not None:
        try:
            write_then_rename(csv, lambda path: rows.to_csv(path, index=False))
        except OSError as error:
            print(f"nst.benchmark: {error}", file=sys.stderr)
            code = 1
    for size, table in rows.groupby("size", sort=False):
        print(f"\n{size}, median of {table['repeats'].iloc[0]} interleaved repeats")
        print(table.drop(columns=["size", "repeats"]).to_string(index=False, na_rep="–"))
    print(f"\n{latency_markdown(rows)}")
    return code
