"""What the README promises is what is there."""

from __future__ import annotations

import re

import pandas as pd
import pytest
import yaml

from nst import paper
from nst.benchmark.cost import slopes
from nst.benchmark.tables import latency_markdown
from nst.checkpoint import load_checkpoint
from nst.inference.engines import ALL_ENGINES
from nst.models import VARIANTS, build_model, count_parameters
from nst.paths import CHECKPOINTS
from nst.study.claims import all_markdown
from tests.helpers import ROOT

README = (ROOT / "README.md").read_text()
CARD = (ROOT / "checkpoints" / "README.md").read_text()
LATENCY = (ROOT / "assets" / "latency.md").read_text()


def table_row(first_cell: str, heading: str) -> list[str]:
    """The cells of a row of the table below a line that starts with `heading`."""
    table = README[README.index(heading) :]
    row = re.search(rf"^\| {re.escape(first_cell)} \|.*$", table, re.MULTILINE)
    assert row is not None
    return [cell.strip() for cell in row[0].strip("|").split("|")]


def test_the_two_commands_stand_alone() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert blocks[0] == "pip install -r requirements.txt && python app.py\n"
    assert blocks[1] == "pip install -r tests/requirements.txt && python -m pytest\n"


def test_spaces_front_matter() -> None:
    front_matter = yaml.safe_load(README.split("---")[1])
    assert front_matter["sdk"] == "gradio"
    assert str(front_matter["python_version"]) == "3.12"
    assert (ROOT / front_matter["app_file"]).exists()
    assert len(front_matter["short_description"]) <= 60


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\(([^):#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", VARIANTS)
def test_parameters_in_the_table(name: str) -> None:
    cells = table_row(name, "| network | lightweight parts")
    assert cells[2] == f"{count_parameters(build_model(name)):,}"


@pytest.mark.parametrize("name", VARIANTS)
def test_length_of_the_training_is_that_of_checkpoints_and_logs(name: str) -> None:
    _, metadata = load_checkpoint(CHECKPOINTS / f"{name}.safetensors")
    step, per_epoch = int(metadata["step"]), -(-paper.SPLIT["train"] // paper.BATCH_SIZE)
    assert step == paper.EPOCHS * per_epoch
    assert f"**{step:,} steps, {paper.EPOCHS} epochs**" in CARD
    assert f"trainings of {paper.EPOCHS} epochs" in README
    seconds = pd.read_csv(CHECKPOINTS / f"{name}.csv")["seconds"].diff().median()
    card_seconds = re.search(r"step took ([\d., and]+) s", CARD)
    assert card_seconds is not None
    listed = dict(zip(VARIANTS, re.findall(r"\d\.\d+", card_seconds[1]), strict=True))
    assert float(listed[name]) == pytest.approx(seconds, abs=0.006)


def test_the_readme_is_short() -> None:
    prose = [line for line in README.splitlines() if not line.startswith("|")]
    assert len(" ".join(prose).split()) < 1300  # ten minutes, with the tables


def test_latencies_are_those_of_the_measured_table() -> None:
    rows = pd.read_csv(ROOT / "assets" / "latency.csv")
    engines = rows.engine.isin(ALL_ENGINES)
    assert latency_markdown(rows[engines]) in README
    assert latency_markdown(rows[~engines]) in LATENCY


def test_seconds_for_large_pictures_are_those_of_the_measured_table() -> None:
    rows = pd.read_csv(ROOT / "assets" / "cost.csv")
    for (width, height), of in rows.groupby(["width", "height"]):
        seconds = " | ".join(f"{value:.3g}" for value in of.seconds)
        assert f"| {width}×{height} | {seconds} |" in LATENCY
    powers = [f"{power:.2f}" for power in slopes(rows).values()]
    words = f"power {', '.join(powers[:-1])} and {powers[-1]}, baseline to v4"
    assert words in LATENCY


def test_claims_are_what_logs_and_evaluation_say() -> None:
    tables = all_markdown()
    assert (ROOT / "assets" / "claims.md").read_text() == tables
    losses, claims = tables.strip().split("\n\n")
    assert claims in README
    assert losses in CARD
