"""One at a time, and some before others."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from nst.models import VARIANTS, build_model
from nst.pictures.reading import Reading
from nst.web.page.session import Results, keep_photo
from nst.web.page.stylizer import Stylizer
from nst.web.server.priority_lock import Priority, PriorityLock
from nst.web.server.store import PictureStore
from tests.helpers import random_picture


def test_the_highest_rank_that_waits_goes_next() -> None:
    turns, order, threads = PriorityLock(), [], []

    def take(rank: Priority) -> None:
        with turns.turn(rank):
            order.append(rank)

    with turns.turn(Priority.PREPARING):
        for rank in (Priority.PREPARING, Priority.LIVE, Priority.VISITOR):
            threads.append(threading.Thread(target=take, args=(rank,)))
            threads[-1].start()
            while not turns._wanted[rank] > (rank is Priority.PREPARING):
                threading.Event().wait(0.001)
        assert turns.is_behind(Priority.LIVE)
        assert order == []
    for thread in threads:
        thread.join(timeout=10)
    assert order == [Priority.VISITOR, Priority.LIVE, Priority.PREPARING]
    assert not turns.is_behind(Priority.PREPARING)


def test_a_lower_rank_does_not_come_between_two_turns_of_a_higher_one() -> None:
    turns, order = PriorityLock(), []

    def prepare() -> None:
        with turns.turn(Priority.PREPARING):
            order.append("preparing")

    preparing = threading.Thread(target=prepare)
    with turns.wanted(Priority.VISITOR):
        preparing.start()
        for number in range(2):
            with turns.turn(Priority.VISITOR):
                order.append(number)
            preparing.join(timeout=0.05)
    preparing.join(timeout=10)
    assert order == [0, 1, "preparing"]


def test_a_turn_ends_with_an_error() -> None:
    turns = PriorityLock()
    for _ in range(2):
        with pytest.raises(RuntimeError), turns.turn(Priority.VISITOR):
            raise RuntimeError("out of memory")
    with turns.turn(Priority.PREPARING):
        assert not turns.is_behind(Priority.PREPARING)


def test_a_visitors_pictures_come_before_the_rest_of_an_example(tmp_path: Path) -> None:
    widths, threads = [], []

    def network(photo: torch.Tensor) -> torch.Tensor:
        widths.append(photo.shape[-1])
        if photo.shape[-1] == 50 and not threads:  # the second example's first network
            threads.append(threading.Thread(target=visit))
            threads[0].start()
            while not stylizer.lock.is_behind(Priority.PREPARING):
                threading.Event().wait(0.001)
        return photo

    def visit() -> None:
        photo = keep_photo(Reading(random_picture(60, 40)), "photo", "photo", 512, store)
        *_, results = stylizer.stylize(Results(photo, "eager", tuple(VARIANTS)))
        assert list(results.made) == list(VARIANTS)

    for name, width in (("first", 40), ("second", 50)):
        random_picture(width, 40).save(tmp_path / f"{name}.png")
    examples = {name: tmp_path / f"{name}.png" for name in ("first", "second")}
    store, networks = PictureStore(tmp_path), {name: build_model(name) for name in VARIANTS}
    stylizer = Stylizer(networks, {"eager": dict.fromkeys(VARIANTS, network)}, store, examples)
    widths.clear()
    stylizer.prepare()
    threads[0].join(timeout=60)
    count = len(VARIANTS)
    assert widths == [50, *count * [60], *(count - 1) * [50]]
