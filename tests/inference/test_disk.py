from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from nst.inference import disk as disk_module
from nst.inference.disk import Disk


def test_parts_are_read_as_they_were_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_module, "RELEASE_BYTES", 100)  # pages are given back all the time
    values = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)
    array = Disk().array(*values.shape)
    everything = slice(None)
    array[slice(0, 12), everything] = values[:12]  # whole rows
    array[slice(12, 20), slice(0, 7)] = values[12:, :7]
    array[slice(12, 20), slice(7, 30)] = values[12:, 7:]
    np.testing.assert_array_equal(array[everything, everything], values)
    np.testing.assert_array_equal(array[slice(9, 14), slice(3, 9)], values[9:14, 3:9])
    np.testing.assert_array_equal(array[slice(9, 14), everything], values[9:14])


def test_a_file_is_used_again() -> None:
    disk = Disk()
    small, large = disk.array(1, 4, 1), disk.array(2, 4, 4)
    large[slice(0, 2), slice(0, 4)] = np.ones((2, 4, 4), np.float32)
    del large, small
    again = disk.array(4, 4, 4)  # the largest, made larger
    assert again[slice(0, 2), slice(0, 4)].min() == 1
    other = disk.array(2, 4, 4)
    assert other[slice(0, 2), slice(0, 4)].max() == 0


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="room is not asked for here")
def test_a_full_disk_is_an_error_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        Disk().array(1, 4, 4)
