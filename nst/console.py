"""Running a module as a program: what it prints is not its work, and Ctrl-C ends it in one line.

    if __name__ == "__main__":
        from nst.console import run

        run("nst.stylize")

stands above a module's imports, so that Ctrl-C is heeded while they take their seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn, TextIO

INTERRUPTED = 130  # exit code, as a shell gives it
STOPPED = "Stopped; every file that was written is whole."


def run(module: str, *arguments: object, first: Callable[[], object] = lambda: None) -> NoReturn:
    """Call a module's `main` and end the process with what it returns, or on Ctrl-C with 130.

    What is called `first`, before the module is imported, may import too.

    Characters that the terminal or file cannot take are printed as question marks, and what nobody
    reads any more (`… | head -1`) is dropped; neither is an error.
    """
    sys.stdout, sys.stderr = _heedless(sys.stdout, 1), _heedless(sys.stderr, 2)
    try:
        with _ending_at_once():
            first()
            main = importlib.import_module(module).main
        status = main(*arguments)
    except KeyboardInterrupt:
        # A second one would print a traceback from the interpreter's own end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print(STOPPED, file=sys.stderr)
        status = INTERRUPTED
    sys.exit(status)


def command_parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """For a module that is started by `python -m`, with its docstring as it stands."""
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


class _HeedlessFile(io.FileIO):
    """Takes everything, also when the other end is closed or the disk is full."""

    def write(self, data: bytes) -> int:
        try:
            return super().write(data) or len(data)
        except OSError:
            return len(data)


def _heedless(stream: TextIO | None, number: int) -> TextIO:
    """The stream, as one that a program cannot fail at printing to."""
    if stream is None:  # it was closed from the start: `>&-`
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123  for good
    if stream.isatty():
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
        return stream
    file = _HeedlessFile(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=True,  # logs are read while they are written
    )


@contextlib.contextmanager
def _ending_at_once() -> Iterator[None]:
    """Ctrl-C ends the process: an import that is interrupted in a library's middle may go on."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, as by `nohup`
        yield
        return

    def end(*_: object) -> None:
        print(STOPPED, file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
