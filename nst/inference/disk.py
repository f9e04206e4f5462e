"""Activations of large pictures on disk: memory stays bounded, and the system's cache is used."""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
import weakref
from typing import IO

import numpy as np

RELEASE_BYTES = 64 * 2**20  # read so many, a file's pages are given back


class Disk:
    """Room for activations in files without names, which are gone with it.

    They lie where `tempfile` puts files (TMPDIR).  A file whose activation is no longer needed is
    used again, the largest first, because it is in the system's memory already.
    """

    def __init__(self) -> None:
        self._free: list[IO[bytes]] = []
        self._scratch = threading.local()

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
        array = DiskArray(file, shape, self._scratch)
        weakref.finalize(array, self._free.append, file)
        return array


class DiskArray:
    """(H, W, C) float32 in a file; several threads may read and write parts of it."""

    def __init__(self, file: IO[bytes], shape: tuple[int, ...], scratch: threading.local) -> None:
        self.shape = shape
        self._scratch = scratch
        self._file = file.fileno()
        size = 4 * int(np.prod(shape))
        if hasattr(os, "posix_fallocate"):  # or a full disk would end the process while writing
            os.posix_fallocate(self._file, 0, size)
        else:
            file.truncate(size)
        self._pages = mmap.mmap(self._file, size)
        self._values = np.frombuffer(self._pages, np.float32).reshape(shape)
        self._read = 0  # bytes since pages were given back

    def __getitem__(self, part: tuple[slice, slice]) -> np.ndarray:
        """What is there, to read; it holds until this thread reads the next part from this disk.

        Whole rows are seen where they lie, others are copied.
        """
        values = self._values[part]
        if not values.flags.c_contiguous:
            buffer = getattr(self._scratch, "buffer", np.empty(0, np.float32))
            if buffer.size < values.size:  # fresh memory for each part costs more than the copy
                buffer = self._scratch.buffer = np.empty(values.size, np.float32)
            copied = buffer[: values.size].reshape(values.shape)
            copied[...] = values
            values = copied
        self._read += values.nbytes
        if self._read > RELEASE_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            self._read = 0
            self._pages.madvise(mmap.MADV_DONTNEED)
        return values

    def __setitem__(self, part: tuple[slice, slice], values: np.ndarray) -> None:
        height, width, channels = self.shape
        rows, columns = range(height)[part[0]], range(width)[part[1]]
        if not hasattr(os, "pwrite"):
            self._values[part] = values
            return
        # Into mapped memory it would take three times as long, for a page fault every 4 KB.
        lines = np.ascontiguousarray(values, np.float32)
        for row, line in zip(rows, lines, strict=True):
            _write(self._file, line, 4 * channels * (row * width + columns.start))


def _write(file: int, values: np.ndarray, place: int) -> None:
    left = memoryview(values).cast("B")
    while left:
        written = os.pwrite(file, left, place)
        left, place = left[written:], place + written
