from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

from nst.benchmark import WARM_UP, circumstances, latency_table, measure_latency
from nst.models import VARIANTS, build_model

ROOT = Path(__file__).parent.parent


def test_repeats_are_interleaved_after_warming_up() -> None:
    calls = []

    def network(name: str):
        def forward(photo: torch.Tensor) -> None:
            assert photo.shape == (1, 3, 20, 30)
            calls.append(name)

        return forward

    times = measure_latency({name: network(name) for name in "ab"}, 30, 20, repeats=4)
    assert calls == ["a", "b"] * (WARM_UP + 4)
    assert {name: len(values) for name, values in times.items()} == {"a": 4, "b": 4}
    assert all(0 <= value < 1000 for values in times.values() for value in values)


def test_table_has_medians_quartiles_and_speed_ups() -> None:
    networks = {name: build_model(name) for name in VARIANTS}
    times = {name: [9.0, 30.0, 10.0, 11.0, 9.5] for name in VARIANTS}
    times["v3"] = [4.0, 4.0, 4.0, 5.0, 99.0]
    table = latency_table(networks, times).set_index("network")
    assert list(table.index) == list(VARIANTS)
    assert table.loc["baseline", "latency ms"] == 10.0
    assert table.loc["baseline", "quartiles ms"] == "9.5–11.0"
    assert table.loc["v3", "latency ms"] == 4.0
    assert table.loc["v3", "speed-up"] == 2.5
    assert table.loc["v3", "reduction %"] == 87.62
    assert table.loc["v3", "paper speed-up"] == 1.44


def test_command_line() -> None:
    command = [sys.executable, "-m", "nst.benchmark", "--size", "32", "--repeats", "2"]
    result = subprocess.run(
        [*command, "--threads", "1"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "1 CPU thread(s)" in result.stdout
    assert "32×32, median of 2 interleaved repeats" in result.stdout
    for name in VARIANTS:
        assert f"{name}: " in result.stdout


def test_circumstances_name_what_matters() -> None:
    assert torch.__version__ in circumstances()
    assert f"{torch.get_num_threads()} CPU thread(s)" in circumstances()
