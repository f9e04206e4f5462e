"""The lattice term: only what repeats every 2 or 4 px, wherever and however bright."""

from __future__ import annotations

import io
import math

import pytest
import torch
from gradio.media import get_image
from PIL import Image
from torch import Tensor

from nst.loss import LossSettings, PerceptualLoss, lattice_energy
from nst.pictures.tensors import to_tensor
from nst.vgg import VGGFeatures

OF_A_PHOTO = 5e-4  # at most; networks with the grid have 1.5e-3
NOISE = 1.2e-3  # white, with the deviation of a picture of random values


def photo(name: str, side: int = 256) -> Tensor:
    """(1, 3, side, side) from one of the pictures that come with Gradio."""
    with Image.open(get_image(f"{name}.jpg")) as picture:
        square = picture.convert("RGB").crop((100, 60, 100 + 2 * side, 60 + 2 * side))
    return to_tensor(square.resize((side, side), Image.Resampling.LANCZOS))[None]


def planted(pixels: Tensor, period: int, contrast: float) -> Tensor:
    """A dot in every period×period square, `contrast` above its surroundings."""
    pixels = pixels.clone()
    pixels[..., 1::period, 1::period] += contrast
    return pixels


@pytest.mark.parametrize("name", ["tower", "lion", "cheetah1"])
def test_photos_and_gradients_have_hardly_any(name: str) -> None:
    assert lattice_energy(photo(name)) < OF_A_PHOTO
    slope = torch.linspace(0, 1, 96).expand(1, 3, 96, 96)
    assert lattice_energy(slope) < OF_A_PHOTO / 1000  # the reflected border
    assert lattice_energy(slope.mT) < OF_A_PHOTO / 1000


@pytest.mark.parametrize("period", [2, 4])
def test_a_grid_counts_with_the_square_of_its_contrast(period: int) -> None:
    flat = torch.full((1, 3, 128, 128), 0.4)
    once, twice = (lattice_energy(planted(flat, period, step)) for step in (0.05, 0.1))
    assert once > 1e-5
    assert twice == pytest.approx(4 * once.item(), rel=1e-3)
    assert lattice_energy(planted(photo("lion"), period, 0.2)) > 4 * lattice_energy(photo("lion"))


@pytest.mark.parametrize("period", [3, 5, 7])
def test_other_periods_count_for_little(period: int) -> None:
    flat = torch.full((1, 3, 128, 128), 0.4)
    of_four = lattice_energy(planted(flat, 4, 0.2))
    assert lattice_energy(planted(flat, period, 0.2)) < 0.05 * of_four


@pytest.mark.parametrize("quality", [10, 30, 75])
def test_jpegs_blocks_are_none(quality: int) -> None:
    before = photo("lion")
    file = io.BytesIO()
    levels = (before[0] * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(levels).save(file, "JPEG", quality=quality)
    after = to_tensor(Image.open(file))[None]
    assert lattice_energy(after) < 1.3 * lattice_energy(before) + 1e-5


def test_brightness_and_shifts_do_not_move_it() -> None:
    grid = planted(photo("tower", 320), 4, 0.1)
    energy = lattice_energy(grid)
    assert lattice_energy(grid + 0.3) == pytest.approx(energy.item(), rel=1e-4)
    for rows, columns in [(1, 0), (2, 3), (5, 7)]:
        shifted = grid[..., rows : rows + 288, columns : columns + 288]
        assert lattice_energy(shifted) == pytest.approx(energy.item(), rel=0.1)


def test_noise_has_what_is_written() -> None:
    noise = torch.rand(4, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    assert lattice_energy(noise) == pytest.approx(NOISE, rel=0.1)


def test_small_pictures_have_none_and_bf16_is_summed_in_fp32() -> None:
    assert lattice_energy(torch.rand(1, 3, 31, 64)) == 0
    grid = planted(torch.full((1, 3, 64, 64), 0.5), 4, 0.25)
    with torch.autocast("cpu", torch.bfloat16):
        energy = lattice_energy(grid.bfloat16())
    assert energy.dtype == torch.float32
    assert energy == pytest.approx(lattice_energy(grid).item(), rel=1e-3)


def test_it_weighs_what_was_asked_and_only_the_picture_learns(tiny_vgg: VGGFeatures) -> None:
    """Gradient descent on the term alone takes a grid out; nothing else gets a gradient."""
    torch.manual_seed(0)
    style = torch.rand(3, 64, 64)
    loss, bare = (
        PerceptualLoss(
            tiny_vgg,
            style,
            LossSettings(style_layers=("relu1_2",), lattice_weight=weight),
        )
        for weight in (200.0, 0.0)
    )
    picture = planted(torch.rand(1, 3, 64, 64), 4, 0.3).requires_grad_()
    target = loss.content_target(picture.detach())
    terms, without = loss(picture, target), bare(picture, target)
    assert terms.lattice == without.lattice > 0
    more = terms.total - without.total
    assert more.item() == pytest.approx(200 * terms.lattice.item(), abs=1e-5 * terms.total.item())
    terms.lattice.backward()
    assert picture.grad is not None
    assert picture.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in loss.parameters())
    step = 1e-3 * picture.grad / picture.grad.abs().max()
    assert lattice_energy(picture - step) < terms.lattice
    assert math.isfinite(terms.total.item())
