from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from nst.inference.activation import Activation
from nst.inference.engines import ENGINES
from nst.inference.picture import stylize
from nst.inference.tiling import ChannelStatistics, _ranges, run_tiled, tile_sides
from nst.models import STRIDE, VARIANTS, TransformerNet, build_model
from tests.helpers import random_picture
from tests.test_models import UPSAMPLINGS, with_upsampling


def textured_picture(width: int, height: int) -> Image.Image:
    """Colours with noise on them, so that every norm has something to do everywhere."""
    smooth = np.asarray(random_picture(width, height)).astype(int)
    noise = np.random.default_rng(1).integers(-40, 41, smooth.shape)
    return Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8))


def assert_same_picture(one: Image.Image, other: Image.Image) -> None:
    """Values may be rounded to the next level in a few places, and differ nowhere by more."""
    assert one.size == other.size
    difference = np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 2e-3


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("size", [(150, 97), (64, 131)])
@pytest.mark.parametrize("tile", [32, 45, 400])
def test_exact_statistics_give_the_untiled_result(
    networks: dict[str, TransformerNet],
    name: str,
    size: tuple[int, int],
    tile: int,
) -> None:
    picture = textured_picture(*size)
    assert_same_picture(
        run_tiled(networks[name], picture, tile=tile),
        stylize(networks[name], picture).picture,
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_openvino_gives_the_same(networks: dict[str, TransformerNet], name: str) -> None:
    picture = textured_picture(150, 97)
    assert_same_picture(
        run_tiled(networks[name], picture, "openvino", tile=45),
        stylize(networks[name], picture).picture,
    )


@pytest.mark.parametrize("name", ["v3-k4", "v1-resize", "v3-nonorm", "v3-denselast"])
def test_layers_of_the_ablation(name: str) -> None:
    torch.manual_seed(0)
    network = build_model(name).eval()
    picture = textured_picture(70, 50)
    whole = stylize(network, picture).picture
    for engine in ENGINES:
        assert_same_picture(run_tiled(network, picture, engine, tile=28), whole)


@pytest.mark.parametrize("name", ["baseline", "v3", "v4"])
@pytest.mark.parametrize("size", [(600, 290), (50, 131)])
def test_tiles_of_the_sizes_that_are_quick(
    networks: dict[str, TransformerNet], name: str, size: tuple[int, int]
) -> None:
    """Several squares, the last ones over those before, and strips as wide as the picture."""
    picture = textured_picture(*size)
    for engine in ENGINES:
        assert_same_picture(
            run_tiled(networks[name], picture, engine), stylize(networks[name], picture).picture
        )


def test_sides_of_tiles() -> None:
    def at_quarter_size(height: int, width: int) -> Activation:
        return Activation(np.broadcast_to(np.float32(0), (height, width, 128)), 4)

    photo = Activation(np.zeros((4000, 6000, 3), np.uint8))
    assert tile_sides(photo) == (224, 224)
    assert tile_sides(photo.then(nn.Conv2d(3, 3, 3, stride=2))) == (112, 112)
    assert tile_sides(at_quarter_size(1000, 1500)) == (16, 1500)  # strips
    assert tile_sides(at_quarter_size(10, 10_000)) == (8, 4096)
    assert tile_sides(at_quarter_size(1000, 1500), 45) == (12, 12)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_both_upsamplings(upsampling: str) -> None:
    torch.manual_seed(0)
    network = with_upsampling("v3", upsampling)
    picture = textured_picture(90, 70)
    assert_same_picture(run_tiled(network, picture, tile=24), stylize(network, picture).picture)


def test_smallest_picture(networks: dict[str, TransformerNet]) -> None:
    picture = textured_picture(16, 17)
    for tile in (4, 16, 300):
        assert_same_picture(
            run_tiled(networks["v3"], picture, tile=tile), stylize(networks["v3"], picture).picture
        )


def test_impossible_requests_are_refused(networks: dict[str, TransformerNet]) -> None:
    with pytest.raises(ValueError, match="too small"):
        run_tiled(networks["v3"], Image.new("RGB", (15, 40)))
    with pytest.raises(ValueError, match="1 px at least"):
        run_tiled(networks["v3"], Image.new("RGB", (40, 40)), tile=0)


@pytest.mark.parametrize("name", VARIANTS)
def test_progress_ends_at_its_total(networks: dict[str, TransformerNet], name: str) -> None:
    calls: list[tuple[int, int]] = []
    run_tiled(
        networks[name],
        textured_picture(70, 40),
        tile=32,
        progress=lambda done, total: calls.append((done, total)),
    )
    done, totals = zip(*calls, strict=True)
    assert list(done) == sorted(set(done))
    assert set(totals) == {done[-1]} == {72 * 40}  # sides are multiples of 4 inside


def test_statistics_are_gathered_without_loss() -> None:
    """Of many values far from 0, where float32's mean of squares would leave nothing."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(1, 3, 500, 700, generator=generator) + torch.tensor(
        [0.0, 1000.0, -30.0]
    ).view(3, 1, 1)
    parts = [part for rows in values.split((1, 99, 400), dim=2) for part in rows.split(64, dim=3)]
    found = functools.reduce(
        ChannelStatistics.merge,
        (ChannelStatistics.of(part[0].permute(1, 2, 0).numpy()) for part in parts),
    )
    variance, mean = torch.var_mean(values.double(), (0, 2, 3), correction=0)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.variance, variance, rtol=1e-5, atol=0)


@pytest.mark.parametrize("step", [8, 17, 112, 224, 4096])
@pytest.mark.parametrize("length", [16, 224, 225, 1000, 4097, 6000])
def test_tiles_lie_side_by_side_and_share_little(length: int, step: int) -> None:
    ranges = _ranges(length, step)
    assert [number for one in ranges for number in range(length)[one.used]] == list(range(length))
    sizes = {one.computed[1] - one.computed[0] for one in ranges}
    assert len(sizes) == 1  # one compiled form for all
    (size,) = sizes
    assert size <= step
    assert size * len(ranges) < length + STRIDE * len(ranges)
    for one in ranges:
        first, stop = one.computed
        assert 0 <= first <= one.used.start < one.used.stop == stop <= length
        assert range(first, stop)[one.cut] == range(one.used.start, one.used.stop)
