"""What is freed stays with the process, in one of its own."""

from __future__ import annotations

import platform

import pytest

from tests.helpers import run_python

PROGRAM = """
import resource
from nst.fast import keep_freed_memory

if {keep}:
    assert keep_freed_memory()
import torch
from nst.inference.engines import PlainEngine
from nst.models import build_model

engine, photo = PlainEngine(build_model("v3")), torch.zeros(1, 3, 400, 400)
for _ in range(2):
    engine(photo)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(2):
    engine(photo)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
@pytest.mark.slow
def test_memory_is_used_again_with_fewer_page_faults() -> None:
    faults = {}
    for keep in (False, True):
        result = run_python("-c", PROGRAM.format(keep=keep))
        assert result.returncode == 0, result.stderr
        faults[keep] = int(result.stdout)
    assert faults[True] < faults[False] / 2


SCATTERED = """
from pathlib import Path
from nst.fast import give_back_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

blocks = [bytearray(1000) for _ in range(200_000)]
kept = blocks[::1000]  # between those that are freed
del blocks
before = resident()
give_back_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_freed_memory_between_blocks_in_use_is_given_back() -> None:
    result = run_python("-c", SCATTERED)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) > 100  # MB of 200
