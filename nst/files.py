"""Files that appear complete or not at all, whatever ends the program; and their hashes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path


def write_then_rename(path: Path, write: Callable[[str], object], mode: int = 0o666) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in its place in one step.

    A link stays one: the file that it leads to is written.

    Args:
        write: gets the temporary file's path; the file is there, and empty.
        mode: permissions, of which the umask takes away; 0o600 for the owner alone.

    Raises:
        OSError: the folder cannot be made or written to; or whatever `write` raises.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not of the file's own name, which may be as long as names can be.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    temporary.touch(mode, exist_ok=False)
    permissions = temporary.stat().st_mode
    try:
        write(str(temporary))
        temporary.chmod(permissions)  # safetensors puts a file of its own there
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sha256(path: Path | str) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
