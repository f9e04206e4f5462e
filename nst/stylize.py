"""Picture files through the networks.

    python -m nst.stylize photo.jpg -o out.png                  one photo through v3
    python -m nst.stylize photos/ more.jpg --variant all -o results/
    python -m nst.stylize photo.jpg -o out.png --weights mine.safetensors     a network of one's own

Of a folder, the pictures directly in it are taken.  Several results go into a folder, as
photo-v3.png and so on.  A file that cannot be used is reported and the others are done; the exit
code is 0 if all went well, 1 if something failed, 2 if the command makes no sense, 130 after
Ctrl-C.  --skip-existing goes on with what was stopped.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.stylize")

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from tqdm import tqdm

from nst.checkpoint import load_checkpoint, load_networks, paintings
from nst.console import command_parser
from nst.files import names_folder, write_then_rename
from nst.inference.blend import blend
from nst.inference.engines import ENGINES, Engine, build_engines
from nst.inference.picture import stylize_any_size
from nst.models import MIN_SIDE, VARIANTS, TransformerNet
from nst.paths import CHECKPOINTS
from nst.pictures.reading import (
    MAX_PIXELS,
    PictureError,
    TooLargeError,
    looks_like_photo,
    read_with_remark,
)

NAME_BYTES = 255  # as long may a file's name be


class Output(NamedTuple):
    kind: str  # Pillow's name
    settings: dict[str, Any]
    longest_side: int  # px


_JPEG = Output("JPEG", {"quality": 95, "subsampling": 0}, 65_500)
OUTPUTS = {
    ".png": Output("PNG", {"compress_level": 3}, 2**31 - 1),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": Output("WEBP", {"lossless": True}, 16_383),
}


class Job(NamedTuple):
    photo: Path
    results: dict[str, Path]  # by variant


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    variants = tuple(VARIANTS) if options.variant == "all" else (options.variant,)
    own = options.weights or paintings().get(options.painting)
    try:
        if own:
            networks = {own.stem: load_checkpoint(own)[0]}
        else:
            networks = load_networks(options.checkpoints, variants=variants)
        jobs = plan(photo_files(options.photos), options.out, tuple(networks), options.format)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    if options.skip_existing:
        jobs = missing(jobs)
    engines = build_engines(networks if jobs else {}, options.engine, report=complain)
    failures = []
    with tqdm(total=sum(len(job.results) for job in jobs), unit="picture") as bar:
        for job in jobs:
            try:
                run_job(job, networks, engines, options, bar)
            except Exception as error:  # whatever one file does, the others get their turn
                reason = str(error) if isinstance(error, PictureError) else repr(error)
                if isinstance(error, TooLargeError):
                    reason += " --megapixels N takes larger ones."
                failures.append(job.photo)
                bar.write(f"{job.photo}: {reason}", file=sys.stderr)
    if failures:
        names = ", ".join(map(str, failures))
        complain(f"{len(failures)} of {len(jobs)} photos failed: {names}")
    return 1 if failures else 0


def run_job(
    job: Job,
    networks: dict[str, TransformerNet],
    engines: dict[str, Engine],
    options: argparse.Namespace,
    bar: tqdm,
) -> None:
    """Write one photo's results, and advance the bar by one for each, also for those that fail."""
    end = bar.n + len(job.results)
    try:
        max_pixels = max(MAX_PIXELS, options.megapixels * 10**6)
        photo, remark = read_with_remark(job.photo, options.size, max_pixels)
        if remark:
            bar.write(f"{job.photo}: {remark}", file=sys.stderr)
        for path in job.results.values():
            check_fits(photo, path)
        for variant, path in job.results.items():
            label = f"{job.photo.name} {variant}"
            with tqdm(unit="px", unit_scale=True, desc=label, leave=False, delay=1) as pixels:

                def progress(done: int, total: int, pixels: tqdm = pixels) -> None:
                    pixels.total = total
                    pixels.update(done - pixels.n)

                result, seconds = stylize_any_size(
                    networks[variant], photo, engines[variant], progress
                )
            if options.strength < 1 or options.keep_colours:
                result = blend(photo, result, options.strength, options.keep_colours)
            save(result, path)
            bar.write(f"{path}: {photo.width}×{photo.height} px in {seconds:.2f} s")
            bar.update()
    finally:
        bar.update(end - bar.n)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("nst.stylize", __doc__)
    add = parser.add_argument
    add("photos", type=Path, nargs="+", metavar="PHOTO", help="files or folders")
    add("-o", "--out", required=True, help="a file, or a folder with a slash")
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--variant", choices=(*VARIANTS, "all"), default="v3")
    learned = {"choices": tuple(paintings()), "metavar": "NAME"}
    network.add_argument("--painting", help="another one that v4 has learned", **learned)
    network.add_argument("--weights", type=Path, metavar="FILE", help="a checkpoint")
    add("--size", type=_side, metavar="PX", help="longer side at most, of photos")
    add("--strength", type=_share, default=1.0, help="0 the photo, 1 the result")
    add("--keep-colours", action="store_true", help="those of the photo")
    add("--format", type=_suffix, choices=tuple(OUTPUTS), default=".png")
    add("--engine", choices=ENGINES, default=ENGINES[0], help="what runs the networks' layers")
    megapixels = "of the largest photo that is taken; they need ten bytes of memory for each pixel"
    add("--megapixels", type=int, default=MAX_PIXELS // 10**6, metavar="N", help=megapixels)
    add("--skip-existing", action="store_true", help="make only what is missing")
    add("--checkpoints", type=Path, default=CHECKPOINTS, metavar="FOLDER")
    return parser


def _suffix(text: str) -> str:
    return f".{text.lower().removeprefix('.')}"


def _side(text: str) -> int:
    side = int(text)
    if side < MIN_SIDE:
        raise argparse.ArgumentTypeError(f"{MIN_SIDE} px at least")
    return side


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("from 0 to 1")
    return share


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
        kinds = {path: _kind(path) for path in inside}
        found = [path for path, kind in kinds.items() if kind is None]
        if not found:
            raise ValueError(f"{argument}: no pictures in this folder")
        photos += found
        if left_out := Counter(filter(None, kinds.values())):
            counts = ", ".join(f"{kind} ({count})" for kind, count in sorted(left_out.items()))
            complain(f"{argument}: {left_out.total()} left out: {counts}")
    return list(dict.fromkeys(photos))  # each once


def _kind(path: Path) -> str | None:
    """What something is that is left out, as a folder's line of them says it; None: a photo."""
    if path.is_dir():
        return "folders"
    if not path.exists():
        return "links to nowhere"
    if looks_like_photo(path):
        return None
    if path.name.startswith("._"):
        return "companions of macOS"
    return path.suffix.lower() or "without a suffix"


def plan(photos: Sequence[Path], out: str, variants: Sequence[str], suffix: str) -> list[Job]:
    """Where each result goes: to the file `out`, or into the folder `out`.

    Photos of one name but for the suffix keep it in their results' names, and of one name
    altogether (from two folders) get a number.

    Raises:
        ValueError: several results for one file, a format that is not written, or a result that
            would overwrite a photo.
    """
    path = Path(out)
    if not names_folder(out):
        if path.suffix.lower() not in OUTPUTS:
            formats = ", ".join(OUTPUTS)
            raise ValueError(
                f"-o {out}: results are written as {formats}; a folder ends in a slash"
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
    """Raises PictureError: the result's format cannot hold a picture of that size."""
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
