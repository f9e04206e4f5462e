"""Which pictures a command makes of which files, under which names and in which formats.

For `nst.stylize`; no network runs here.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from nst.files import write_then_rename
from nst.pictures.reading import PictureError, looks_like_photo

NAME_BYTES = 255  # as long may a file's name be


class Output(NamedTuple):
    kind: str  # Pillow's name
    settings: dict[str, Any]
    longest_side: int  # px


# WebP without loss, and JPEG with little: strokes are fine.
_JPEG = Output("JPEG", {"quality": 95, "subsampling": 0}, 65_500)
OUTPUTS = {
    # compress_level: a third of the time of 6, a few percent more bytes
    ".png": Output("PNG", {"compress_level": 3}, 2**31 - 1),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": Output("WEBP", {"lossless": True}, 16_383),
}


class Job(NamedTuple):
    photo: Path
    results: dict[str, Path]  # by variant


def complain(line: str) -> None:
    print(line, file=sys.stderr)


def photo_files(arguments: Sequence[Path]) -> list[Path]:
    """The files among the arguments, and the pictures directly in the folders among them.

    What a folder holds beside pictures is counted in one line on stderr.

    Raises:
        ValueError: a folder holds no pictures.
        OSError: a folder cannot be read.
    """
    photos: list[Path] = []
    for argument in arguments:
        if not argument.is_dir():
            photos.append(argument)
            continue
        inside = sorted(argument.iterdir())
        found = [
            path
            for path in inside
            if looks_like_photo(path) and path.exists() and not path.is_dir()
        ]
        if not found:
            raise ValueError(f"{argument}: no pictures in this folder")
        photos += found
        if left_out := [path for path in inside if path not in set(found)]:
            kinds = Counter(_kind(path) for path in left_out)
            counts = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
            complain(f"{argument}: {len(left_out)} left out: {counts}")
    return list(dict.fromkeys(photos))  # each once


def _kind(path: Path) -> str:
    """What something is that is left out, as a folder's line of them says it."""
    if path.is_dir():
        return "folders"
    if not path.exists():
        return "links to nowhere"
    if path.name.startswith("._"):
        return "companions of macOS"
    return path.suffix.lower() or "without a suffix"


def plan(photos: Sequence[Path], out: str, variants: Sequence[str], suffix: str) -> list[Job]:
    """Where each result goes: to the file `out`, or into the folder `out`.

    It is a folder if it is one already, ends in a slash, or has no suffix.

    Photos of one name but for the suffix keep it in their results' names, and of one name
    altogether (from two folders) get a number.

    Raises:
        ValueError: several results for one file, a format that is not written, or a result that
            would overwrite a photo.
    """
    path = Path(out)
    if path.suffix and not path.is_dir() and not out.endswith(("/", os.sep)):
        if path.suffix.lower() not in OUTPUTS:
            raise ValueError(
                f"-o {out}: results are written as {', '.join(OUTPUTS)}; a folder ends in a slash"
            )
        if len(photos) * len(variants) > 1:
            raise ValueError(f"-o {out}: several results need a folder")
        jobs = [Job(photos[0], {variants[0]: path})]
    else:
        endings = {variant: f"-{variant}{suffix}" for variant in variants}
        names = result_names(photos, NAME_BYTES - max(map(len, endings.values())))
        jobs = [
            Job(photo, {variant: path / (name + ending) for variant, ending in endings.items()})
            for photo, name in zip(photos, names, strict=True)
        ]
    sources = {os.path.realpath(photo) for photo in photos}  # of a link in a circle, too
    for job in jobs:
        for path in job.results.values():
            if os.path.realpath(path) in sources:
                raise ValueError(f"{path}: is a photo to stylize and would be overwritten")
    return jobs


def result_names(photos: Sequence[Path], longest: int = NAME_BYTES) -> list[str]:
    """A name of its own for each photo, also where capitals do not count, of so many bytes."""
    stems = Counter(photo.stem.casefold() for photo in photos)
    taken, names = set(), []
    for photo in photos:
        first = photo.stem if stems[photo.stem.casefold()] == 1 else photo.name
        name, number = _cut(first, longest), 1
        while name.casefold() in taken:
            number += 1
            name = _cut(first, longest - len(f"-{number}")) + f"-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _cut(name: str, longest: int) -> str:
    while len(os.fsencode(name)) > longest:
        name = name[:-1]
    return name


def missing(jobs: Sequence[Job]) -> list[Job]:
    """The jobs with those of their results that are not there yet; how many are is printed."""
    left, there = [], 0
    for job in jobs:
        results = {name: path for name, path in job.results.items() if not path.exists()}
        there += len(job.results) - len(results)
        left.append(Job(job.photo, results))
    if there:
        complain(f"{there} results were there already")
    return [job for job in left if job.results]


def check_fits(picture: Image.Image, path: Path) -> None:
    """Before a network runs: whether a format can hold a picture of that size.

    Raises:
        PictureError: it cannot.
    """
    kind, _, longest = OUTPUTS[path.suffix.lower()]
    if max(picture.size) > longest:
        raise PictureError(
            f"{picture.width}×{picture.height} px do not fit into a {kind} file, which has "
            f"{longest} px a side at most; take another format, or --size {longest}."
        )


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture in the format of its suffix; the file appears complete or not at all."""
    kind, settings, _ = OUTPUTS[path.suffix.lower()]
    write_then_rename(path, lambda temporary: picture.save(temporary, kind, **settings))
