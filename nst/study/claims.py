"""The paper's claims about training (its sections 4.2–4.4) beside our own numbers.

    python -m nst.study.claims

prints three Markdown tables, made from the logs, `evaluation.csv` and the settings in the
checkpoints: the losses of all networks, the lattice and red spots in their pictures, and each claim
with what our runs say about it.  `nst.study.figures` writes them to assets/claims.md; the README
holds them too, and a test compares.  The claims are judged by the paper's four networks; v4, which
is ours, stands beside them.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.study.claims")

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from nst.checkpoint import CheckpointError
from nst.models import VARIANTS
from nst.paper import EARLY_STEP, PARAMETERS
from nst.paths import CHECKPOINTS
from nst.study.seeds import SeedSpread, read_ablation, seed_spread
from nst.study.trained import common_loss
from nst.training.log import read_log

PAPER = [name for name in VARIANTS if name in PARAMETERS]
LIGHT = [name for name in PAPER if name != "baseline"]
OURS = "v4"
BLOCK = 100  # steps whose training losses are averaged: single batches differ too much
NONE = 5  # % of the yellow area: who has fewer spots has none


class Claim(NamedTuple):
    claim: str
    measured: str
    verdict: str  # "confirmed", "partly" or "not confirmed", and why where it is not plain
    ours: str  # the same of v4


def read_logs(folder: Path = CHECKPOINTS) -> dict[str, pd.DataFrame]:
    """The logs by network, numbers in all columns (NaN where nothing was validated).

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


def artifacts_table(evaluation: pd.DataFrame) -> str:
    """Markdown: lattice and red spots of the test photos' pictures, mean ± deviation."""
    test = evaluation[evaluation["part"] == "test"]
    rows = []
    for name in VARIANTS:
        mine = test[test["network"] == name]
        spotted = mine[mine["array_share"] > 0]
        judged = mine["array_share"].dropna()
        contrast = "–" if spotted.empty else f"{spotted['array_contrast'].mean():.0f}"
        rows.append(
            [
                name,
                f"{mine['lattice_db'].mean():.1f} ± {mine['lattice_db'].std():.1f}",
                f"{100 * judged.mean():.0f} ± {100 * judged.std():.0f} ({len(judged)})",
                contrast,
            ]
        )
    heads = (
        "network",
        f"lattice ratio, dB, {test['photo'].nunique()} test photos",
        "red spots, % of the yellow area (pictures that have one)",
        "contrast of the spots, levels of 255",
    )
    return markdown_table(heads, rows)


def claims(
    logs: dict[str, pd.DataFrame],
    evaluation: pd.DataFrame,
    style_weight: float,
    spread: SeedSpread,
) -> list[Claim]:
    """The paper's claims one by one, judged by our numbers alone.

    A network was trained once: what a second seed may change is no difference between two of them.
    """
    test = evaluation[evaluation["part"] == "test"]
    return [
        _decrease(logs, style_weight),
        _convergence(logs, style_weight),
        _same_picture(test, spread),
        _red_spots(test, spread),
    ]


def claims_table(found: Sequence[Claim]) -> str:
    """Markdown: one row for each claim."""
    heads = ("the paper's claim", "our runs", "verdict", f"{OURS}, ours")
    return markdown_table(heads, [list(claim) for claim in found])


def _decrease(logs: dict[str, pd.DataFrame], style_weight: float) -> Claim:
    """Falling epochs of the two terms that make up nearly all of the sum.

    An epoch sees every photo once: of shorter spans, half would rise by the photos that they have.
    """
    words, shares = {}, {}
    for name, log in logs.items():
        epochs = _both(log, style_weight).groupby(log["epoch"]).mean()
        falls = int((epochs.diff().dropna() < 0).sum())
        shares[name] = falls / max(1, len(epochs) - 1)
        words[name] = f"{epochs.iloc[0]:.2f} → {epochs.iloc[-1]:.2f} ({falls})"
    count = len(epochs) - 1
    unsteady = [name for name in PAPER if shares[name] <= 0.9]
    verdict = f"partly: {', '.join(unsteady)} with ups and downs" if unsteady else "confirmed"
    sum_of_both = f"content + {style_weight:g} × style, mean of an epoch"
    measured = f"{sum_of_both}, first → last (falls, of {count}): {_listed(words)}"
    return Claim("All losses decrease consistently", measured, verdict, words[OURS])


