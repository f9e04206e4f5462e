"""What a picture costs on a visitor's own device, whatever GPU that is.

    python -m nst.benchmark.device_cost     writes assets/device-cost.csv

kernels          launched, with the one that takes the picture in
multiplications  with an addition each
moved            bytes that the kernels read and write, each value once in each kernel that has it:
                 activations of fp32, four channels together, weights, and the picture's pixels; the
                 norms' few sums are left out
least            the same if no channel were empty, the picture were read and written as 3 bytes a
                 pixel, and weights were read as they are in the file
memory           bytes of activations, weights, and the picture before, after and on its way back
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.benchmark.device_cost")

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from nst.checkpoint import CheckpointError, load_networks
from nst.console import command_parser
from nst.device_program import IN_HALF, LANES, Operation, Program, device_program
from nst.models import STRIDE
from nst.paths import ASSETS
from nst.reporting import save

TABLE = "device-cost.csv"
SIDES = (256, 512)  # px
NUMBER = 4  # bytes of fp32
TEXEL = 4  # bytes: red, green, blue, alpha


class Cost(NamedTuple):
    """Of one picture."""

    kernels: int
    multiplications: int
    moved: int
    least: int
    memory: int


def cost(program: Program, width: int, height: int) -> Cost:
    """What a picture costs whose sides are multiples of 4."""
    pixels, operations = width * height, program.operations
    activations = [one for operation in operations for one in _activations(operation)]
    inner = activations[1:-1]  # the first and the last one are the picture
    values = sum(channels * pixels // scale**2 for channels, scale in inner)
    lanes = sum(_lanes(channels) * pixels // scale**2 for channels, scale in inner)
    weights = NUMBER * sum(count for count, _ in program.pieces)
    taken_in = 2 * LANES * NUMBER  # written by the first kernel, read by the second one
    units = sum(program.buffers) * LANES * NUMBER * pixels // STRIDE**2
    return Cost(
        kernels=len(operations) + 1,
        multiplications=sum(_multiplications(operation, pixels) for operation in operations),
        moved=NUMBER * lanes + (2 * TEXEL + taken_in) * pixels + weights,
        least=NUMBER * values + 2 * 3 * pixels + len(program.weights),
        memory=units + 3 * TEXEL * pixels + weights,
    )


def _activations(operation: Operation) -> list[tuple[int, int]]:
    """Channels and scale of what an operation reads and writes, in this order."""
    match operation["kind"]:
        case "convolution":
            return list(zip(operation["channels"], operation["scales"], strict=True))
        case "sum":
            return 3 * [(operation["channels"], operation["scale"])]
    return []


def _lanes(channels: int) -> int:
    return -(-channels // LANES) * LANES


def _multiplications(operation: Operation, pixels: int) -> int:
    if operation["kind"] != "convolution":
        return 0
    before, after = operation["scales"]
    in_channels, out_channels = operation["channels"]
    places = pixels // (before if operation["upsampling"] == "transposed" else after) ** 2
    inputs = 1 if operation["depthwise"] else in_channels
    return places * out_channels * inputs * operation["kernel"] ** 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.benchmark.device_cost", __doc__)
    parser.add_argument("--out", type=Path, default=ASSETS, help="a folder; default: assets/")
    options = parser.parse_args(arguments)
    try:
        networks = load_networks()
    except CheckpointError as error:
        print(f"nst.benchmark.device_cost: {error}", file=sys.stderr)
        return 1
    programs = {
        name: device_program(network, half=name in IN_HALF) for name, network in networks.items()
    }
    table = pd.DataFrame(
        {"network": name, "side": side, **cost(program, side, side)._asdict()}
        for side in SIDES
        for name, program in programs.items()
    )
    save(options.out / TABLE, table)
    print(table.to_string(index=False))
    return 0
