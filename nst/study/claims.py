"""The paper's claims about training (its sections 4.2–4.4) beside our own numbers.

    python -m nst.study.claims

writes two Markdown tables to assets/claims.md, made from the logs, `evaluation.csv`, the ablation
and the settings in the checkpoints: the losses of all networks (in the model card too), and each
claim with what our runs say about it (in the README too; a test compares).  The claims are judged
by the paper's four networks; v4, which is ours, stands beside them.

A difference between two networks is taken on the same photos.  Its interval is 1.96 standard
errors of its mean (95 %), and what a second seed changed, where that is known.  Only where the
whole interval lies on one side of a bound is it decided; "undecided" is a verdict too.
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
NEARLY = 5  # % of the baseline's total loss: who is nearer has nearly the same
ALIKE = 0.3  # of relu2_2's energy: two pictures that are nearer look nearly the same
NONE = 5  # % of the yellow area: who has fewer spots has none
CONFIDENCE = 1.96  # standard errors
TABLES = "claims.md"
SECOND = "-seed1"  # behind the name of the first run in the ablation


class Claim(NamedTuple):
    claim: str
    verdict: str  # "confirmed", "partly", "not confirmed", "undecided"; why where it is not plain
    measured: dict[str, Mapping[str, str]]  # what was measured: its value by network


class SeedSpread(NamedTuple):
    """The greatest differences between two trainings that differ in the seed alone."""

    loss: float  # of content and style, weighted as in training: a part of it
    array_share: float  # red spots, a part of the yellow area
    lattice_db: float


class Interval(NamedTuple):
    """A mean, and how far from it the true one may lie."""

    mean: float
    half: float

    def wider(self, by: float) -> Interval:
        return Interval(self.mean, self.half + by)

    def is_above(self, bound: float) -> bool | None:
        """None: it lies on both sides."""
        if not abs(self.mean - bound) > self.half:  # NaN, too
            return None
        return bool(self.mean > bound)

    def is_within(self, bound: float) -> bool | None:
        """Whether it is nearer to 0."""
        above, below = self.is_above(bound), self.is_above(-bound)
        if above or below is False:
            return False
        return None if above is None or below is None else True


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
    """The paper's claims one by one, judged by our numbers alone."""
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
    """All networks see the same photos in the same order, so that steps can be compared."""
    early = pd.DataFrame(
        {name: log["both"][log["step"].between(*EARLY)] for name, log in logs.items()}
    )
    behind = _intervals(early.sub(early["baseline"], axis="index"))
    verdict = _verdict({name: behind[name].is_above(0) for name in LIGHT})
    measured = {
        f"{both}, steps {EARLY[0]} to {EARLY[1]}": {
            name: f"{value:.2f}" for name, value in early.mean().items()
        },
        "difference from the baseline at the same steps, one seed": {
            name: f"{one.mean:+.2f} ± {one.half:.2f}" for name, one in behind.items()
        },
    }
    return Claim("The lightweight networks learn more slowly", f"{verdict} (one seed)", measured)


def _same_picture(test: pd.DataFrame, spread: SeedSpread) -> Claim:
    total = test.pivot(index="photo", columns="network", values="total")
    content = test.loc[test["network"] == "baseline", "content"].mean()
    differences = total.sub(total["baseline"], axis="index") / total["baseline"].mean()
    losses = _intervals(100 * differences)
    apart = _intervals(test.pivot(index="photo", columns="network", values="from_baseline"))
    by_seed = 100 * spread.loss
    alike = {
        name: _both(losses[name].wider(by_seed).is_within(NEARLY), apart[name].is_within(ALIKE))
        for name in LIGHT
    }
    measured = {
        f"total loss beside the baseline's; nearly: {NEARLY} % (another seed: {by_seed:.1f})": {
            name: f"{one.mean:+.1f} ± {one.half:.1f} %" for name, one in losses.items()
        },
        f"relu2_2 distance from its picture; nearly: {ALIKE} (the photo's: {content:.2f})": {
            name: f"{one.mean:.2f} ± {one.half:.2f}" for name, one in apart.items()
        },
    }
    return Claim("The final pictures are nearly the same", _verdict(alike), measured)


def _red_spots(test: pd.DataFrame, spread: SeedSpread) -> Claim:
    """More spots than the baseline on the same photos, those with yellow in both pictures."""
    shares = 100 * test.pivot(index="photo", columns="network", values="array_share")
    lattice = test.pivot(index="photo", columns="network", values="lattice_db")
    contrast = test[test["array_share"] > 0].groupby("network")["array_contrast"].mean()
    differences = _intervals(shares.sub(shares["baseline"], axis="index"))
    by_seed = 100 * spread.array_share
    more = {name: differences[name].wider(by_seed).is_above(0) for name in LIGHT}
    if shares["baseline"].mean() < NONE:
        verdict = _verdict(more)
    else:
        verdict = f"{_verdict(more, of_all='partly')}; the baseline has some too"
    more_than = f"difference from the baseline (another seed: {by_seed:.0f})"
    measured = {
        f"red spots, % of the yellow area, {len(shares)} test photos": {
            name: f"{one.mean():.0f} ± {one.std():.0f}" for name, one in shares.items()
        },
        more_than: {name: f"{one.mean:+.0f} ± {one.half:.0f}" for name, one in differences.items()},
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


def _intervals(values: pd.DataFrame) -> dict[str, Interval]:
    """Of each network but the baseline, over photos or steps."""
    means, errors = values.mean(), values.sem()
    return {
        name: Interval(means[name], CONFIDENCE * errors[name])
        for name in values
        if name != "baseline"
    }


def _both(one: bool | None, other: bool | None) -> bool | None:
    if False in (one, other):
        return False
    return None if None in (one, other) else True


def _verdict(found: Mapping[str, bool | None], of_all: str = "confirmed") -> str:
    """On a claim about the light networks: whom it holds for; None is undecided."""
    names = {value: [name for name in LIGHT if found[name] is value] for value in (True, None)}
    holds, undecided = names[True], names[None]
    if len(holds) == len(LIGHT):
        return of_all
    if not holds:
        return "undecided" if undecided else "not confirmed"
    return "; ".join(
        f"{word}: {', '.join(some)}"
        for word, some in (("partly", holds), ("undecided", undecided))
        if some
    )


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
