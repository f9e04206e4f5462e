"""The log of a training: a CSV file with a row for each step."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nst.files import write_then_rename
from nst.loss import LossTerms

TERMS = LossTerms._fields
VALIDATION_COLUMNS = tuple(f"validation_{name}" for name in TERMS)
LOG_COLUMNS = ("step", "epoch", *TERMS, "lr", *VALIDATION_COLUMNS, "seconds")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The rows of a log; none if there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_log(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """A whole log, in place of what was there; it appears complete or not at all."""

    def write(temporary: str) -> None:
        with Path(temporary).open("w", newline="") as file:
            writer = csv.DictWriter(file, LOG_COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)

    write_then_rename(path, write)
