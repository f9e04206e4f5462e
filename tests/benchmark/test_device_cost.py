"""What a picture costs on a visitor's device: counted, not measured."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from nst.benchmark.device_cost import TABLE, cost, main
from nst.device_program import device_program
from nst.models import ABLATIONS, VARIANTS, build_model
from nst.paths import ASSETS


@pytest.mark.parametrize("name", VARIANTS | ABLATIONS)
def test_multiplications_are_those_of_the_network(name: str) -> None:
    network = build_model(name)
    counted = []

    def count(module: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        pixels = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
        counted.append(module.weight.numel() * pixels[0, 0].numel())

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(1, 3, 32, 48))
    assert cost(device_program(network), 48, 32).multiplications == sum(counted)


def test_what_a_picture_costs() -> None:
    """Of v1 to v3 each has fewer multiplications, and v4 moves least of the lightweight ones."""
    costs = {name: cost(device_program(build_model(name)), 256, 256) for name in VARIANTS}
    multiplications = [costs[name].multiplications for name in VARIANTS]
    assert multiplications == sorted(multiplications, reverse=True)
    moved = {name: one.moved for name, one in costs.items() if name != "baseline"}
    assert min(moved, key=moved.get) == "v4"


@pytest.mark.parametrize("name", VARIANTS)
def test_little_more_is_moved_than_has_to_be(name: str) -> None:
    one = cost(device_program(build_model(name)), 256, 256)
    assert one.least < one.moved < 1.25 * one.least


def test_the_published_table_is_what_the_command_writes(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    table = pd.read_csv(tmp_path / TABLE)
    assert list(table.network) == [*VARIANTS, *VARIANTS]
    pd.testing.assert_frame_equal(table, pd.read_csv(ASSETS / TABLE))
