from __future__ import annotations

import numpy as np

from nst.artifacts.heat_map import FULL, NONE, OPACITY, TINT, heat_map


def test_the_tint_grows_from_none_to_full_and_goes_on_to_the_border() -> None:
    decibels = np.array([[NONE - 9, (NONE + FULL) / 2], [FULL, FULL + 9]])
    layer = heat_map(decibels, (75, 70))
    assert layer.mode == "RGBA"
    assert layer.size == (75, 70)
    full = int(255 * OPACITY)
    opacity = np.asarray(layer)[..., 3]
    assert opacity[31, 31] == 0
    assert opacity[0, 32] == opacity[31, 74] == full // 2
    assert opacity[32, 0] == opacity[69, 74] == full
    assert (np.asarray(layer)[..., :3] == TINT).all()
