from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest
import torch

from nst.images import PictureError, read_picture
from nst.training.data import (
    PhotoSet,
    batch_indices,
    crop_square,
    split_photos,
    steps_per_epoch,
)
from nst.training.sources import Photo, find_photos
from tests.helpers import random_picture


def fake_photos(count: int) -> list[Photo]:
    return [Photo(f"{number:05}.jpg", Path("/nowhere")) for number in range(count)]


def test_folder_tar_and_zip_give_the_same_photos(photos: Path, tmp_path: Path) -> None:
    (photos / "notes.txt").write_text("no photo")
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        for path in sorted(photos.iterdir(), reverse=True):
            archive.add(path, path.name)
    from_folder, from_tar = find_photos([photos]), find_photos([tmp_path / "photos.tar"])
    assert [photo.name for photo in from_folder] == [f"{number:02}.jpg" for number in range(12)]
    assert [photo.name for photo in from_folder] == [photo.name for photo in from_tar]
    assert [photo.read() for photo in from_folder] == [photo.read() for photo in from_tar]
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / f"val2017-{method}.zip"  # COCO's has all photos in one folder
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.mkdir("val2017")
            archive.writestr("__MACOSX/._00.jpg", b"no photo")
            for photo in sorted(photos.iterdir(), reverse=True):
                archive.write(photo, f"val2017/{photo.name}")
        from_zip = find_photos([path])
        assert [photo.name for photo in from_zip] == [f"val2017/{p.name}" for p in from_folder]
        assert [photo.read() for photo in from_zip] == [photo.read() for photo in from_folder]


def test_sources_that_are_none_are_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder or file"):
        find_photos([tmp_path / "missing"])
    with pytest.raises(ValueError, match="neither a folder, a zip nor"):
        find_photos([photos / "00.jpg"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no photos found"):
        find_photos([tmp_path / "empty"])


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
