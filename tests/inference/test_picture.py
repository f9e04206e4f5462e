from __future__ import annotations

import numpy as np
import pytest

from nst.checkpoint import load_networks
from nst.inference import picture as picture_module
from nst.inference.picture import stylize_any_size
from tests.helpers import random_picture


def test_large_pictures_go_through_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_networks(variants=["v3"])["v3"]
    picture = random_picture(300, 40)
    calls: list[int] = []
    whole = stylize_any_size(network, picture, progress=lambda done, _: calls.append(done))
    assert not calls
    monkeypatch.setattr(picture_module, "UNTILED_PIXELS", 300 * 40 - 1)
    tiled = stylize_any_size(network, picture, progress=lambda done, _: calls.append(done))
    assert calls
    difference = np.abs(np.asarray(tiled.picture, int) - np.asarray(whole.picture, int))
    assert difference.max() <= 1
