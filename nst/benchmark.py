"""Table 1 of the paper, measured: parameters, file size, arithmetic and CPU latency.

    python -m nst.benchmark                     the paper's protocol: one 256×256 picture, eager
    python -m nst.benchmark --size 256 512 1080p --engine plain eager openvino --csv latency.csv
    python -m nst.benchmark --profile --engine eager openvino             where the time goes

Latency is the time of one network on one picture from tensor to tensor: a few runs to warm up,
then the median of repeats.  Every repeat times all networks on all engines one after the other, so
that a busy machine slows all of them alike.  Engines are those of `nst.inference.engines`.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from nst import paper
from nst.checkpoint import CheckpointError, load_networks
from nst.fast import keep_freed_memory
from nst.inference.engines import (
    ALL_ENGINES,
    NO_OPENVINO,
    Engine,
    EngineError,
    build_engines,
    has_openvino,
)
from nst.inference.latency import circumstances, measure_latency, speed_ups
from nst.models import MIN_SIDE, TransformerNet, count_parameters
from nst.paths import CHECKPOINTS

REPEATS = 50  # of a picture of that size; larger ones are repeated less often

Size = tuple[int, int]  # width and height in px
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
    eager PyTorch where that was measured too; the paper's columns belong to 256×256.
    """
    medians = {key: statistics.median(values) for key, values in times.items()}
    papers = speed_ups(paper.LATENCY_MS)
    most = count_parameters(networks["baseline"])
    macs = {name: gigamacs(network, size) for name, network in networks.items()}
    file_sizes = {
        name: (CHECKPOINTS / f"{name}.safetensors").stat().st_size / 1e6 for name in networks
    }
    eager = medians.get(("eager", "baseline"), float("nan"))
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
                "GMAC": round(macs[name], 2),
                "file MB": round(file_sizes[name], 2),
                "latency ms": round(median, 1),
                "quartiles ms": f"{lower:.1f}–{upper:.1f}",
                "repeats": len(values),
                "speed-up": round(medians[engine, "baseline"] / median, 2),
                "against eager": round(eager / median, 2),
                "paper ms": paper.LATENCY_MS[name],
                "paper speed-up": round(papers[name], 2),
            }
        )
    return pd.DataFrame(rows)


def benchmark(
    networks: Mapping[str, TransformerNet],
    engines: Mapping[str, Mapping[str, Engine]],
    size: Size,
    repeats: int | None = None,
) -> pd.DataFrame:
    """`latency_table` at one size of engine -> network -> callable."""
    ready = {(engine, name): call for engine, of in engines.items() for name, call in of.items()}
    return latency_table(
        networks, measure_latency(ready, *size, repeats or default_repeats(size)), size
    )


def markdown(rows: pd.DataFrame) -> str:
    """Rows of `latency_table` as the README shows them: a line for each size and engine.

    Medians in ms with the speed-up against the same engine's baseline; "all four" is their sum.
    """
    names = list(dict.fromkeys(rows["network"]))
    lines = [f"| size | engine | {' | '.join(names)} | all four |", "|---" * (len(names) + 3) + "|"]
    for (size, engine), part in rows.groupby(["size", "engine"], sort=False):
        of = part.set_index("network")
        cells = [f"{of['latency ms'][name]:.0f} ({of['speed-up'][name]:.2f}×)" for name in names]
        cells.append(f"{of['latency ms'].sum():.0f}")
        lines.append(f"| {size} | {engine} | {' | '.join(cells)} |")
    return "\n".join(lines)


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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
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
    add("--repeats", type=int, help=f"default: {REPEATS} at 256×256, fewer for larger pictures")
    add("--threads", type=int, help="default: PyTorch's choice")
    add("--precision", choices=("fp32", "bf16"), default="fp32", help="of OpenVINO")
    add("--keep-memory", action="store_true", help="see nst.fast.keep_freed_memory")
    add("--profile", action="store_true", help="shares of the time instead of latencies")
    add("--csv", type=Path, help="the rows, into a file")
    add("--json", type=Path, help="the rows and circumstances, into a file")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if "openvino" in options.engine and not has_openvino():
        parser.error(NO_OPENVINO)
    kept = options.keep_memory and keep_freed_memory()
    if options.repeats is not None and options.repeats < 2:
        parser.error("--repeats: 2 at least")
    try:
        networks = load_networks()
        engines = {
            name: build_engines(
                networks, name, precision=options.precision if name == "openvino" else "fp32"
            )
            for name in options.engine
        }
    except (CheckpointError, EngineError) as error:
        parser.error(str(error))

    memory = ", freed memory kept" if kept else ""
    precision = {"openvino": options.precision}
    lines = {name: circumstances(name, precision.get(name, "fp32")) + memory for name in engines}
    print("\n".join(lines.values()))
    if options.profile:
        from nst.study.profile import (
            profile_table,  # here: importing PyTorch's profiler takes a second
        )

        for size in options.size:
            print(profile_table(engines, size).to_string(index=False))
        return

    tables = []
    for size in options.size:
        table = benchmark(networks, engines, size, options.repeats)
        tables.append(table)
        print(f"\n{table['size'][0]}, median of {table['repeats'][0]} interleaved repeats")
        print(table.drop(columns=["size", "repeats"]).to_string(index=False, na_rep="–"))
    rows = pd.concat(tables)
    print(f"\n{markdown(rows)}")
    if options.csv:
        rows.to_csv(options.csv, index=False)
    if options.json:
        content = {
            "circumstances": lines,
            "rows": rows.astype(object).where(rows.notna(), None).to_dict("records"),
        }
        options.json.write_text(json.dumps(content, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
