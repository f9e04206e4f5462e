"""The grid of upsampling and red spots in picture files.

    python -m nst.artifacts PICTURE ... [--json]

prints the lattice ratio and red spots (`nst.artifacts.measure` says how) and what repeats every 2,
4, 8 and 16 px, each by itself (`nst.artifacts.periods`).
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.artifacts.__main__")

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nst.artifacts.measure import Artifacts, measure
from nst.artifacts.periods import period_ratios
from nst.console import command_parser
from nst.pictures.reading import read_picture


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.artifacts", __doc__)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--json", action="store_true", help="a list, an object for each picture")
    options = parser.parse_args(arguments)
    rows, failed = [], False
    for path in options.pictures:
        try:
            picture = read_picture(path)
            found, periods = measure(picture), period_ratios(picture)
        except (ValueError, OSError) as error:
            print(f"nst.artifacts: {path}: {error}", file=sys.stderr)
            failed = True
            continue
        rows.append(_row(path, found, periods))
        if not options.json:
            print(f"{path}: {describe(found, periods)}")
    if options.json:
        print(json.dumps(rows, indent=2))
    return 1 if failed else 0


def describe(found: Artifacts, periods: Mapping[int, float] | None) -> str:
    """One line for a person."""
    x, y = found.worst
    spots = "too little yellow to judge"
    if found.array_share is not None:
        spots = f"red spots in {found.array_share:.0%} of the yellow area"
        if found.array_contrast:
            spots += f", {found.array_contrast:.0f} levels"
    each = [f"{period} px {ratio:.1f}" for period, ratio in (periods or {}).items()]
    by_period = f"; {', '.join(each)} dB" if each else ""
    return f"lattice {found.lattice_db:.1f} dB{by_period}; {spots}; worst at {x}, {y}"


def _row(path: Path, found: Artifacts, periods: Mapping[int, float] | None) -> dict[str, Any]:
    return {
        "file": str(path),
        "lattice_db": round(float(found.lattice_db), 2),
        "period_db": periods and {period: round(ratio, 2) for period, ratio in periods.items()},
        "array_share": None if found.array_share is None else round(found.array_share, 4),
        "array_contrast": round(found.array_contrast, 1),
        "worst": list(found.worst),
    }
