from __future__ import annotations

import pytest
import torch

from nst.training.machine import World, choose_compile, choose_precision, join_world


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
    ("asked", "device", "precision", "steps", "compiled"),
    [
        (None, "cpu", "bf16", 200, True),
        (None, "cpu", "bf16", 199, False),
        (None, "cpu", "fp32", 999, False),
        (None, "cpu", "fp32", 1000, True),
        (None, "mps", "fp32", 22_280, False),
        (False, "cpu", "bf16", 22_280, False),
        (True, "cpu", "fp32", 1, True),
    ],
)
def test_a_long_training_is_compiled(
    asked: bool | None,
    device: str,
    precision: str,
    steps: int,
    compiled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    assert choose_compile(asked, device, precision, steps) is compiled


@pytest.mark.parametrize(
    ("unit", "precision"), [("amx_bf16", "bf16"), ("avx512_bf16", "bf16"), ("avx512_f", "fp32")]
)
def test_bf16_is_taken_where_the_cpu_has_units_for_it(
    unit: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {unit: True})
    assert choose_precision("auto", "cpu") == precision
    assert choose_precision("fp32", "cpu") == "fp32"
    assert choose_precision("auto", "mps") == "fp32"


def test_what_cannot_compile_trains_uncompiled_unless_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler\nand advice")

    monkeypatch.setattr(torch, "compile", fails)
    assert choose_compile(None, "cpu", "bf16", 22_280) is False
    with pytest.raises(ValueError, match=r"--compile does not work here: no compiler$"):
        choose_compile(True, "cpu", "bf16", 1)
