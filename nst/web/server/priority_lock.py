"""A lock with priorities: one network runs at a time, and some go before others."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum


class Priority(IntEnum):
    """Who goes first."""

    VISITOR = 0  # somebody's picture, or a measurement
    PROGRAM = 1  # a picture that nobody looks at meanwhile
    LIVE = 2  # a frame of somebody's camera, which has others after it
    PREPARING = 3  # an example that nobody has asked for yet


class PriorityLock:
    """A lock that a lower priority (a larger number) gets only while no higher one wants it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted: Counter[Priority] = Counter()
        self._taken = False

    def is_behind(self, priority: Priority) -> bool:
        """Whether somebody of a higher priority wants it."""
        return any(self._wanted[other] for other in Priority if other < priority)

    @contextmanager
    def wanted(self, priority: Priority) -> Iterator[None]:
        """Lower priorities get no turn meanwhile, not even between two of one's own."""
        with self._changed:
            self._wanted[priority] += 1
        try:
            yield
        finally:
            with self._changed:
                self._wanted[priority] -= 1
                self._changed.notify_all()

    @contextmanager
    def turn(self, priority: Priority) -> Iterator[None]:
        """Wait until nobody else has it and no higher priority wants it; then have it."""
        with self.wanted(priority):
            with self._changed:
                self._changed.wait_for(lambda: not self._taken and not self.is_behind(priority))
                self._taken = True
            try:
                yield
            finally:
                with self._changed:
                    self._taken = False
                    self._changed.notify_all()
