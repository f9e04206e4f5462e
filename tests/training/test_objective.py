"""The part of the pictures that the loss sees."""

from __future__ import annotations

import torch

from nst.training.objective import random_window
from nst.training.settings import Settings


def test_window_is_repeatable_and_inside() -> None:
    settings = Settings(photo_side=256, loss_window=192)
    windows = [random_window(settings, step) for step in range(100)]
    assert windows == [random_window(settings, step) for step in range(100)]
    batch = torch.zeros(1, 3, 256, 256)
    assert {tuple(batch[window].shape) for window in windows} == {(1, 3, 192, 192)}
    assert len({str(window) for window in windows}) > 40
    assert batch[random_window(Settings(), 0)].shape == batch.shape


def test_a_third_of_the_windows_lie_along_each_border() -> None:
    settings = Settings(photo_side=256, loss_window=192)
    seen = torch.zeros(256, 256)
    for step in range(900):
        seen[random_window(settings, step)] += 1
    borders = torch.stack([seen[0].max(), seen[-1].max(), seen[:, 0].max(), seen[:, -1].max()])
    assert (borders / 900 - 1 / 3).abs().max() < 0.05
    assert seen[64:192, 64:192].eq(900).all()
