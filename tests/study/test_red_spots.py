"""What README and page say of the red spots is what the ablation's table says."""

from __future__ import annotations

import pandas as pd
import pytest

from nst.paper import EPOCHS
from nst.paths import ASSETS
from nst.study.ablation_report import RESULTS
from nst.study.claims import read_evaluation
from nst.training.settings import Settings
from tests.helpers import ROOT

TEXT = (ASSETS / "red-spots.md").read_text(encoding="utf-8")
RUNS = pd.read_csv(ASSETS / RESULTS).set_index("run")
LOSS = RUNS["content"] + Settings().loss.style_weight * RUNS["style"]
SEEDS = ("baseline", "v1", "v3", "v4")  # of which a second training begins elsewhere


def spots(run: str) -> str:
    return f"{100 * RUNS['array_share'][run]:.0f}"


def grid(run: str) -> str:
    return f"{RUNS['lattice_db'][run]:.1f}".replace("-", "−")


def dearer(run: str, than: str) -> str:
    return f"{100 * (LOSS[run] / LOSS[than] - 1):+.0f}".replace("-", "−")


def two(measure: str, run: str) -> tuple[float, float]:
    """Of a network's two trainings, the lesser first."""
    return tuple(sorted(RUNS[measure][[run, f"{run}-seed1"]]))


def said() -> list[str]:
    slower = [
        f"{RUNS['openvino_ms'][f'{name}-resize'] / RUNS['openvino_ms'][name]:.2f}"
        for name in ("baseline", "v1", "v3")
    ]
    transposed = RUNS.loc[["baseline", "baseline-seed1", "v1", "v1-seed1", "v2", "v3", "v3-seed1"]]
    pattern = transposed["flat_field"]
    style, rim = RUNS["style"], RUNS["rim"]
    apart = {
        measure: max(high - low for low, high in (two(measure, name) for name in SEEDS))
        for measure in ("array_share", "lattice_db")
    }
    test = read_evaluation().query("part == 'test'")
    final = 100 * test.groupby("network")["array_share"].mean()
    of_loss = max(abs(LOSS[f"{name}-seed1"] / LOSS[name] - 1) for name in SEEDS)
    return [
        f"{spots('baseline')} and {spots('baseline-seed1')} % with two seeds",
        f"v1 {spots('v1')} and {spots('v1-seed1')} %, v2 {spots('v2')} %",
        f"v3 {spots('v3')} and {spots('v3-seed1')} %",
        f"trained on for {EPOCHS} epochs it loses more of them ({final['baseline']:.0f} %; "
        f"v1 {final['v1']:.0f}, v2 {final['v2']:.0f}, v3 {final['v3']:.0f} %)",
        f"{grid('baseline')} and {grid('baseline-seed1')} dB (v1 {grid('v1')} and "
        f"{grid('v1-seed1')}, v2 {grid('v2')}, v3 {grid('v3')} and {grid('v3-seed1')})",
        f"a pattern of {pattern.min():.0f} to {pattern.max():.0f} levels",
        f"({RUNS['flat_field'][['baseline-resize', 'v1-resize', 'v3-resize']].max():.1f} levels)",
        f"baseline {spots('baseline-resize')} %, v1 {spots('v1-resize')} %, "
        f"v3 {spots('v3-resize')} %; in {slower[0]}, {slower[1]} and {slower[2]} times the time",
        f"of {dearer('baseline-resize', 'baseline')}, {dearer('v1-resize', 'v1')} and "
        f"{dearer('v3-resize', 'v3')} %",
        f"without the lattice term {grid('v4-nolattice')} dB of grid, with it {grid('v4')} dB",
        f"v1 ({spots('v1-lattice')} %, {grid('v1-lattice')} dB) and "
        f"v3 ({spots('v3-lattice')} %, {grid('v3-lattice')} dB)",
        f"a loss of {dearer('v1-lattice', 'v1')} and {dearer('v3-lattice', 'v3')} %",
        f"without the ReLU {spots('v3-norelu')} %, without the norm {spots('v3-nonorm')} %; "
        f"without both {spots('v3-noinner')} %, but the grid stays ({grid('v3-noinner')} dB)",
        f"{spots('v3-denselast')} % with a dense one",
        f"halves them: {spots('v3-k4')} %",
        f"v1 has {spots('v1-avgpool')} % and {grid('v1-avgpool')} dB",
        f"leaves {spots('v1-shift')} % and {grid('v1-shift')} dB",
        f"the baseline's spots ({spots('baseline, median')} %) and halves v1's "
        f"({spots('v1, median')} %); the grid stays ({grid('baseline, median')} and "
        f"{grid('v1, median')} dB)",
        f"{style['baseline, median'] / style['baseline']:.1f} and "
        f"{style['v1, median'] / style['v1']:.1f} times as high",
        f"from {rim['v1']:.2f} to {rim['v1-margin']:.2f} (v1) and from {rim['v4']:.2f} to "
        f"{rim['v4-margin']:.2f} (v4)",
        f"a loss of {dearer('v1-margin', 'v1')} and {dearer('v4-margin', 'v4')} %",
        f"up to {100 * of_loss:.0f} % in loss, {100 * apart['array_share']:.0f} points of spots "
        f"and {apart['lattice_db']:.1f} dB of grid",
    ]


@pytest.mark.parametrize("words", said())
def test_each_number_is_the_tables(words: str) -> None:
    assert words in TEXT


def test_the_readme_says_it_too() -> None:
    assert TEXT.strip() in (ROOT / "README.md").read_text(encoding="utf-8")
