"""Picture files through the networks.

    python -m nst.stylize photo.jpg -o out.png                  one photo through v3
    python -m nst.stylize photos/ more.jpg --variant all -o results/

Of a folder, the pictures directly in it are taken.  Several results go into a folder, as
photo-v3.png and so on.  A file that cannot be used is reported and the others are done; the exit
code is 0 if all went well, 1 if something failed, 2 if the command makes no sense.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from tqdm import tqdm

from nst.checkpoint import CheckpointError, load_networks, write_then_rename
from nst.images import PictureError, limit_side, read_picture
from nst.inference.blend import blend
from nst.inference.engines import ENGINES, Engine, build_engines
from nst.inference.picture import stylize_any_size
from nst.models import MIN_SIDE, VARIANTS, TransformerNet
from nst.paths import CHECKPOINTS

# Suffix -> Pillow's name and settings.  WebP without loss, and JPEG with little: strokes are fine.
OUTPUTS = {
    ".png": ("PNG", {"compress_level": 3}),  # a third of the time of 6, a few percent more bytes
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"lossless": True}),
}
INPUT_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
INTERRUPTED = 130  # exit code, as of a shell


class Job(NamedTuple):
    photo: Path
    results: dict[str, Path]  # by variant


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    variants = tuple(VARIANTS) if options.variant == "all" else (options.variant,)
    try:
        jobs = plan(find_photos(options.photos), options.out, variants, options.format)
        networks = load_networks(options.checkpoints, variants=variants)
    except (ValueError, CheckpointError) as error:
        parser.error(str(error))
    engines = build_engines(networks, options.engine)
    failures = []
    try:
        with tqdm(total=len(jobs) * len(variants), unit="picture") as bar:
            for job in jobs:
                try:
                    run(job, networks, engines, options, bar)
                except Exception as error:  # whatever one file does, the others get their turn
                    reason = str(error) if isinstance(error, PictureError) else repr(error)
                    failures.append(job.photo)
                    bar.write(f"{job.photo}: {reason}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped; the results so far are complete.", file=sys.stderr)
        return INTERRUPTED
    if failures:
        names = ", ".join(map(str, failures))
        print(f"{len(failures)} of {len(jobs)} photos failed: {names}", file=sys.stderr)
    return 1 if failures else 0


def run(
    job: Job,
    networks: dict[str, TransformerNet],
    engines: dict[str, Engine],
    options: argparse.Namespace,
    bar: tqdm,
) -> None:
    """Write one photo's results, and advance the bar by one for each, also for those that fail.

    Raises:
        PictureError: the photo is none.
        OSError: a result cannot be written.
    """
    end = bar.n + len(job.results)
    try:
        photo = read_picture(job.photo)
        if options.size:
            photo = limit_side(photo, options.size)
        for variant, path in job.results.items():
            with tqdm(
                unit="tile", desc=f"{job.photo.name} {variant}", leave=False, delay=1
            ) as tiles:

                def progress(done: int, total: int, tiles: tqdm = tiles) -> None:
                    tiles.total = total
                    tiles.update(done - tiles.n)

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


def find_photos(arguments: Sequence[Path]) -> list[Path]:
    """The files among the arguments, and the pictures directly in the folders among them.

    Raises:
        ValueError: a folder holds no pictures.
    """
    photos: list[Path] = []
    for argument in arguments:
        found = [argument]
        if argument.is_dir():
            inside = sorted(argument.iterdir())
            found = [path for path in inside if path.suffix.lower() in INPUT_SUFFIXES]
            if not found:
                raise ValueError(f"{argument}: no pictures in this folder")
        photos += found
    return list(dict.fromkeys(photos))  # each once


def plan(photos: Sequence[Path], out: Path, variants: Sequence[str], suffix: str) -> list[Job]:
    """Where each result goes: to the file `out`, or into the folder `out`.

    Photos of one name but for the suffix keep it in their results' names, and of one name
    altogether (from two folders) get a number.

    Raises:
        ValueError: several results for one file, a format that is not written, or a result that
            would overwrite a photo.
    """
    if out.suffix and not out.is_dir():
        if out.suffix.lower() not in OUTPUTS:
            raise ValueError(f"-o {out}: results are written as {', '.join(OUTPUTS)}")
        if len(photos) * len(variants) > 1:
            raise ValueError(f"-o {out}: several results need a folder")
        jobs = [Job(photos[0], {variants[0]: out})]
    else:
        names = result_names(photos)
        jobs = [
            Job(photo, {variant: out / f"{name}-{variant}{suffix}" for variant in variants})
            for photo, name in zip(photos, names, strict=True)
        ]
    sources = {photo.resolve() for photo in photos}
    for job in jobs:
        for path in job.results.values():
            if path.resolve() in sources:
                raise ValueError(f"{path}: is a photo to stylize and would be overwritten")
    return jobs


def result_names(photos: Sequence[Path]) -> list[str]:
    """A name of its own for each photo, also where capitals do not count."""
    stems = Counter(photo.stem.casefold() for photo in photos)
    taken: set[str] = set()
    names = []
    for photo in photos:
        name = first = photo.stem if stems[photo.stem.casefold()] == 1 else photo.name
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{first}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture in the format of its suffix; the file appears complete or not at all."""
    kind, settings = OUTPUTS[path.suffix.lower()]
    write_then_rename(path, lambda temporary: picture.save(temporary, kind, **settings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nst.stylize",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO", help="files or folders")
    parser.add_argument("-o", "--out", type=Path, required=True, help="a file or a folder")
    parser.add_argument("--variant", choices=(*VARIANTS, "all"), default="v3")
    parser.add_argument("--size", type=_side, metavar="PX", help="longer side at most, of photos")
    parser.add_argument("--strength", type=_share, default=1.0, help="0 the photo, 1 the result")
    parser.add_argument("--keep-colours", action="store_true", help="those of the photo")
    parser.add_argument("--format", type=_suffix, choices=tuple(OUTPUTS), default=".png")
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="large pictures are made by eager PyTorch in any case",
    )
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, metavar="FOLDER")
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


if __name__ == "__main__":
    sys.exit(main())
