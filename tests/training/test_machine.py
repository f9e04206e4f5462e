from __future__ import annotations

import pytest
import torch

from nst.training import machine
from nst.training.machine import World, choose_compile, join_world


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_the_weighted_average_of_the_shares_is_that_of_the_batch(size: int, count: int) -> None:
    losses = {photo: float(photo**2) for photo in range(10, 10 + count)}
    shares = [World(rank=rank, size=size).share(list(losses)) for rank in range(size)]
    assert sorted({photo for own, _ in shares for photo in own}) == list(losses)
    averaged = sum(
        weight * sum(losses[photo] for photo in own) / len(own) for own, weight in shares
    )
    assert averaged / size == pytest.approx(sum(losses.values()) / count)


def test_one_process_is_left_alone() -> None:
    world = join_world("cpu")
    assert (world.rank, world.size, world.writes) == (0, 1, True)
    assert world.sum(torch.tensor([0.5, 2.0])).tolist() == [0.5, 2.0]


def test_a_certain_gpu_for_several_processes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="say cuda"):
        join_world("cuda:1")


@pytest.mark.parametrize(
    ("asked", "device", "amx", "steps", "compiled"),
    [
        (None, "cpu", True, 200, True),
        (None, "cpu", True, 199, False),
        (None, "cpu", False, 999, False),
        (None, "cpu", False, 1000, True),
        (None, "mps", False, 22_280, False),
        (False, "cpu", True, 22_280, False),
        (True, "cpu", False, 1, True),
    ],
)
def test_a_long_training_is_compiled(
    asked: bool | None,
    device: str,
    amx: bool,
    steps: int,
    compiled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "_has_amx", lambda: amx)
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    assert choose_compile(asked, device, steps) is compiled


def test_what_cannot_compile_trains_uncompiled_unless_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler\nand advice")

    monkeypatch.setattr(torch, "compile", fails)
    assert choose_compile(None, "cpu", 22_280) is False
    with pytest.raises(ValueError, match=r"--compile does not work here: no compiler$"):
        choose_compile(True, "cpu", 1)
