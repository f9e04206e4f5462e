"""Which photos a command is about, and where the result of each goes."""

from __future__ import annotations

import glob
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nst.files import names_folder
from nst.pictures.metadata import was_painted
from nst.pictures.reading import looks_like_photo

NAME_BYTES = 255  # as long may a file's name be
FOLDERS = "folders"

Photos = dict[Path, Path]  # each with the folder, inside of that of the results, for its own


class Job(NamedTuple):
    photo: Path
    results: dict[str, Path]  # by variant


def photo_files(arguments: Sequence[str], recursive: bool = False) -> Photos:
    """The files among the arguments, and the pictures in the folders among them.

    What a folder holds beside photos, also results of ours, is counted in one line on stderr.

    Args:
        arguments: names; those with wildcards that no shell has expanded, too.
        recursive: also in folders within folders; their results are apart in the same way.

    Raises:
        ValueError: a folder holds no pictures, or no file has such a name.
        OSError: a folder cannot be read.
    """
    photos: Photos = {}
    for argument in (path for name in arguments for path in _expanded(name)):
        if not argument.is_dir():
            photos.setdefault(argument, Path())
            continue
        kinds = {path: _kind(path) for path in _inside(argument, recursive)}
        found = [path for path, kind in kinds.items() if kind is None]
        left_out = Counter(filter(None, kinds.values()))
        if not found:
            hint = "; --recursive looks into its folders" if FOLDERS in left_out else ""
            raise ValueError(f"{argument}: no pictures in this folder{hint}")
        for path in found:
            photos.setdefault(path, path.parent.relative_to(argument))
        if left_out:
            counts = ", ".join(f"{kind} ({count})" for kind, count in sorted(left_out.items()))
            print(f"{argument}: {left_out.total()} left out: {counts}", file=sys.stderr)
    return photos


def _expanded(name: str) -> list[Path]:
    path = Path(name)
    if os.path.lexists(path) or not glob.has_magic(name):
        return [path]
    if found := sorted(glob.glob(name)):  # noqa: PTH207  with a folder in front, or none
        return [Path(one) for one in found]
    raise ValueError(f"{name}: no file has such a name")


def _inside(folder: Path, recursive: bool) -> Iterator[Path]:
    """Links to folders are not followed: they may lead in a circle."""
    coming = sorted(folder.iterdir(), reverse=True)
    while coming:
        path = coming.pop()
        if recursive and path.is_dir() and not path.is_symlink():
            coming += sorted(path.iterdir(), reverse=True)
        else:
            yield path


def _kind(path: Path) -> str | None:
    """What something is that is left out, as a folder's line of them says it; None: a photo."""
    if path.is_dir():
        return FOLDERS
    if not path.exists():
        return "links to nowhere"
    if not path.is_file():  # who opens a pipe waits for ever
        return "no files"
    if looks_like_photo(path):
        return "results" if was_painted(path) else None
    if path.name.startswith("._"):
        return "companions of macOS"
    return path.suffix.lower() or "without a suffix"


def plan(
    photos: Photos, out: str, variants: Sequence[str], suffix: str, suffixes: Collection[str]
) -> list[Job]:
    """Where each result goes: to the file `out`, or into the folder `out`.

    Photos of one name but for the suffix keep it in their results' names, and of one name
    altogether (from two folders) get a number.

    Args:
        photos: or a film.
        suffix: of results in a folder.
        suffixes: of the formats that are written.

    Raises:
        ValueError: several results for one file, a format that is not written, or a result that
            would overwrite a photo.
    """
    if names_folder(out):
        endings = {variant: f"-{variant}{suffix}" for variant in variants}
        longest = NAME_BYTES - max(len(os.fsencode(ending)) for ending in endings.values())
        jobs = [
            Job(photo, {variant: Path(out, f"{name}{end}") for variant, end in endings.items()})
            for photo, name in result_names(photos, longest).items()
        ]
    elif Path(out).suffix.lower() not in suffixes:
        formats = ", ".join(suffixes)
        raise ValueError(f"-o {out}: results are written as {formats}; a folder ends in a slash")
    elif len(photos) * len(variants) > 1:
        raise ValueError(f"-o {out}: several results need a folder")
    else:
        jobs = [Job(next(iter(photos)), {variants[0]: Path(out)})]
    sources = {os.path.realpath(photo) for photo in photos}  # of a link in a circle, too
    for job in jobs:
        for path in job.results.values():
            if os.path.realpath(path) in sources:
                raise ValueError(f"{path}: is to be stylized and would be overwritten")
    return jobs


def result_names(photos: Mapping[Path, Path], longest: int = NAME_BYTES) -> dict[Path, Path]:
    """A name of its own for each photo, also where capitals do not count, of so many bytes."""
    stems = Counter(_folded(folder / photo.stem) for photo, folder in photos.items())
    taken, names = set(), {}
    for photo, folder in photos.items():
        first = photo.stem if stems[_folded(folder / photo.stem)] == 1 else photo.name
        name, number = _cut(first, longest), 1
        while _folded(folder / name) in taken:
            number += 1
            name = _cut(first, longest - len(f"-{number}")) + f"-{number}"
        taken.add(_folded(folder / name))
        names[photo] = folder / name
    return names


def _folded(path: Path) -> str:
    return str(path).casefold()


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
        print(f"{there} results were there already", file=sys.stderr)
    return [job for job in left if job.results]