def _convergence(logs: dict[str, pd.DataFrame], style_weight: float) -> Claim:
    window = (EARLY_STEP - BLOCK, EARLY_STEP)
    early = {
        name: _both(log, style_weight)[log["step"].between(*window)].mean()
        for name, log in logs.items()
    }
    verdict = _verdict([name for name in LIGHT if early[name] > early["baseline"]])
    words = {name: f"{value:.2f}" for name, value in early.items()}
    both = f"content + {style_weight:g} × style"
    measured = f"{both}, mean of steps {window[0]}–{window[1]}: {_listed(words)}"
    return Claim("The lightweight networks learn more slowly", measured, verdict, words[OURS])


def _same_picture(test: pd.DataFrame, spread: SeedSpread) -> Claim:
    totals = test.groupby("network")["total"].mean()
    apart = test.groupby("network")["from_baseline"].mean()
    differences = totals / totals["baseline"] - 1
    alike = [name for name in LIGHT if abs(differences[name]) <= spread.loss]
    verdict = _verdict(alike, of_all="confirmed in loss")
    content = test[test["network"] == "baseline"]["content"].mean()
    of_total = {name: f"{100 * differences[name]:+.1f} %" for name in (*LIGHT, OURS)}
    distances = {name: f"{apart[name]:.2f}" for name in (*LIGHT, OURS)}
    measured = (
        f"total loss against the baseline's: {_listed(of_total, LIGHT)} (a second seed changes up "
        f"to {100 * spread.loss:.1f} %); distance of the pictures in relu2_2 from the baseline's "
        f"picture: {_listed(distances, LIGHT)} (of that from its photo: {content:.2f})"
    )
    ours = f"{of_total[OURS]}; {distances[OURS]}"
    return Claim("The final pictures are nearly the same", measured, verdict, ours)


def _red_spots(test: pd.DataFrame, spread: SeedSpread) -> Claim:
    """More spots than the baseline on the same photos: by two standard errors, and two seeds.

    Photos count on which both pictures have yellow to judge.
    """
    shares = 100 * test.pivot(index="photo", columns="network", values="array_share")
    differences = shares.sub(shares["baseline"], axis="index")
    mean, error = differences.mean(), differences.sem()
    lattice = test.groupby("network")["lattice_db"].mean()
    by_seed = 100 * spread.array_share
    more = [name for name in LIGHT if mean[name] > max(2 * error[name], by_seed)]
    verdict = _verdict(more, of_none="not confirmed: none has more than the baseline")
    if more and shares["baseline"].mean() >= NONE:
        verdict = f"partly: more in {', '.join(more)}, but some in the baseline too"
    of_yellow = {name: f"{shares[name].mean():.0f}" for name in VARIANTS}
    beyond = {name: f"{mean[name]:+.0f} ± {error[name]:.0f}" for name in (*LIGHT, OURS)}
    decibels = {name: f"{lattice[name]:.1f}" for name in VARIANTS}
    measured = (
        f"arrays of red spots, % of the yellow area: {_listed(of_yellow)}; more than the baseline "
        f"on the same photos, ± standard error: {_listed(beyond, LIGHT)} (a second seed changes up "
        f"to {by_seed:.0f}); lattice ratio: "
        f"{_listed(decibels)} dB"
    )
    ours = f"{of_yellow[OURS]} %; {beyond[OURS]}; {decibels[OURS]} dB"
    claim = "Red spots in the lightweight networks, none in the baseline"
    return Claim(claim, measured, verdict, ours)


def _both(log: pd.DataFrame, style_weight: float) -> pd.Series:
    """Content and style of every step, weighted as in the loss."""
    return log["content"] + style_weight * log["style"]


def _listed(words: Mapping[str, str], names: Sequence[str] = PAPER) -> str:
    return ", ".join(f"{name} {words[name]}" for name in names)


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
    """All tables, from what lies in checkpoints/."""
    evaluation = read_evaluation()
    weight = common_loss().style_weight
    found = claims(read_logs(), evaluation, weight, seed_spread(read_ablation(), weight))
    tables = (losses_table(evaluation), artifacts_table(evaluation), claims_table(found))
    return "\n\n".join(tables) + "\n"


def main() -> int:
    try:
        print(markdown(), end="")
    except CheckpointError as error:
        print(f"nst.study.claims: {error}", file=sys.stderr)
        return 1
    return 0
