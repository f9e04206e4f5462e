"""What is said of the red spots is what the ablation's table says."""

from __future__ import annotations

import pandas as pd
import pytest

from nst.paper import EPOCHS
from nst.paths import ASSETS, CHECKPOINTS
from nst.study.claims import seed_spread
from nst.study.common import ABLATION, EVALUATION
from nst.training.settings import Settings

TEXT = (ASSETS / "red-spots.md").read_text(encoding="utf-8")
RUNS = pd.read_csv(ASSETS / ABLATION, index_col="run")
WEIGHT = Settings().loss.style_weight
LOSS = RUNS["content"] + WEIGHT * RUNS["style"]
TRANSPOSED = ["baseline", "baseline-seed1", "v1", "v1-seed1", "v2", "v3", "v3-seed1"]
RESIZED = ("baseline", "v1", "v3")


def spots(run: str) -> str:
    return f"{100 * RUNS['array_share'][run]:.0f}"


def grid(run: str) -> str:
    return f"{RUNS['lattice_db'][run]:.1f}".replace("-", "−")


def dearer(run: str, than: str) -> str:
    return f"{100 * (LOSS[run] / LOSS[than] - 1):+.0f}".replace("-", "−")


def times(engine: str) -> str:
    """How much longer the decoders that resize take."""
    ms = RUNS[f"{engine}_ms"]
    first, second, third = (f"{ms[f'{name}-resize'] / ms[name]:.2f}" for name in RESIZED)
    return f"{first}, {second} and {third}"


def said() -> list[str]:
    pattern, style, rim = RUNS["flat_field"], RUNS["style"], RUNS["rim"]
    test = pd.read_csv(CHECKPOINTS / EVALUATION).query("part == 'test'")
    final = 100 * test.groupby("network")["array_share"].mean()
    spread = seed_spread(RUNS, WEIGHT)
    return [
        f"{spots('baseline')} and {spots('baseline-seed1')} % with two seeds",
        f"v1 {spots('v1')} and {spots('v1-seed1')} %, v2 {spots('v2')} %",
        f"v3 {spots('v3')} and {spots('v3-seed1')} %",
        f"After {EPOCHS} epochs it has fewer ({final['baseline']:.0f} %; "
        f"v1 {final['v1']:.0f}, v2 {final['v2']:.0f}, v3 {final['v3']:.0f} %)",
        f"{grid('baseline')} and {grid('baseline-seed1')} dB (v1 {grid('v1')} and "
        f"{grid('v1-seed1')}, v2 {grid('v2')}, v3 {grid('v3')} and {grid('v3-seed1')})",
        f"turns a plain colour into a pattern of {pattern[TRANSPOSED].min():.0f} to "
        f"{pattern[TRANSPOSED].max():.0f} levels",
        f"({pattern[[f'{name}-resize' for name in RESIZED]].max():.1f} levels)",
        f"the grid falls to {grid('baseline-resize')} and {grid('v1-resize')} dB, in v3 only to "
        f"{grid('v3-resize')}",
        f"{times('openvino')} times the time on OpenVINO (eager: {times('eager')})",
        f"by {dearer('baseline-resize', 'baseline')}, {dearer('v1-resize', 'v1')} and "
        f"{dearer('v3-resize', 'v3')} %",
        f"v1 has {spots('v1-lattice')} % and {grid('v1-lattice')} dB, v3 {spots('v3-lattice')} % "
        f"and {grid('v3-lattice')} dB, v4 {spots('v4')} % and {grid('v4')} dB (without it "
        f"{spots('v4-nolattice')} % and {grid('v4-nolattice')} dB)",
        f"a change of the loss of {dearer('v1-lattice', 'v1')}, {dearer('v3-lattice', 'v3')} and "
        f"{dearer('v4', 'v4-nolattice')} %",
        f"({spots('v3-norelu')} and {spots('v3-nonorm')} %). Removing both ends the spots "
        f"({spots('v3-noinner')} %) but not the grid ({grid('v3-noinner')} dB)",
        f"An ordinary last layer: {spots('v3-denselast')} %",
        f"whose overlap is even: {spots('v3-k4')} %",
        f"v1's spots ({spots('v1-avgpool')} %), not the grid ({grid('v1-avgpool')} dB), at "
        f"{dearer('v1-avgpool', 'v1')} % of the loss",
        f"leaves {spots('v1-shift')} % and {grid('v1-shift')} dB",
        f"the baseline's spots ({spots('baseline, median')} %) and halves v1's "
        f"({spots('v1, median')} %). The grid stays ({grid('baseline, median')} and "
        f"{grid('v1, median')} dB)",
        f"{style['baseline, median'] / style['baseline']:.1f} and "
        f"{style['v1, median'] / style['v1']:.1f} times as high",
        f"rises from {rim['v1']:.2f} to {rim['v1-margin']:.2f} (v1) and from {rim['v4']:.2f} to "
        f"{rim['v4-margin']:.2f} (v4)",
        f"at {dearer('v1-margin', 'v1')} and {dearer('v4-margin', 'v4')} % of the loss; v1 then "
        f"has {spots('v1-margin')} % of spots and a pattern of {pattern['v1-margin']:.0f} levels",
        f"up to {100 * spread.loss:.0f} % in loss, {100 * spread.array_share:.0f} points of spots "
        f"and {spread.lattice_db:.1f} dB of grid",
    ]


@pytest.mark.parametrize("words", said())
def test_each_number_is_the_tables(words: str) -> None:
    assert words in TEXT


def test_decoders_that_resize_leave_no_spot() -> None:
    assert "no spot in baseline, v1 or v3" in TEXT
    assert {spots(f"{name}-resize") for name in RESIZED} == {"0"}
