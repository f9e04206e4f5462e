"""The grid of upsampling and red spots in picture files; `nst.artifacts.measure` says how.

python -m nst.artifacts PICTURE ... [--json] [--map out.png]
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.artifacts.__main__")

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nst.artifacts.heat_map import draw_heat_maps
from nst.artifacts.measure import Artifacts, measure
from nst.files import write_then_rename
from nst.pictures.reading import read_picture


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--json", action="store_true", help="a list, an object for each picture")
    parser.add_argument("--map", type=Path, help="a PNG: the lattice ratio drawn over the pictures")
    options = parser.parse_args(arguments)
    pictures, found, failed = {}, {}, False
    for path in options.pictures:
        try:
            pictures[path] = read_picture(path)
            found[path] = measure(pictures[path])
        except (ValueError, OSError) as error:
            print(f"nst.artifacts: {path}: {error}", file=sys.stderr)
            failed = True
    if options.json:
        print(json.dumps([_row(path, one) for path, one in found.items()], indent=2))
    else:
        for path, one in found.items():
            print(f"{path}: {describe(one)}")
    if options.map and found:
        shown = [pictures[path] for path in found]
        drawn = draw_heat_maps(shown, [one.lattice_map for one in found.values()])
        try:
            if options.map in pictures:
                raise ValueError("is one of the pictures")
            write_then_rename(options.map, lambda temporary: drawn.save(temporary, format="PNG"))
        except (ValueError, OSError) as error:
            print(f"nst.artifacts: --map {options.map}: {error}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


def describe(found: Artifacts) -> str:
    """One line for a person."""
    x, y = found.worst[0]
    spots = "too little yellow to judge"
    if found.array_share is not None:
        spots = f"red spots in {found.array_share:.0%} of the yellow area"
        if found.array_contrast:
            spots += f", {found.array_contrast:.0f} levels"
    return f"lattice {found.lattice_db:.1f} dB; {spots}; worst at {x}, {y}"


def _row(path: Path, found: Artifacts) -> dict[str, Any]:
    return {
        "file": str(path),
        "lattice_db": round(float(found.lattice_db), 2),
        "array_share": None if found.array_share is None else round(found.array_share, 4),
        "array_contrast": round(found.array_contrast, 1),
        "worst": list(found.worst[0]),
    }
