from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from nst.models import VARIANTS, build_model, count_parameters
from nst.paths import ASSETS, CHECKPOINTS
from nst.web.page.texts import ABLATION, INTRODUCTION, NETWORKS, message, model_card, verdicts


def test_every_network_is_described() -> None:
    assert NETWORKS.keys() >= VARIANTS.keys()


def test_the_introduction_says_what_was_measured() -> None:
    counts = [count_parameters(build_model(name)) / 1e6 for name in VARIANTS]
    assert f"{max(counts):.2f}\nto {min(counts):.2f} million" in INTRODUCTION
    latency = pd.read_csv(ASSETS / "latency.csv").query("engine == 'openvino'")
    assert "<b>v4</b> is the fastest" in INTRODUCTION
    assert set(latency.loc[latency.groupby("size")["latency ms"].idxmin(), "network"]) == {"v4"}
    means = pd.read_csv(CHECKPOINTS / "evaluation.csv").groupby("network").mean(numeric_only=True)
    assert "leaves no grid" in INTRODUCTION
    assert list(means.index[means["lattice_db"] < 4]) == ["v4"]
    assert "<b>baseline</b> is the most faithful" in INTRODUCTION
    assert means["total"].idxmin() == "baseline"


def test_messages_are_escaped_and_announced() -> None:
    assert "<b>" not in message("<b>")
    assert 'role="status"' in message("no")


def test_the_model_card_has_no_links_that_lead_nowhere_on_the_page(tmp_path: Path) -> None:
    assert "](../" not in model_card(CHECKPOINTS / "README.md")
    card = tmp_path / "README.md"
    card.write_text("---\na: b\n---\n# Slow\n\nIt grows\n([figure](../assets/x.png)). End.\n")
    assert model_card(card) == "## Slow\n\nIt grows. End.\n"


def test_the_ablations_names_are_explained() -> None:
    runs = pd.read_csv(ASSETS / "ablation.csv")["run"]
    differences = {part for run in runs for part in re.split("-|, ", run)[1:]}
    assert differences == ABLATION.keys()


def test_verdicts_stand_beside_their_claims() -> None:
    said = verdicts((ASSETS / "claims.md").read_text(encoding="utf-8")).splitlines()
    assert len(said) == 4
    assert said[1] == "- The lightweight networks learn more slowly. **Not confirmed (one seed).**"
    assert said[3].startswith("- Red spots in the lightweight networks, none in the baseline. **")
