"""The paper's claims about training (its sections 4.2–4.4) beside our own numbers.

    python -m nst.study.claims

writes two Markdown tables to assets/claims.md, made from the logs, `evaluation.csv`, the ablation
and the settings in the checkpoints: the losses of all networks (in the model card too), and each
claim with what our runs say about it (in the README too; a test compares).  The claims are judged
by the paper's four networks; v4, which is ours, stands beside them.
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

from nst.console import command_parser
from nst.models import VARIANTS
from nst.paper import EARLY_STEP, PARAMETERS
from nst.paths import ASSETS, CHECKPOINTS
from nst.reporting import markdown_table, save
from nst.study.common import ABLATION, EVALUATION, common_loss, read_logs

PAPER = [name for name in VARIANTS if name in PARAMETERS]
LIGHT = [name for name in PAPER if name != "baseline"]
EARLY = (EARLY_STEP - 100, EARLY_STEP)  # steps; single batches differ too much
STEADY = 0.9  # of all epochs, in which a loss that decreases consistently falls at least
NONE = 5  # % of the yellow area: who has fewer spots has none
TABLES = "claims.md"
SECOND = "-seed1"  # behind the name of the first run in the ablation


class Claim(NamedTuple):
    claim: str
    verdict: str  # "confirmed", "partly" or "not confirmed", and why where it is not plain
    measured: dict[str, Mapping[str, str]]  # what was measured: its value by network


class SeedSpread(NamedTuple):
    """The greatest differences between two trainings that differ in the seed alone."""

    loss: float  # of content and style, weighted as in training: a part of it
    array_share: float  # red spots, a part of the yellow area
    lattice_db: float


def seed_spread(runs: pd.DataFrame, style_weight: float) -> SeedSpread:
    """From the ablation's runs, by name, of which there are two."""
    first = runs.loc[[name for name in runs.index if f"{name}{SECOND}" in runs.index]]
    second = runs.loc[[f"{name}{SECOND}" for name in first.index]].set_axis(first.index)
    loss, other = (_content_and_style(each, style_weight) for each in (first, second))
    apart = (first[["array_share", "lattice_db"]] - second[["array_share", "lattice_db"]]).abs()
    return SeedSpread((other / loss - 1).abs().max(), *apart.max())


def losses_markdown(evaluation: pd.DataFrame) -> str:
    """Each network's mean loss terms, of validation photos, and of test photos ± deviation."""
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


def judge(
    logs: Mapping[str, pd.DataFrame],
    evaluation: pd.DataFrame,
    style_weight: float,
    spread: SeedSpread,
) -> list[Claim]:
    """The paper's claims one by one, judged by our numbers alone.

    A network was trained once: what a second seed may change is no difference between two of them.
    """
    test = evaluation[evaluation["part"] == "test"]
    both = f"content + {style_weight:g} × style"
    logs = {n: log.assign(both=_content_and_style(log, style_weight)) for n, log in logs.items()}
    return [
        _decrease(logs, both),
        _convergence(logs, both),
        _same_picture(test, spread),
        _red_spots(test, spread),
    ]


def claims_markdown(found: Sequence[Claim]) -> str:
    """A line for each thing that was measured; claim and verdict stand beside the first."""
    rows = []
    for claim, verdict, measured in found:
        for what, values in measured.items():
            cells = [values.get(name, "–") for name in VARIANTS]
            rows.append([claim, what, *cells, verdict])
            claim = verdict = ""
    return markdown_table(["the paper's claim", "measured", *VARIANTS, "verdict"], rows)


def _decrease(logs: Mapping[str, pd.DataFrame], both: str) -> Claim:
    """Falling epochs of the two terms that make up nearly all of the sum.

    An epoch sees every photo once: of shorter spans, half would rise by the photos that they have.
    """
    epochs = {name: log.groupby("epoch")["both"].mean() for name, log in logs.items()}
    falls = {name: int((means.diff() < 0).sum()) for name, means in epochs.items()}
    count = len(epochs["baseline"]) - 1
    unsteady = [name for name in PAPER if falls[name] <= STEADY * count]
    verdict = f"partly: {', '.join(unsteady)} with ups and downs" if unsteady else "confirmed"
    first_last = {name: f"{one.iloc[0]:.2f} → {one.iloc[-1]:.2f}" for name, one in epochs.items()}
    measured = {
        f"{both}, first and last epoch": first_last,
        f"epochs in which it falls, of {count}": {name: str(n) for name, n in falls.items()},
    }
    return Claim("All losses decrease consistently", verdict, measured)


