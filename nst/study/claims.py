"""The paper's claims about training (its sections 4.2–4.4) beside our own numbers.

    python -m nst.study.claims

prints two Markdown tables, made from the logs and `evaluation.csv` beside the checkpoints: the
losses of the four networks, and each claim with what our runs say about it.  `nst.study.figures`
writes them to assets/claims.md; the README holds them too, and a test compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from nst.checkpoint import CheckpointError
from nst.models import VARIANTS
from nst.paths import CHECKPOINTS
from nst.training.log import read_log

LIGHT = [name for name in VARIANTS if name != "baseline"]
BLOCK = 100  # steps whose training losses are averaged: single batches differ too much
EARLY_STEP = 800  # of the paper's figure 4
ALIKE = 0.05  # a final loss that differs less than this is nearly the same


class Claim(NamedTuple):
    claim: str
    measured: str
    verdict: str  # "confirmed", "partly" or "not confirmed", and why where it is not plain


def read_logs(folder: Path = CHECKPOINTS) -> dict[str, pd.DataFrame]:
    """The four logs by network, numbers in all columns (NaN where nothing was validated).

    Raises:
        CheckpointError: one is missing.
    """
    logs = {}
    for name in VARIANTS:
        rows = read_log(folder / f"{name}.csv")
        if not rows:
            raise CheckpointError(f"{name}.csv: no log of a training")
        logs[name] = pd.DataFrame(rows).apply(pd.to_numeric)
    return logs


def read_evaluation(folder: Path = CHECKPOINTS) -> pd.DataFrame:
    """The table of `nst.study.evaluate`, a row for each photo and network.

    Raises:
        CheckpointError: it is missing.
    """
    path = folder / "evaluation.csv"
    if not path.exists():
        raise CheckpointError(f"{path.name}: missing; python -m nst.study.evaluate makes it")
    return pd.read_csv(path)


def losses_table(evaluation: pd.DataFrame) -> str:
    """Markdown: each network's mean loss terms, validation photos and test photos ± deviation."""
    photos = evaluation.groupby("part")["photo"].nunique()
    terms = ("content", "style", "total")
    of_validation = [f"{term}, {photos['validation']} validation photos" for term in terms]
    of_test = [f"{term}, {photos['test']} test photos" for term in terms]
    rows = []
    for name in VARIANTS:
        mine = evaluation[evaluation["network"] == name]
        validation, test = (mine[mine["part"] == part] for part in ("validation", "test"))
        means = [f"{validation[term].mean():.3f}" for term in terms]
        spreads = [f"{test[term].mean():.3f} ± {test[term].std():.3f}" for term in terms]
        rows.append([name, *means, *spreads])
    return markdown_table(["network", *of_validation, *of_test], rows)


def claims(logs: dict[str, pd.DataFrame], evaluation: pd.DataFrame) -> list[Claim]:
    """The paper's claims one by one, judged by our numbers alone."""
    test = evaluation[evaluation["part"] == "test"]
    return [_decrease(logs), _convergence(logs), _same_picture(test), _red_spots(test)]


def claims_table(found: Sequence[Claim]) -> str:
    """Markdown: one row for each claim."""
    return markdown_table(["the paper's claim", "our runs", "verdict"], [list(c) for c in found])


def _decrease(logs: dict[str, pd.DataFrame]) -> Claim:
    """Falling blocks of steps; the sum that is minimised must be the same in all of them."""
    parts, shares = [], []
    for name, log in logs.items():
        blocks = block_means(log, "content") + 2 * block_means(log, "style")
        falls = int((blocks.diff().dropna() < 0).sum())
        shares.append(falls / (len(blocks) - 1))
        parts.append(f"{name} {blocks.iloc[0]:.2f} → {blocks.iloc[-1]:.2f} ({falls})")
    count = len(blocks) - 1
    verdict = "confirmed" if min(shares) > 0.9 else "partly: it falls, with ups and downs"
    measured = f"content + 2 × style, mean of {BLOCK} steps, first → last (falls in, of {count}): "
    return Claim("All losses decrease consistently", measured + "; ".join(parts), verdict)


def _convergence(logs: dict[str, pd.DataFrame]) -> Claim:
    window = (EARLY_STEP - BLOCK, EARLY_STEP)
    early = {
        name: (log["content"] + 2 * log["style"])[log["step"].between(*window)].mean()
        for name, log in logs.items()
    }
    slower = [name for name in LIGHT if early[name] > early["baseline"]]
    verdict = _verdict(slower)
    values = ", ".join(f"{name} {value:.2f}" for name, value in early.items())
    measured = f"content + 2 × style, mean of steps {window[0]}–{window[1]}: {values}"
    return Claim("The lightweight networks learn more slowly", measured, verdict)


def _same_picture(test: pd.DataFrame) -> Claim:
    totals = test.groupby("network")["total"].mean()
    apart = test.groupby("network")["from_baseline"].mean()
    differences = {name: totals[name] / totals["baseline"] - 1 for name in LIGHT}
    alike = [name for name in LIGHT if abs(differences[name]) < ALIKE]
    verdict = _verdict(alike, of_all="confirmed in loss")
    content = test[test["network"] == "baseline"]["content"].mean()
    values = ", ".join(f"{name} {100 * value:+.1f} %" for name, value in differences.items())
    distances = ", ".join(f"{name} {apart[name]:.2f}" for name in LIGHT)
    measured = (
        f"total loss against the baseline's: {values}; distance of the pictures in relu2_2 from "
        f"the baseline's picture: {distances} (of that from its photo: {content:.2f})"
    )
    return Claim("The final pictures are nearly the same", measured, verdict)


def _red_spots(test: pd.DataFrame) -> Claim:
    """More spots than the baseline: on the same photos, by more than two standard errors."""
    spots = test.pivot(index="photo", columns="network", values="red_spots")
    more_than_baseline = spots[LIGHT].sub(spots["baseline"], axis="index")
    mean, error = more_than_baseline.mean(), more_than_baseline.sem()
    grid = test.groupby("network")["grid_db"].mean()
    more = [name for name in LIGHT if mean[name] > 2 * error[name]]
    verdict = _verdict(more, of_none="not confirmed: none has more than the baseline")
    counts = ", ".join(f"{name} {spots[name].mean():.0f}" for name in VARIANTS)
    differences = ", ".join(f"{name} {mean[name]:+.0f} ± {error[name]:.0f}" for name in LIGHT)
    grids = ", ".join(f"{name} {grid[name]:.1f}" for name in VARIANTS)
    measured = (
        f"red dots, pixels in 1,000 of yellow areas: {counts}; more than the baseline, ± standard "
        f"error: {differences}; grid of 2 and 4 px: {grids} dB"
    )
    return Claim("Red spots in the lightweight networks, none in the baseline", measured, verdict)


def _verdict(
    names: Sequence[str], of_all: str = "confirmed", of_none: str = "not confirmed"
) -> str:
    """On a claim about the light networks that these of them fulfil."""
    return {len(LIGHT): of_all, 0: of_none}.get(len(names), f"partly: {', '.join(names)}")


def block_means(log: pd.DataFrame, column: str) -> pd.Series:
    """The mean of a column over each whole block of `BLOCK` steps."""
    whole = log.head(len(log) // BLOCK * BLOCK)
    return whole[column].groupby((whole["step"] - 1) // BLOCK).mean()


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown() -> str:
    """Both tables, from what lies in checkpoints/."""
    evaluation = read_evaluation()
    found = claims(read_logs(), evaluation)
    return f"{losses_table(evaluation)}\n\n{claims_table(found)}\n"


if __name__ == "__main__":
    print(markdown(), end="")
