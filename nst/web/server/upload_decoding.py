"""An upload from a stranger, read in a process of its own.

Pillow and the decoders below it have had their bugs, and some formats let a small file ask for
hours of work or gigabytes by its nature (a progressive JPEG of a million empty scans, a GIF with
one comment in a million pieces).  So a child process reads the file, and the system ends it when
it takes too much: the page lives on, whatever is uploaded.  And what a damaged file leaves
undecoded, which then is what lay in memory, cannot be somebody else's picture.

    python -m nst.web.server.upload_decoding SIDE CPU_SECONDS MEMORY_BYTES < file

writes a line of JSON, with the picture's mode and size and what there is to say about the file, and
then the picture's bytes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from pathlib import Path

from PIL import Image

from nst.pictures.metadata import Origin
from nst.pictures.reading import PictureError, Reading, read_bytes, read_with_remark, refusal

CPU_SECONDS = 15
WALL_SECONDS = 60  # more, because others may be using the processors
MEMORY_BYTES = (
    1_500_000_000  # address space; `tests/web/test_upload_decoding.py` has what is needed
)
REFUSED = 3  # exit status: the output is a sentence

_ROOT = Path(__file__).resolve().parents[3]  # from where `-m nst` is found
_log = logging.getLogger(__name__)


def read_upload(source: Path | str | bytes, side: int | None = None) -> Reading:
    """As `nst.pictures.reading.read_with_remark`, but with bounds on time and memory.

    Takes about 0.2 s more.

    Raises:
        PictureError: also when the file takes more than the bounds, or crashes its decoder.
    """
    data = read_bytes(source)
    numbers = [str(side or 0), str(CPU_SECONDS), str(MEMORY_BYTES)]
    command = [sys.executable, "-m", "nst.web.server.upload_decoding", *numbers]
    try:
        child = subprocess.run(
            command, input=data, capture_output=True, cwd=_ROOT, timeout=WALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise refusal("The picture takes too long to decode.") from None
    if child.returncode == REFUSED:
        raise PictureError(child.stdout.decode())
    if child.returncode != 0:
        last = child.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        _log.warning("the decoder of an upload ended with status %s: %s", child.returncode, last)
        raise refusal("The picture takes too much time or memory to decode.")
    header, _, pixels = child.stdout.partition(b"\n")
    mode, size, remark, exif, dpi = json.loads(header)
    return Reading(
        Image.frombytes(mode, size, pixels), remark, Origin(bytes.fromhex(exif), dpi and tuple(dpi))
    )


def main() -> None:
    side, cpu_seconds, memory_bytes = map(int, sys.argv[1:])
    bound_this_process(cpu_seconds, memory_bytes)
    try:
        picture, remark, kept = read_with_remark(sys.stdin.buffer.read(), side or None)
    except PictureError as error:
        sys.stdout.buffer.write(str(error).encode())
        sys.exit(REFUSED)
    header = [picture.mode, picture.size, remark, kept.exif.hex(), kept.dpi]
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    sys.stdout.buffer.write(picture.tobytes())


def bound_this_process(cpu_seconds: int, memory_bytes: int) -> None:
    """Have the system end this process, or refuse it memory, at the bounds; not on Windows."""
    with contextlib.suppress(ImportError):
        import resource

        bounds = {resource.RLIMIT_CPU: cpu_seconds, resource.RLIMIT_AS: memory_bytes}
        for kind, bound in bounds.items():
            with contextlib.suppress(ValueError, OSError):  # macOS does not know RLIMIT_AS
                resource.setrlimit(kind, (bound, bound))


if __name__ == "__main__":
    main()
