"""The measure against patterns that are planted here: nothing in it comes from our networks.

`python -m tests.artifacts.test_measure` prints the table.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nst.artifacts.__main__ import main
from nst.artifacts.measure import (
    APART,
    Artifacts,
    energies_by_block,
    flat_field,
    high_pass,
    measure,
)
from nst.loss import lattice_energy
from nst.pictures.reading import limit_side, read_picture
from nst.pictures.tensors import to_tensor
from nst.training.sources import find_photos
from tests.artifacts.pictures import (
    COLOURS,
    SIDE,
    clean_pictures,
    jpeg,
    larger,
    noise,
    plant,
    strokes,
)

SHARED = Path(__file__).parents[3] / "shared" / "data"
CONTRASTS = (12, 36, 96)  # levels of 255
FLOOR = 7  # dB; of 200 photos one has more than 6: a prison's bars


def table() -> dict[tuple[str, int, int], Artifacts]:
    """(picture, period, contrast): what is measured; period and contrast 0 stand for none."""
    found = {}
    for name, picture in clean_pictures().items():
        found[name, 0, 0] = measure(plant(picture, 4, 0))
        for period in (2, 3, 4, 5, 8):
            for contrast in CONTRASTS:
                found[name, period, contrast] = measure(plant(picture, period, contrast))
    return found


def show(found: dict[tuple[str, int, int], Artifacts]) -> str:
    lines = ["picture  period  contrast  lattice dB  spots, of yellow  their contrast"]
    for (name, period, contrast), one in found.items():
        share = "no yellow" if one.array_share is None else f"{one.array_share:.2f}"
        lines.append(
            f"{name:7}  {period or '-':>6}  {contrast:8}  {one.lattice_db:10.1f}  {share:>16}  "
            f"{one.array_contrast:14.1f}"
        )
    return "\n".join(lines)


def test_the_measure_rises_with_contrast_and_only_at_2_and_4_px() -> None:
    found = table()
    print(show(found))
    for name in clean_pictures():
        clean = found[name, 0, 0]
        assert clean.lattice_db < 2
        for period in (2, 4):
            levels = [found[name, period, contrast].lattice_db for contrast in CONTRASTS]
            assert clean.lattice_db + 1 < levels[0] < levels[1] - 3
            assert levels[1] + 1 < levels[2] < 18.1  # all that is fine is locked: 64, or 18.06 dB
            assert levels[2] > 12
        for period in (3, 5, 8):
            for contrast in CONTRASTS:
                one = found[name, period, contrast]
                assert one.lattice_db < clean.lattice_db + 1
                assert not one.array_share
                assert one.array_contrast == 0
    for name in ("lion", "tower", "strokes"):
        assert found[name, 0, 0].array_share == 0
        for period, factor in (
            (2, 1.63),
            (4, 1),
        ):  # of 4 frequencies' power, 2 of 3 are no stroke's
            faint, plain, strong = (found[name, period, contrast] for contrast in CONTRASTS)
            assert faint.array_share < 0.2
            assert plain.array_share > 0.85
            assert strong.array_share > 0.99
            assert plain.array_contrast == pytest.approx(36 * factor, rel=0.08)
            assert strong.array_contrast == pytest.approx(96 * factor, rel=0.08)


def test_any_colour_makes_a_lattice_and_only_redness_makes_red_spots() -> None:
    for colour in COLOURS:
        found = measure(plant(strokes(), 4, 60, colour))
        assert found.lattice_db > 10
        assert (found.array_share > 0.9) == (colour in ("red", "green")), colour


def test_lines_and_single_dots_are_no_array() -> None:
    lines = plant(strokes(), 4, 96, down=1)
    for picture in (lines, lines.transpose(Image.Transpose.ROTATE_90)):
        found = measure(picture)
        assert found.lattice_db > 12  # they are locked to the grid
        assert found.array_share == 0
    assert measure(plant(strokes(), 23, 96)).array_share == 0
    pixels = np.array(plant(strokes(), 4, 0))
    for row in range(SIDE):
        pixels[row, row % 4 :: 4, :2] = (240, 120)  # diagonals
    for picture in (pixels, pixels[::-1]):
        assert measure(Image.fromarray(picture)).array_share == 0


def floor_pictures() -> Iterable[tuple[str, Image.Image]]:
    clean = clean_pictures()
    yield from clean.items()
    for name, picture in clean.items():
        yield f"{name}, JPEG at quality 10", jpeg(picture, 10)
        yield f"{name}, enlarged", larger(picture)
        yield f"{name} with dots of 4 px, enlarged", larger(plant(picture, 4, 48))
    for deviation in (3, 12, 40):
        yield f"yellow noise of {deviation}", noise((225, 180, 60), deviation)
    yield "grey", Image.new("RGB", (SIDE, SIDE), (128, 128, 128))
    yield "yellow", Image.new("RGB", (SIDE, SIDE), (225, 180, 60))
    if SHARED.exists():
        photos = find_photos(sorted((SHARED / "photos").iterdir()))
        for photo in random.Random(0).sample(photos, 200):
            yield photo.name, read_picture(photo.read())
        for path in sorted((SHARED / "style").iterdir()):
            yield path.name, limit_side(read_picture(path), 512)


def test_the_floor() -> None:
    """Photos, paintings (where they are at hand), strokes, noise, JPEG, and other sizes."""
    for name, picture in floor_pictures():
        found = measure(picture)
        assert found.lattice_db < FLOOR, name
        assert not found.array_share, name
    assert abs(measure(noise((128, 128, 128), 20)).lattice_db) < 0.5
    assert measure(Image.new("RGB", (64, 64), "white")).lattice_db == 0


def test_brightness_gamma_and_a_shift_move_nothing() -> None:
    for name in ("lion", "tower", "strokes"):
        for contrast in (0, 60):
            picture = plant(clean_pictures()[name], 4, contrast)
            found = measure(picture)
            pixels = np.asarray(picture, dtype=np.float32) / 255
            changed = [pixels * 0.8, pixels * 1.1, pixels**1.2, pixels ** (1 / 1.2)]
            changed += [pixels[1:, 2:], pixels[3:, 1:], pixels[2:, 3:]]
            for number, other in enumerate(changed):
                again = measure(Image.fromarray(np.uint8((255 * other).clip(0, 255).round())))
                where = f"{name}, contrast {contrast}, change {number}"
                assert again.lattice_db == pytest.approx(found.lattice_db, abs=1), where
                if name != "lion":  # whose fur is just yellow enough, or not
                    assert again.array_share == pytest.approx(found.array_share, abs=0.05), where


def test_the_lattice_energy_is_the_losss() -> None:
    picture = plant(strokes(), 4, 60)
    fine = high_pass(np.ascontiguousarray(np.moveaxis(np.asarray(picture), 2, 0)))
    lattice, _ = energies_by_block(fine)
    of_loss = lattice_energy(to_tensor(picture)[None]).item()
    assert lattice.mean() / 255**2 == pytest.approx(of_loss, rel=1e-4)


def test_maps_and_worst_places() -> None:
    pixels = np.array(strokes())
    spotted = np.array(plant(strokes(), 4, 80))
    pixels[64:128, 160:224] = spotted[64:128, 160:224]
    found = measure(Image.fromarray(pixels))
    inside = np.zeros((SIDE // 32, SIDE // 32), dtype=bool)
    inside[2:4, 5:7] = True
    assert found.lattice_map.shape == inside.shape
    assert found.lattice_map[inside].min() > 10 > found.lattice_map[~inside].max()
    assert found.array_share == pytest.approx((64 / SIDE) ** 2, rel=0.3)
    assert found.contrast_map[inside].min() > 40 > found.contrast_map[0].max() == 0
    for places in (found.worst_spots, found.worst_lattice):
        for x, y in list(places)[:4]:
            assert 156 <= x < 228
            assert 60 <= y < 132
        for number, (x, y) in enumerate(places):
            assert all(max(abs(x - a), abs(y - b)) >= APART for a, b in list(places)[:number])
    assert len(found.worst_lattice) == 8
    assert max(found.worst_spots.values()) == found.contrast_map.max()
    plain = measure(Image.new("RGB", (64, 64)))
    assert (list(plain.worst_spots), list(plain.worst_lattice)) == ([], [(16, 16)])


def test_small_and_odd_sizes() -> None:
    for size in ((16, 16), (31, 47), (33, 100)):
        found = measure(plant(strokes(), 4, 80).crop((0, 0, *size)))
        assert found.lattice_map.shape == (max(1, size[1] // 32), max(1, size[0] // 32))
        assert found.lattice_db > 8
        assert found.array_share > 0.9
        assert found.contrast_map.shape == found.lattice_map.shape
        x, y = found.worst
        assert 0 <= x < size[0]
        assert 0 <= y < size[1]
    with pytest.raises(ValueError, match="15×40 px is too small"):
        measure(Image.new("RGB", (15, 40)))


def test_the_flat_field_of_a_network() -> None:
    assert flat_field(lambda pixels: pixels).max() == 0

    def lattice(pixels: torch.Tensor) -> torch.Tensor:
        pixels = pixels.clone() * 0.5 + 0.25
        pixels[:, 0, ::4, ::4] += 0.1
        pixels[..., 0] = 0  # a border counts for nothing
        return pixels

    assert flat_field(lattice) == pytest.approx(25.5 * (1 / 16 * 15 / 16 / 3) ** 0.5, rel=1e-4)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spotted, clean = tmp_path / "spotted.png", tmp_path / "clean.png"
    plant(strokes(), 4, 80).save(spotted)
    strokes().crop((0, 0, 100, 120)).save(clean)
    pictures = [str(spotted), str(clean)]
    assert main([*pictures, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    keys = ["file", "lattice_db", "period_db", "array_share", "array_contrast", "worst"]
    assert [list(row) for row in rows] == [keys, keys]
    assert rows[0]["file"] == str(spotted)
    assert rows[0]["lattice_db"] > 10 > rows[1]["lattice_db"]
    assert (rows[0]["array_share"], rows[1]["array_share"]) == (1, 0)
    assert list(rows[0]["period_db"]) == ["2", "4", "8", "16"]
    assert rows[0]["period_db"]["4"] > rows[1]["period_db"]["4"] + 10
    assert main(pictures) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "red spots in 100% of the yellow area" in lines[0]
    assert " dB; 2 px " in lines[0]
    assert "red spots in 0% of the yellow area; worst at" in lines[1]


def test_the_command_names_what_it_cannot_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny, picture = tmp_path / "tiny.png", tmp_path / "picture.png"
    Image.new("RGB", (15, 40)).save(tiny)
    strokes().crop((0, 0, 40, 100)).save(picture)
    missing = tmp_path / "missing.png"
    assert main([str(missing), str(tiny), str(picture), "--json"]) == 1
    output, errors = capsys.readouterr()
    (row,) = json.loads(output)
    assert row["file"] == str(picture)
    assert row["period_db"] is None  # narrower than a block
    first, second = errors.splitlines()
    assert str(missing) in first
    assert str(tiny) in second
    assert "too small" in second


if __name__ == "__main__":
    print(show(table()))
