"""Processes that torchrun starts, here or elsewhere, and that share files by their rank."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from torch import distributed

T = TypeVar("T")
RANK, RANKS = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def share_of_rank(items: Sequence[T]) -> Sequence[T]:
    """What this process does of a list that all have alike; all of it without torchrun."""
    return items[RANK::RANKS]


def wait_for_others() -> None:
    """Until all are as far: torchrun stops those that still work when one ends with an error."""
    if RANKS > 1:
        distributed.init_process_group("gloo", timeout=timedelta(weeks=4))
        distributed.barrier()
        distributed.destroy_process_group()
