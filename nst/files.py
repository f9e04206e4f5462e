"""Files that appear complete or not at all, whatever ends the program; and their hashes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

_HERE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]  # this machine, or container


def write_then_rename(
    path: Path, write: Callable[[str], object], mode: int = 0o666, durable: bool = True
) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in its place in one step.

    A link stays one: the file that it leads to is written.

    Args:
        write: gets the temporary file's path; the file is there, and empty.
        mode: permissions, of which the umask takes away; 0o600 for the owner alone.
        durable: when this returns, the file survives a power failure, too.

    Raises:
        OSError: the folder cannot be made or written to, or the disk is full; it names `path`.
        Exception: whatever else `write` raises.
    """
    path = path.resolve()
    temporary = _temporary_in(path.parent)
    temporary.touch(mode, exist_ok=False)
    permissions = temporary.stat().st_mode
    try:
        with naming(path):
            write(str(temporary))
        temporary.chmod(permissions)  # a library may have put a file of its own there
        if durable:  # before the name: or it may be there without content
            _write_out(temporary, os.O_RDWR)
        temporary.replace(path)
        if durable and os.name == "posix":
            with contextlib.suppress(OSError):  # some file systems do that for files only
                _write_out(path.parent, os.O_RDONLY)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the system that name no file, such as of a full disk, name this one."""
    try:
        yield
    except OSError as error:
        if error.errno and not error.filename:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _write_out(path: Path, flags: int) -> None:
    """Have the system put a file's content, or a folder's names, onto the disk now."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold a lock file, which stays there; False: another process holds it.

    The system lets go of it when this process ends, however it does.
    """
    with path.open("a") as file:
        try:
            if os.name == "nt":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            yield False
            return
        except OSError:  # a file system without locks
            pass
        yield True


@contextlib.contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """A hidden folder inside of `parent` for files that are on their way there.

    Raises:
        OSError: it cannot be made.
    """
    temporary = _temporary_in(parent)
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary_in(folder: Path) -> Path:
    """A new hidden name in a folder, which is made where it is missing.

    It does not contain the final file's name, which may be as long as names can be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    return folder / f".nst-{_HERE}-{os.getpid()}-{secrets.token_hex(4)}.tmp"


@functools.lru_cache(maxsize=16)  # once for each folder
def _remove_leftovers(folder: Path) -> None:
    """Delete what processes of this machine were writing when they were killed."""
    if os.name != "posix":  # elsewhere nobody can be asked for without being harmed
        return
    for path in folder.glob(f".nst-{_HERE}-*.tmp"):
        with contextlib.suppress(ValueError, OSError):  # not named by us, or gone already
            if not _is_alive(int(path.name.split("-")[2])):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def sha256(path: Path | str) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def names_folder(out: str) -> bool:
    """Whether a command's -o is a folder: it is one already, ends in a slash, or has no suffix."""
    path = Path(out)
    return not path.suffix or path.is_dir() or out.endswith(("/", os.sep))
