"""How far two trainings of one network differ whose seeds do: what is less is no difference."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from nst.paths import ASSETS

RESULTS = "ablation.csv"  # of nst.study.ablation
SECOND = "-seed1"  # behind the name of the first


class SeedSpread(NamedTuple):
    """The greatest differences of all pairs, at least what a third seed may change."""

    loss: float  # of content and style, weighted as in training: a part of it
    array_share: float  # red spots, a part of the yellow area
    lattice_db: float


def read_ablation() -> pd.DataFrame:
    """The committed table of `nst.study.ablation`, a row for each run."""
    return pd.read_csv(ASSETS / RESULTS).set_index("run")


def seed_spread(runs: pd.DataFrame, style_weight: float) -> SeedSpread:
    """From the table's runs of which there are two, by name."""
    first = runs.loc[[name for name in runs.index if f"{name}{SECOND}" in runs.index]]
    second = runs.loc[[f"{name}{SECOND}" for name in first.index]].set_axis(first.index)
    loss, other = (each["content"] + style_weight * each["style"] for each in (first, second))
    apart = (first[["array_share", "lattice_db"]] - second[["array_share", "lattice_db"]]).abs()
    return SeedSpread((other / loss - 1).abs().max(), *apart.max())
