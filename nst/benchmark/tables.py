"""Table 1 of the paper with what was measured here: rows for each network, and their Markdown."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from nst import paper
from nst.benchmark.peers import OTHER_NETWORKS
from nst.inference.latency import Size, quartiles, speed_ups
from nst.models import TransformerNet, build_model, count_parameters
from nst.paths import CHECKPOINTS
from nst.reporting import markdown_table

PAPERS_SIZE: Size = (paper.LATENCY_SIDE, paper.LATENCY_SIDE)


def gigamacs(network: TransformerNet, size: Size = PAPERS_SIZE) -> float:
    """Multiply-accumulates of all convolutions for one picture, in 10⁹; nothing is computed."""
    width, height = size
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        copy.deepcopy(network).to("meta")(torch.empty(1, 3, height, width, device="meta"))
    return counter.get_total_flops() / 2e9


def latency_table(
    networks: Mapping[str, TransformerNet],
    times: Mapping[tuple[str, str], Sequence[float]],
    size: Size = PAPERS_SIZE,
) -> pd.DataFrame:
    """One row for each engine and network, from the milliseconds of (engine, network).

    `speed-up` is against the baseline on the same engine; the paper's columns belong to 256×256 and
    are empty for networks that it does not have.
    """
    papers = speed_ups(paper.LATENCY_MS)
    most = count_parameters(networks["baseline"])
    others = {key: build_model(name) for key, name in OTHER_NETWORKS.items() if key in times}
    macs = {name: gigamacs(network, size) for name, network in (networks | others).items()}
    rows = []
    for (engine, name), values in times.items():
        lower, median, upper = quartiles(values)
        parameters = count_parameters(networks[name])
        rows.append(
            {
                "size": f"{size[0]}×{size[1]}",
                "engine": engine,
                "network": name,
                "parameters": parameters,
                "reduction %": round(100 * (1 - parameters / most), 2),
                "GMAC": round(macs.get((engine, name), macs[name]), 2),
                "file MB": round((CHECKPOINTS / f"{name}.safetensors").stat().st_size / 1e6, 2),
                "latency ms": round(median, 1),
                "quartiles ms": f"{lower:.1f}–{upper:.1f}",
                "repeats": len(values),
                "speed-up": round(quartiles(times[engine, "baseline"])[1] / median, 2),
                "paper ms": paper.LATENCY_MS.get(name, math.nan),
                "paper speed-up": round(papers.get(name, math.nan), 2),
            }
        )
    return pd.DataFrame(rows)


def latency_markdown(rows: pd.DataFrame) -> str:
    """Rows of `latency_table` as the README shows them: a line for each size and engine.

    Medians in ms with the speed-up against the same engine's baseline; "all 4" is their sum.  What
    an engine does not have is a dash.
    """
    names = list(dict.fromkeys(rows["network"]))
    lines = []
    for (size, engine), part in rows.groupby(["size", "engine"], sort=False):
        of = part.set_index("network")
        cells = {
            name: f"{of['latency ms'][name]:.0f} ({of['speed-up'][name]:.2f}×)" for name in of.index
        }
        total = f"{of['latency ms'].sum():.0f}" if len(cells) == len(names) else "–"
        lines.append([size, engine, *(cells.get(name, "–") for name in names), total])
    return markdown_table(["size", "engine", *names, f"all {len(names)}"], lines)
