"""Freed memory kept for the next activation, instead of being handed back to the system.

glibc maps every block above 32 MB anew and gives it back when it is freed, so that eager PyTorch
pays for fresh, cleared pages with nearly every layer of a large picture.  Kept memory is faster
(the README has how much), but stays with the process and falls into pieces: tiles of 6000×4000 px
were 3 to 11 % faster with it and took 3.9 to 4.3 instead of 2.9 GiB.  So only the benchmark asks
for it, with --keep-memory.

The same from outside, before Python starts: MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8589934592
MALLOC_TOP_PAD_=268435456.
"""

from __future__ import annotations

import ctypes
import platform

# Parameters of mallopt, from glibc's malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
TOP_PAD = 256 * 2**20  # bytes, asked of the system at a time


def keep_freed_memory() -> bool:
    """From now on this process keeps what it frees; False where that is not glibc's to decide."""
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    settings = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: TOP_PAD}
    return all(libc.mallopt(name, value) == 1 for name, value in settings.items())
