"""The ratios are those of networks of which they are known, and the files say one thing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from nst.models import VARIANTS
from nst.paths import ASSETS
from nst.study import stability
from nst.study.stability import LAYER, MARKDOWN, TABLE, in_words, ratios, shifted
from nst.vgg import VGGFeatures


def photo(side: int = 64) -> torch.Tensor:
    """Smooth, so that it can be shifted by less than a pixel."""
    coarse = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0.1, 0.9)


def test_a_shift_loses_nothing() -> None:
    x = photo()
    assert torch.allclose(shifted(x, 3)[..., 3:], x[..., :-3], atol=1e-5)
    for once, twice in ((0.25, -0.25), (0.5, 0.5)):
        difference = shifted(shifted(x, once), twice) - shifted(x, once + twice)
        assert difference[..., 4:-4].abs().max() < 0.003


def test_networks_whose_ratios_are_known(tiny_vgg: VGGFeatures) -> None:
    networks = {
        "same": lambda x: x,
        "twice": lambda x: 2 * x,
        "grid": lambda x: x * (torch.arange(x.shape[3]) % 4 < 2),  # locked to its pixels
    }
    rows = ratios(networks, lambda x: tiny_vgg(x, [LAYER])[LAYER], photo(), seed=0)
    of = pd.DataFrame(rows).set_index(["change", "network"])[["pixels", LAYER]]
    changes = list(dict.fromkeys(of.index.get_level_values("change")))
    assert len(changes) == 3 + 2 * 5 + 2
    for change in changes:
        moved_back = change.endswith("moved back")
        same, twice, grid = (of.loc[(change, name)] for name in networks)
        assert list(same) == pytest.approx([0, 0] if moved_back else [1, 1], abs=1e-3)
        assert twice["pixels"] == pytest.approx(4 * same["pixels"], abs=1e-3)
        if moved_back:
            assert grid["pixels"] < 1e-3 if "4 px" in change else grid["pixels"] > 1
        elif change.startswith("noise"):
            assert grid["pixels"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_the_command(
    photos: Path, tiny_vgg_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stability, "SIDE", 48)
    command = ["--photos", str(photos), "--vgg-weights", str(tiny_vgg_file), "--count", "1"]
    assert stability.main([*command, "--out", str(tmp_path / "out")]) == 0
    table = pd.read_csv(tmp_path / "out" / TABLE)
    assert set(table["network"]) == set(VARIANTS)
    assert (set(table["photos"]), set(table["side"])) == ({1}, {48})
    assert (table[["pixels", LAYER]] > 0).all(axis=None)
    assert (tmp_path / "out" / stability.FIGURE).stat().st_size > 10_000


def test_the_tables_say_the_same() -> None:
    table = pd.read_csv(ASSETS / TABLE)
    assert in_words(table) == (ASSETS / MARKDOWN).read_text(encoding="utf-8")