def _convergence(logs: Mapping[str, pd.DataFrame], both: str) -> Claim:
    early = {name: log["both"][log["step"].between(*EARLY)].mean() for name, log in logs.items()}
    verdict = _verdict([name for name in LIGHT if early[name] > early["baseline"]])
    words = {name: f"{value:.2f}" for name, value in early.items()}
    measured = {f"{both}, steps {EARLY[0]} to {EARLY[1]}": words}
    return Claim("The lightweight networks learn more slowly", verdict, measured)


def _same_picture(test: pd.DataFrame, spread: SeedSpread) -> Claim:
    means = test.groupby("network")[["total", "content", "from_baseline"]].mean()
    others = means.drop("baseline")
    differences = others["total"] / means["total"]["baseline"] - 1
    alike = [name for name in LIGHT if abs(differences[name]) <= spread.loss]
    content = means["content"]["baseline"]
    measured = {
        f"total loss against the baseline's (another seed: up to {100 * spread.loss:.1f} %)": {
            name: f"{100 * value:+.1f} %" for name, value in differences.items()
        },
        f"relu2_2 distance from the baseline's picture (its own from the photo: {content:.2f})": {
            name: f"{value:.2f}" for name, value in others["from_baseline"].items()
        },
    }
    verdict = _verdict(alike, of_all="confirmed in loss")
    return Claim("The final pictures are nearly the same", verdict, measured)


def _red_spots(test: pd.DataFrame, spread: SeedSpread) -> Claim:
    """More spots than the baseline on the same photos: by two standard errors, and two seeds.

    Photos count on which both pictures have yellow to judge.
    """
    shares = 100 * test.pivot(index="photo", columns="network", values="array_share")
    lattice = test.pivot(index="photo", columns="network", values="lattice_db")
    contrast = test[test["array_share"] > 0].groupby("network")["array_contrast"].mean()
    differences = shares.sub(shares["baseline"], axis="index").drop(columns="baseline")
    mean, error = differences.mean(), differences.sem()
    by_seed = 100 * spread.array_share
    more = [name for name in LIGHT if mean[name] > max(2 * error[name], by_seed)]
    verdict = _verdict(more, of_none="not confirmed: none has more than the baseline")
    if more and shares["baseline"].mean() >= NONE:
        verdict = f"partly: more in {', '.join(more)}, but the baseline has some too"
    more_than = (
        f"difference from the baseline on the same photos (another seed: up to {by_seed:.0f})"
    )
    measured = {
        f"red spots, % of the yellow area, {len(shares)} test photos": {
            name: f"{one.mean():.0f} ± {one.std():.0f}" for name, one in shares.items()
        },
        f"{more_than}, ± standard error": {
            name: f"{mean[name]:+.0f} ± {error[name]:.0f}" for name in differences
        },
        "contrast of the spots, levels": {n: f"{one:.0f}" for n, one in contrast.items()},
        "lattice ratio, dB": {
            n: f"{one.mean():.1f} ± {one.std():.1f}" for n, one in lattice.items()
        },
    }
    claim = "Red spots in the lightweight networks, none in the baseline"
    return Claim(claim, verdict, measured)


def _content_and_style(rows: pd.DataFrame, style_weight: float) -> pd.Series:
    """Weighted as in the loss."""
    return rows["content"] + style_weight * rows["style"]


def _verdict(
    names: Sequence[str], of_all: str = "confirmed", of_none: str = "not confirmed"
) -> str:
    """On a claim about the light networks that these of them fulfil."""
    return {len(LIGHT): of_all, 0: of_none}.get(len(names), f"partly: {', '.join(names)}")


def all_markdown() -> str:
    """The two tables, from what lies in checkpoints/ and assets/."""
    evaluation = pd.read_csv(CHECKPOINTS / EVALUATION)
    weight = common_loss().style_weight
    spread = seed_spread(pd.read_csv(ASSETS / ABLATION, index_col="run"), weight)
    found = judge(read_logs(), evaluation, weight, spread)
    return f"{losses_markdown(evaluation)}\n\n{claims_markdown(found)}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.study.claims", __doc__)
    parser.add_argument("--out", type=Path, default=ASSETS, help="a folder; default: assets/")
    options = parser.parse_args(arguments)
    try:
        save(options.out / TABLES, all_markdown())
    except (ValueError, OSError) as error:
        print(f"nst.study.claims: {error}", file=sys.stderr)
        return 1
    return 0
