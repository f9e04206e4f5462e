"""Picture files through the networks.

    python -m nst.stylize photo.jpg -o out.png                  one photo through v3
    python -m nst.stylize photos/ more.jpg --variant all -o results/
    python -m nst.stylize photo.jpg -o out.png --weights mine.safetensors     a network of one's own
    torchrun --nproc-per-node 2 -m nst.stylize photos/ -o results/      shared by two processes

Of a folder, the pictures directly in it are taken, but for results of this program; a name with
* or ? stands for those that fit.  Several results go into a folder, as photo-v3.png and so on.  A
file that cannot be used is reported and the others are done; the exit code is 0 if all went well, 1
if something failed, 2 if the command makes no sense, 130 after Ctrl-C.  --skip-existing goes on
with what was stopped, torchrun's --max-restarts by itself.

In each result is written how it was made (as text and XMP), and the photo's date, author and
resolution.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.stylize")

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from tqdm import tqdm

from nst.checkpoint import load_checkpoint, load_networks, paintings
from nst.console import command_parser
from nst.files import sha256, write_then_rename
from nst.inference.blend import blend
from nst.inference.engines import ENGINES, Engine, build_engines
from nst.inference.picture import stylize_any_size
from nst.jobs import Job, missing, photo_files, plan
from nst.models import MIN_SIDE, VARIANTS, TransformerNet
from nst.paths import CHECKPOINTS
from nst.pictures.colours import as_clear_as, on_white
from nst.pictures.metadata import Origin, Recipe, save_settings
from nst.pictures.reading import (
    MAX_PIXELS,
    PictureError,
    TooLargeError,
    read_with_remark,
)
from nst.ranks import RANK, share_of_rank, wait_for_others


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        photos = photo_files(options.photos, options.recursive)
        files = checkpoint_files(options)
        jobs = plan(photos, options.out, tuple(files), options.format, OUTPUTS)
        networks = load_asked_for(files, options)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    jobs = share_of_rank(jobs)  # of all, or it would change with what others have made
    if options.skip_existing:
        jobs = missing(jobs)
    engines = build_engines(networks if jobs else {}, options.engine, report=complain)
    recipes = {
        name: Recipe(name, sha256(file), options.strength, options.keep_colours)
        for name, file in files.items()
    }
    failures = []
    total = sum(len(job.results) for job in jobs)
    with tqdm(total=total, unit="picture", position=RANK) as bar:
        for job in jobs:
            try:
                run_job(job, networks, engines, recipes, options, bar)
            except Exception as error:  # whatever one file does, the others get their turn
                reason = str(error) if isinstance(error, PictureError) else repr(error)
                if isinstance(error, TooLargeError):
                    reason += " --megapixels N takes larger ones."
                failures.append(job.photo)
                bar.write(f"{job.photo}: {reason}", file=sys.stderr)
    if failures:
        names = ", ".join(map(str, failures))
        complain(f"{len(failures)} of {len(jobs)} photos failed: {names}")
    wait_for_others()
    return 1 if failures else 0


def run_job(
    job: Job,
    networks: dict[str, TransformerNet],
    engines: dict[str, Engine],
    recipes: dict[str, Recipe],
    options: argparse.Namespace,
    bar: tqdm,
) -> None:
    """Write one photo's results, and advance the bar by one for each, also for those that fail."""
    end = bar.n + len(job.results)
    try:
        max_pixels = max(MAX_PIXELS, options.megapixels * 10**6)
        photo, remark, origin = read_with_remark(
            job.photo, options.size, max_pixels, options.keep_gps
        )
        opaque = on_white(photo)
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
                    networks[variant], opaque, engines[variant], progress
                )
            if options.strength < 1 or options.keep_colours:
                before = photo.convert("RGB")  # its colours without the white
                result = blend(before, result, options.strength, options.keep_colours)
            written = None if options.no_metadata else (recipes[variant], origin)
            save(as_clear_as(photo, result), path, written)
            bar.write(f"{path}: {photo.width}×{photo.height} px in {seconds:.2f} s")
            bar.update()
    finally:
        bar.update(end - bar.n)


def checkpoint_files(options: argparse.Namespace) -> dict[str, Path]:
    """The networks' files by the name that their results get."""
    if path := options.weights or paintings().get(options.painting):
        return {path.stem: path}
    variants = VARIANTS if options.variant == "all" else (options.variant,)
    return {name: options.checkpoints / f"{name}.safetensors" for name in variants}


def load_asked_for(
    files: dict[str, Path], options: argparse.Namespace
) -> dict[str, TransformerNet]:
    """The networks in `checkpoint_files`, by the same names.

    Raises:
        CheckpointError: one is missing, damaged, or holds another variant than was asked for.
    """
    if options.weights or options.painting:
        return {name: load_checkpoint(file)[0] for name, file in files.items()}
    return load_networks(options.checkpoints, variants=files)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("nst.stylize", __doc__)
    add = parser.add_argument
    add("photos", nargs="+", metavar="PHOTO", help="files or folders")
    add("--recursive", action="store_true", help="take folders within folders, and keep them apart")
    add_result_flags(parser, "photo")
    add("--format", type=_suffix, choices=tuple(OUTPUTS), default=".png")
    megapixels = "of the largest photo that is taken; they need ten bytes of memory for each pixel"
    add("--megapixels", type=int, default=MAX_PIXELS // 10**6, metavar="N", help=megapixels)
    add("--keep-gps", action="store_true", help="write into results where the photo was taken")
    nothing = "write nothing into results; a folder then takes them for photos"
    add("--no-metadata", action="store_true", help=nothing)
    add("--skip-existing", action="store_true", help="make only what is missing")
    return parser


def add_result_flags(parser: argparse.ArgumentParser, what: str) -> None:
    """Where results go and how they are made, of photos as of films; `what`: one of them."""
    add = parser.add_argument
    add("-o", "--out", required=True, help="a file, or a folder with a slash")
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--variant", choices=(*VARIANTS, "all"), default="v3")
    learned = {"choices": tuple(paintings()), "metavar": "NAME"}
    network.add_argument("--painting", help="another one that v4 has learned", **learned)
    network.add_argument("--weights", type=Path, metavar="FILE", help="a checkpoint")
    add("--checkpoints", type=Path, default=CHECKPOINTS, metavar="FOLDER")
    add("--size", type=_side, metavar="PX", help=f"longer side at most, of the {what}")
    add("--strength", type=_share, default=1.0, help=f"0 the {what}, 1 the result")
    add("--keep-colours", action="store_true", help=f"those of the {what}")
    add("--engine", choices=ENGINES, default=ENGINES[0], help="what runs the networks' layers")


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


def check_fits(picture: Image.Image, path: Path) -> None:
    """Raises PictureError: the result's format cannot hold a picture of that size."""
    kind, _, longest = OUTPUTS[path.suffix.lower()]
    if max(picture.size) > longest:
        raise PictureError(
            f"{picture.width}×{picture.height} px do not fit into a {kind} file, which has "
            f"{longest} px a side at most; take another format, or --size {longest}."
        )


def save(picture: Image.Image, path: Path, about: tuple[Recipe, Origin] | None = None) -> None:
    """Write a picture in the format of its suffix; the file appears complete or not at all.

    Args:
        about: how it was made, and what its photo's file said.
    """
    kind, settings, _ = OUTPUTS[path.suffix.lower()]
    if about:
        settings = {**settings, **save_settings(kind, picture.size, *about)}
    if kind == "JPEG":
        picture = on_white(picture)
    write_then_rename(path, lambda temporary: picture.save(temporary, kind, **settings))
