"""Networks as programs for a visitor's own device; tests/web/test_device.py runs them."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
import torch
from torch import nn

from nst.checkpoint import load_networks
from nst.device_program import IN_HALF, Program, device_program
from nst.models import ABLATIONS, VARIANTS, build_model
from nst.paths import ASSETS

CONVOLUTION = {
    *("kind", "inputs", "output", "scales", "channels", "kernel", "padding", "stride"),
    *("depthwise", "upsampling", "statistics", "shuffle", "weights"),
}
FIELDS = {
    "convolution": CONVOLUTION,
    "norm": {"kind", "norm", "channels", "eps", "weights"},
    "sum": {"kind", "inputs", "output", "channels", "scale"},
}


@pytest.fixture(scope="module")
def programs() -> dict[str, Program]:
    return {
        name: device_program(build_model(name), half=name in IN_HALF)
        for name in VARIANTS | ABLATIONS
    }


@pytest.mark.parametrize("name", VARIANTS | ABLATIONS)
def test_every_operation_is_known(programs: dict[str, Program], name: str) -> None:
    for operation in programs[name].operations:
        assert operation.keys() == FIELDS[operation["kind"]]
        assert operation.get("upsampling") in (None, "nearest", "transposed")
        for view in operation.get("inputs", []):
            assert view.keys() == {"value", "norm", "relu"}
    *_, last = programs[name].operations
    assert last["output"] is None


@pytest.mark.parametrize("name", VARIANTS | ABLATIONS)
def test_buffers_are_read_before_they_are_written_again(
    programs: dict[str, Program], name: str
) -> None:
    program = programs[name]
    size = {0: 16}  # what lies in each buffer
    readers = {}  # of each buffer since it was written
    for operation in program.operations:
        inputs = [view["value"] for view in operation.get("inputs", [])]
        assert operation.get("output") not in inputs
        if operation["kind"] == "convolution":
            (before, after), channels = operation["scales"], operation["channels"]
            assert size[inputs[0]] == -(-channels[0] // 4) * (4 // before) ** 2
            made = -(-channels[1] // 4) * (4 // after) ** 2
        elif operation["kind"] == "sum":
            made = operation["channels"] // 4 * (4 // operation["scale"]) ** 2
            assert [size[value] for value in inputs] == [made, made]
            assert readers[inputs[1]] == 1  # what the block began with is still there
        for value in inputs:
            readers[value] = readers.get(value, 0) + 1
        if operation.get("output") is not None:
            size[operation["output"]] = made
            readers[operation["output"]] = 0
            assert made <= program.buffers[operation["output"]]


def test_a_norm_comes_right_after_its_statistics(programs: dict[str, Program]) -> None:
    for program in programs.values():
        for before, operation in zip(program.operations, program.operations[1:], strict=False):
            assert before.get("statistics", False) == (operation["kind"] == "norm")


def test_all_weights_are_in_the_file(programs: dict[str, Program]) -> None:
    for program in programs.values():
        content = program.to_bytes()
        length = int.from_bytes(content[:4], "little")
        head = json.loads(content[4 : 4 + length])
        assert head["operations"] == program.operations
        assert (4 + length) % 4 == 0
        sizes = [count * (2 if half else 4) for count, half in head["pieces"]]
        assert sum(sizes) == len(content) - 4 - length
        starts = [one["weights"] for one in program.operations if "weights" in one]
        assert all(start % 64 == 0 for start in starts)  # a device reads from 256 bytes on


def test_v4_is_small() -> None:
    (network,) = load_networks(variants=["v4"]).values()
    assert len(gzip.compress(device_program(network, half="v4" in IN_HALF).to_bytes())) < 500_000


def test_the_engine_is_small() -> None:
    assert sum(path.stat().st_size for path in (ASSETS / "device").iterdir()) < 40_000


def test_a_layer_that_has_no_form() -> None:
    network = build_model("v4")
    network.decoder.append(nn.Sigmoid())
    with pytest.raises(TypeError, match="Sigmoid"):
        device_program(network)


def test_weights_change_where_the_network_does() -> None:
    network = build_model("v4")
    before = device_program(network)
    with torch.no_grad():
        network.residual[0].norm1.bias += 1
    after = device_program(network)
    assert before.operations == after.operations
    one, other = (np.frombuffer(program.weights, np.uint8) for program in (before, after))
    assert (one != other).sum() > 0
