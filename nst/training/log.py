"""The log of a training: a CSV file with a row for each step, to which rows are appended."""

from __future__ import annotations

import codecs
import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nst.checkpoint import CheckpointError
from nst.files import naming, write_then_rename
from nst.loss import LossTerms

Row = dict[str, Any]
TERMS = LossTerms._fields
VALIDATION_COLUMNS = tuple(f"validation_{name}" for name in TERMS)
LOG_COLUMNS = ("step", "epoch", *TERMS, "lr", *VALIDATION_COLUMNS, "seconds")


def read_log(path: Path) -> list[Row]:
    """The rows of a log; none if there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class Log:
    """A log that is being written.

    Its last row stays open, because a validation may still belong to it.  The training state holds
    that row too, so what a kill or a full disk leaves half written is never needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Row] = []  # not yet written, and the last
        self._written = 0  # bytes of the file before those

    def save(self) -> None:
        """Append what is new; it is on the disk when this returns.

        Raises:
            OSError: the disk is full, or the file is shorter than it was left.
        """
        lines = [_line(row) for row in self.rows]
        with naming(self.path), self.path.open("r+b") as file:
            if file.seek(0, os.SEEK_END) < self._written:
                raise OSError(f"{self.path}: was cut by another program while training")
            file.seek(self._written)
            file.writelines(lines)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        self._written += sum(map(len, lines[:-1]))
        self.rows = self.rows[-1:]

    def begin(self) -> None:
        """An empty log, in place of nothing."""
        write_then_rename(self.path, lambda temporary: Path(temporary).write_bytes(_HEADER))
        self._written, self.rows = len(_HEADER), []

    def go_on(self, step: int, last: Row | None, say: Callable[[str], None]) -> None:
        """Cut the file back to a step of which the state holds the row; `say` what was wrong.

        Raises:
            CheckpointError: it is no such log, or rows up to that step are missing or damaged.
        """
        if not self.path.exists() and not step:  # the state is written before the log
            return self.begin()
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            what = f"missing; put it back, it has {step} rows"
            raise CheckpointError(f"{self.path}: {what}") from None
        if data.startswith(codecs.BOM_UTF8):
            data = data.removeprefix(codecs.BOM_UTF8)
            write_then_rename(self.path, lambda temporary: Path(temporary).write_bytes(data))
            say(f"{self.path}: took out the byte order mark that another program put there")
        header, *lines = data.splitlines(keepends=True) or [b""]
        advice = "put the log back as it was written"
        if header.strip() != _HEADER.strip() or not header.endswith(b"\n"):
            what = f"does not begin with {_HEADER.decode().strip()}"
            raise CheckpointError(f"{self.path}: {what}; {advice}")
        for number in range(1, step):
            if not _is_whole(lines[number - 1 : number], number):
                what = f"row {number} of {step} is missing or damaged"
                raise CheckpointError(f"{self.path}: {what}; {advice}")
        after = lines[step:]
        if step and not _is_whole(lines[step - 1 : step], step):
            say(f"{self.path}: row {step} was torn or missing; the training state has it")
        if after:
            say(f"{self.path}: cut back to step {step}, from where it goes on")
        self._written = len(header) + sum(map(len, lines[: max(step - 1, 0)]))
        self.rows = [last] if last else []
        self.save()


def _line(row: Row) -> bytes:
    return (",".join(str(row.get(name, "")) for name in LOG_COLUMNS) + "\r\n").encode()


_HEADER = _line({name: name for name in LOG_COLUMNS})


def _is_whole(lines: list[bytes], step: int) -> bool:
    """Whether there is a line, and it is the row of that step."""
    fields = lines[0].split(b",") if lines else []
    whole = len(fields) == len(LOG_COLUMNS) and fields[-1].endswith(b"\n")
    return whole and fields[0] == str(step).encode()
