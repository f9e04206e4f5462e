"""Photos for training: from folders and tar files, in a fixed split, kept decoded in memory.

The paper's split of COCO val2017 is 50 test + 4,455 training + 495 validation photos.
"""

from __future__ import annotations

import random
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nst.images import PictureError, read_picture

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
PAPER_SPLIT = {"test": 50, "train": 4455, "validation": 495}


@dataclass(frozen=True)
class Photo:
    """Where one photo's bytes lie: a whole file, or `size` bytes from `offset` inside a tar."""

    name: str
    path: Path
    offset: int = 0
    size: int | None = None

    def read(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size if self.size is not None else -1)


def find_photos(sources: Iterable[Path | str]) -> list[Photo]:
    """All photos in folders (with their subfolders) and uncompressed tar files, by name.

    Raises:
        ValueError: a source does not exist, is no folder or plain tar, or there are no photos.
    """
    photos: list[Photo] = []
    for source in map(Path, sources):
        if source.is_dir():
            photos += [
                Photo(str(path.relative_to(source)), path)
                for path in source.rglob("*")
                if path.is_file() and _is_photo(path)
            ]
        else:
            photos += _photos_in_tar(source)
    if not photos:
        raise ValueError("no photos found; looked for " + ", ".join(sorted(PHOTO_SUFFIXES)))
    return sorted(photos, key=lambda photo: (photo.name, photo.path))


def _photos_in_tar(path: Path) -> list[Photo]:
    try:
        with tarfile.open(path, "r:") as archive:
            return [
                Photo(member.name, path, member.offset_data, member.size)
                for member in archive
                if member.isfile() and _is_photo(Path(member.name))
            ]
    except FileNotFoundError:
        raise ValueError(f"{path}: no such folder or file") from None
    except tarfile.TarError:
        raise ValueError(f"{path}: neither a folder nor an uncompressed tar file") from None


def _is_photo(path: Path) -> bool:
    """By its name; macOS's companions ("._photo.jpg") are none."""
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith("._")


def split_photos(photos: Sequence[Photo]) -> dict[str, list[Photo]]:
    """Test, train and validation photos: always the same ones for the same names.

    The sorted names are shuffled with a fixed seed, so that a source whose names sort together is
    spread over the three.  Any 5,000 photos (or more, of which the first 5,000 shuffled ones are
    taken) give the paper's 50 / 4,455 / 495; fewer are divided in the same proportions, with at
    least one in each part.

    Raises:
        ValueError: there are fewer than 3 photos.
    """
    if len(photos) < 3:
        raise ValueError(f"{len(photos)} photos are too few to train on; 3 at least")
    shuffled = sorted(photos, key=lambda photo: (photo.name, photo.path))
    random.Random(0).shuffle(shuffled)
    total = sum(PAPER_SPLIT.values())
    count = min(len(shuffled), total)
    test = max(1, count * PAPER_SPLIT["test"] // total)
    validation = max(1, count * PAPER_SPLIT["validation"] // total)
    return {
        "test": shuffled[:test],
        "train": shuffled[test : count - validation],
        "validation": shuffled[count - validation : count],
    }


def crop_square(picture: Image.Image, side: int) -> Image.Image:
    """The shorter side scaled to `side` px, then the middle square."""
    width, height = picture.size
    scale = side / min(width, height)
    width, height = max(side, round(width * scale)), max(side, round(height * scale))
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side))


class PhotoSet:
    """Square photos that are decoded when first asked for and kept as bytes (192 KiB each at 256²).

    Raises on access:
        PictureError: a photo is damaged.
    """

    def __init__(self, photos: Sequence[Photo], side: int) -> None:
        self.photos = list(photos)
        self.pixels = torch.zeros((len(self.photos), 3, side, side), dtype=torch.uint8)
        self.decoded = [False] * len(self.photos)

    def __len__(self) -> int:
        return len(self.photos)

    def batch(self, indices: Sequence[int], device: torch.device | str = "cpu") -> Tensor:
        """Float RGB in [0, 1], (len(indices), 3, side, side)."""
        for index in indices:
            if not self.decoded[index]:
                self._decode(index)
        return self.pixels[list(indices)].to(device).float() / 255

    def _decode(self, index: int) -> None:
        photo = self.photos[index]
        try:
            picture = crop_square(read_picture(photo.read()), self.pixels.shape[2])
        except PictureError as error:
            raise PictureError(f"{photo.path}, {photo.name}: {error}") from None
        self.pixels[index] = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
        self.decoded[index] = True


def batch_indices(count: int, batch_size: int, seed: int, step: int) -> list[int]:
    """The photos of one training step, counted from 0: a pure function, so resuming is exact.

    Every epoch is a fresh permutation of all photos; its last batch may be smaller.
    """
    epoch, position = divmod(step, steps_per_epoch(count, batch_size))
    order = list(range(count))
    random.Random(f"{seed}/{epoch}").shuffle(order)
    return order[position * batch_size : (position + 1) * batch_size]


def steps_per_epoch(count: int, batch_size: int) -> int:
    return -(-count // batch_size)
