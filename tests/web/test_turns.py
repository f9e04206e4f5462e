"""One at a time, and some before others."""

from __future__ import annotations

import threading

import pytest

from nst.web.turns import Rank, Turns


def test_the_highest_rank_that_waits_goes_next() -> None:
    turns, order, threads = Turns(), [], []

    def take(rank: Rank) -> None:
        with turns.turn(rank):
            order.append(rank)

    with turns.turn(Rank.PREPARING):
        for rank in (Rank.PREPARING, Rank.LIVE, Rank.VISITOR):
            threads.append(threading.Thread(target=take, args=(rank,)))
            threads[-1].start()
            while not turns._wanted[rank] > (rank is Rank.PREPARING):
                threading.Event().wait(0.001)
        assert turns.is_behind(Rank.LIVE)
        assert order == []
    for thread in threads:
        thread.join(timeout=10)
    assert order == [Rank.VISITOR, Rank.LIVE, Rank.PREPARING]
    assert not turns.is_behind(Rank.PREPARING)


def test_a_lower_rank_does_not_come_between_two_turns_of_a_higher_one() -> None:
    turns, order = Turns(), []

    def prepare() -> None:
        with turns.turn(Rank.PREPARING):
            order.append("preparing")

    preparing = threading.Thread(target=prepare)
    with turns.wanted(Rank.VISITOR):
        preparing.start()
        for number in range(2):
            with turns.turn(Rank.VISITOR):
                order.append(number)
            preparing.join(timeout=0.05)
    preparing.join(timeout=10)
    assert order == [0, 1, "preparing"]


def test_a_turn_ends_with_an_error() -> None:
    turns = Turns()
    for _ in range(2):
        with pytest.raises(RuntimeError), turns.turn(Rank.VISITOR):
            raise RuntimeError("out of memory")
    with turns.turn(Rank.PREPARING):
        assert not turns.is_behind(Rank.PREPARING)
