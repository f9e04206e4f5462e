"""Freed memory kept for the next activation, instead of being handed back to the system.

glibc maps every block above 32 MB anew and gives it back when it is freed, so that eager PyTorch
pays for fresh, cleared pages with nearly every layer of a large picture.  Kept memory is faster
(the README has how much) but stays with the process, so a program asks for it where it has the
machine to itself: the benchmark's --keep-memory and the command line, not the page.

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
