from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from nst.pictures.reading import PictureError, read_picture
from nst.training import data
from nst.training.data import (
    PhotoSet,
    batch_indices,
    crop_square,
    load_photos,
    names_sha256,
    split_photos,
    steps_per_epoch,
)
from nst.training.sources import Photo, find_photos
from tests.helpers import encoded, png_of_declared_size, random_picture


def fake_photos(count: int) -> list[Photo]:
    return [Photo(f"{number:05}.jpg", Path("/nowhere")) for number in range(count)]


def test_split_has_the_papers_sizes_and_ignores_order() -> None:
    photos = fake_photos(5000)
    split = split_photos(photos)
    assert {name: len(part) for name, part in split.items()} == {
        "test": 50,
        "train": 4455,
        "validation": 495,
    }
    assert split == split_photos(photos[::-1])
    assert {photo for part in split.values() for photo in part} == set(photos)


@pytest.mark.parametrize(
    ("count", "sizes"), [(500, (5, 446, 49)), (3, (1, 1, 1)), (6000, (50, 4455, 495))]
)
def test_split_of_other_numbers(count: int, sizes: tuple[int, int, int]) -> None:
    split = split_photos(fake_photos(count))
    assert tuple(len(split[name]) for name in ("test", "train", "validation")) == sizes


def test_too_few_photos_are_refused() -> None:
    with pytest.raises(ValueError, match="2 photos are too few"):
        split_photos(fake_photos(2))


def test_every_epoch_shows_every_photo_once_in_another_order() -> None:
    per_epoch = steps_per_epoch(10, 4)
    assert per_epoch == 3
    epochs = []
    for epoch in range(2):
        steps = range(epoch * per_epoch, (epoch + 1) * per_epoch)
        batches = [batch_indices(10, 4, seed=0, step=step) for step in steps]
        assert [len(batch) for batch in batches] == [4, 4, 2]
        epochs.append([index for batch in batches for index in batch])
        assert sorted(epochs[-1]) == list(range(10))
    assert epochs[0] != epochs[1]


def test_batches_are_square_float_photos(photos: Path) -> None:
    dataset = PhotoSet(find_photos([photos]), side=24)
    batch = dataset.batch([3, 0])
    assert batch.shape == (2, 3, 24, 24)
    assert batch.dtype == torch.float32
    assert 0 <= batch.min() < batch.max() <= 1
    expected = crop_square(read_picture(photos / "03.jpg"), 24)
    levels = (batch[0] * 255).round().byte().permute(1, 2, 0)
    assert levels.numpy().tobytes() == expected.tobytes()


def test_a_damaged_photo_is_named_clearly(photos: Path) -> None:
    (photos / "00.jpg").write_bytes(b"\xff\xd8\xff no photo")
    with pytest.raises(PictureError, match=r"00\.jpg"):
        PhotoSet(find_photos([photos]), side=24).batch([0])


def test_crop_takes_the_middle() -> None:
    assert crop_square(random_picture(100, 50), 50).size == (50, 50)
    assert crop_square(random_picture(30, 90), 60).size == (60, 60)


def test_a_very_long_picture_does_not_fill_the_memory() -> None:
    """Scaled whole it would be 800,000 px wide."""
    picture = Image.new("RGB", (50_000, 16), "olive")
    assert crop_square(picture, 256).getcolors() == [(256 * 256, (128, 128, 0))]


BAD = {
    "02.jpg": lambda photo: photo[:500],  # cut short
    "05.jpg": lambda photo: b"no photo",
    "07.jpg": lambda photo: b"",
    "08.jpg": lambda photo: encoded(random_picture(8, 8)),  # too small
    "09.png": lambda photo: png_of_declared_size(40_000, 40_000),  # too large
}


def test_bad_photos_are_left_out_by_name_before_anything_else(photos: Path) -> None:
    for name, spoil in BAD.items():
        (photos / name).write_bytes(spoil((photos / "00.jpg").read_bytes()))
    said: list[str] = []
    sets = load_photos([photos], side=24, say=said.append)
    for name in BAD:
        assert any(line.startswith(f"left out: {photos / name}: ") for line in said)
    assert "5 of 13 photos cannot be read and are left out" in said
    assert sum(map(len, sets.values())) == 8
    for name in BAD:
        (photos / name).unlink()
    again = load_photos([photos], side=24, say=None)
    assert names_sha256(again) == names_sha256(sets)


def test_a_damaged_member_of_a_zip_is_left_out(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for photo in sorted(photos.iterdir()):
            archive.write(photo, photo.name)
        start = archive.getinfo("03.jpg").header_offset
    data = bytearray(path.read_bytes())
    data[start + 100] ^= 255
    path.write_bytes(data)
    said: list[str] = []
    load_photos([path], side=24, say=said.append)
    assert said[0].startswith(f"left out: {path}, 03.jpg: ")
    assert "1 of 12 photos cannot be read and are left out" in said


def test_a_bad_photo_with_a_name_that_cannot_be_printed(photos: Path) -> None:
    try:
        (photos / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"no photo")  # Latin-1
    except OSError:
        pytest.skip("this file system takes no such name")
    said: list[str] = []
    load_photos([photos], side=24, say=said.append)
    assert "caf\ufffd.jpg" in said[0].encode().decode()


def test_what_is_more_than_the_paper_has_is_said(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "SPLIT", {"test": 1, "train": 6, "validation": 1})
    monkeypatch.setattr(data, "MAX_PHOTOS", 8)
    said: list[str] = []
    load_photos([photos], side=24, say=said.append)
    assert said == ["photos: 1 test, 6 train, 1 validation, 4 not used (the paper has 8)"]
