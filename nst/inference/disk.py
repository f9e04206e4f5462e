"""Activations of large pictures on disk: memory stays bounded, and the system's cache is used."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from typing import IO

import numpy as np

RELEASE_BYTES = 64 * 2**20  # read or written so many, a file's pages are given back


class Disk:
    """Room for activations in files without names, which are gone with it.

    They lie where `tempfile` puts files (TMPDIR).  A file whose activation is no longer needed is
    used again, the largest first, because it is in the system's memory already.
    """

    def __init__(self) -> None:
        self._free: list[IO[bytes]] = []

    def array(self, *shape: int) -> DiskArray:
        """Room for (H, W, C) float32.

        Raises:
            OSError: there is not enough.
        """
        if self._free:  # to which other threads may add meanwhile
            file = max(self._free.copy(), key=lambda file: os.fstat(file.fileno()).st_size)
            self._free.remove(file)
        else:
            file = tempfile.TemporaryFile()  # noqa: SIM115
        array = DiskArray(file, shape)
        weakref.finalize(array, self._free.append, file)
        return array


class DiskArray:
    """(H, W, C) float32 in a file; several threads may read and write parts of it."""

    def __init__(self, file: IO[bytes], shape: tuple[int, ...]) -> None:
        self.shape = shape
        size = 4 * int(np.prod(shape))
        if hasattr(os, "posix_fallocate"):  # or a full disk would end the process while writing
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
        self._pages = mmap.mmap(file.fileno(), size)
        self._values = np.frombuffer(self._pages, np.float32).reshape(shape)
        self._used = 0  # bytes since pages were given back

    def __getitem__(self, part: tuple[slice, slice]) -> np.ndarray:
        """What is there, to read: seen where it lies."""
        values = self._values[part]
        self._release(values.nbytes)
        return values

    def __setitem__(self, part: tuple[slice, slice], values: np.ndarray) -> None:
        self._values[part] = values
        self._release(values.nbytes)

    def _release(self, size: int) -> None:
        """Give pages back to the system's cache, where they stay, when many bytes were used."""
        self._used += size
        if self._used > RELEASE_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            self._used = 0
            self._pages.madvise(mmap.MADV_DONTNEED)
