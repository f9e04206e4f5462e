"""Visitors' files: where they lie, for whom, and that they are gone in time.

Each page has a folder of its own below the temporary one, so that none deletes what another one
needs, and nothing else that lies there.  It goes when the page ends, also by a signal and while
somebody is looking at it.  What a page that was killed has left is deleted by the next one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Collection
from pathlib import Path
from types import FrameType
from typing import NoReturn

from nst.console import INTERRUPTED

PREFIX = "nst-page-"  # of folders
EVERY = 60  # s, between looking for old files
MAX_BYTES = 2_000_000_000  # of files in a folder; the oldest go before there are more
SMALLEST = 4096  # bytes that a file takes at least
OLD = 70 * 60 - EVERY  # s without use; so long at most is promised in `nst.web.page.texts.ABOUT`
STOPPED = "Stopped; what visitors have sent and got is deleted."


def folder_for_visitors() -> Path:
    """A folder of this process, which lasts as long as it does; Gradio puts uploads there, too.

    It lies in GRADIO_TEMP_DIR or in the system's temporary folder.  From here on whatever the
    process writes is readable for its user alone.

    Raises:
        OSError: it cannot be made.
    """
    os.umask(0o077)
    parent = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()).resolve()
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    atexit.register(_remove, folder)
    _remove_at_signals(folder)
    return folder


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


# What the process becomes at a signal: in place of the page's threads, which would write on.
_LAST = """
import os, shutil, signal, sys
shutil.rmtree(sys.argv[1], ignore_errors=True)
number = int(sys.argv[2])
if number != signal.SIGINT:  # so that who sent it sees that it did it
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
sys.exit(int(sys.argv[3]))
"""


def _remove_at_signals(folder: Path) -> None:
    """End at once at the signals that ask for it, whoever is looking and whatever is at work."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        for other in signals:
            signal.signal(other, signal.SIG_IGN)
        if number == signal.SIGINT:
            with contextlib.suppress(RuntimeError):  # the signal came in the middle of a print
                print(STOPPED, file=sys.stderr, flush=True)
        if os.name == "posix":
            last = ["-I", "-S", "-c", _LAST, str(folder), str(number), str(INTERRUPTED)]
            os.execv(sys.executable, [sys.executable, *last])
        _remove(folder)
        os._exit(INTERRUPTED)

    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C, a supervisor, a terminal that is closed
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    for number in signals:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as by `nohup`
            signal.signal(number, end)


def delete_old_files(folder: Path, kept: Collection[str]) -> None:
    """From now on delete what is old, in this page's folder and in those that others left.

    Gradio deletes the files that it knows of earlier; this is for what is left of a page that was
    killed, and of an upload that broke off.

    Args:
        folder: this page's.
        kept: paths in it that stay.
    """

    def again_and_again() -> None:
        while True:
            sweep(folder, kept)
            time.sleep(EVERY)

    threading.Thread(target=again_and_again, name="deletes old files", daemon=True).start()


def sweep(folder: Path, kept: Collection[str]) -> None:
    """Delete old files and old empty folders, of this page and of others in the same place.

    Those that a running page needs are never old: it renews their times here.
    """
    for path in kept:
        with contextlib.suppress(OSError):
            os.utime(path)
    before = time.time() - OLD
    for page in folder.parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another page may be deleting it
            if _is_ours(page):
                old = [path for changed, _, path in _within(page) if changed < before]
                for path in [*old, page] if page.lstat().st_mtime < before else old:
                    _delete(path)
    make_room(folder, kept, MAX_BYTES)


def make_room(folder: Path, kept: Collection[str], most: int) -> None:
    """Delete the oldest files that are not kept, until those are `most` bytes or fewer.

    So nobody who fills the folder keeps others from coming; they lose what they came with first.
    """
    files = [each for each in _within(folder) if each[1] and str(each[2]) not in kept]
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= most:
            break
        _delete(path)
        total -= size


def _within(folder: Path) -> list[tuple[float, int, Path]]:
    """When each was changed, its bytes (0: a folder), and where; what is in a folder before it."""
    found = []
    for root, folders, files in os.walk(folder, topdown=False):
        for name in (*files, *folders):
            with contextlib.suppress(FileNotFoundError):  # somebody has deleted it
                status = (path := Path(root, name)).lstat()
                size = 0 if stat.S_ISDIR(status.st_mode) else max(status.st_size, SMALLEST)
                found.append((status.st_mtime, size, path))
    return found


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):  # a folder that is not empty, or somebody was faster
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def _is_ours(folder: Path) -> bool:
    """A real folder, and of this user: anybody can put things into a system's temporary one."""
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and (os.name != "posix" or status.st_uid == os.getuid())
