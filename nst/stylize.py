"""Picture files through the networks.

    python -m nst.stylize photo.jpg -o out.png                  one photo through v3
    python -m nst.stylize photos/ more.jpg --variant all -o results/

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
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from nst.checkpoint import CheckpointError, load_networks
from nst.inference.blend import blend
from nst.inference.engines import ENGINES, Engine, build_engines
from nst.inference.picture import stylize_any_size
from nst.jobs import OUTPUTS, Job, check_fits, complain, missing, photo_files, plan, save
from nst.models import MIN_SIDE, VARIANTS, TransformerNet
from nst.paths import CHECKPOINTS
from nst.pictures.reading import MAX_PIXELS, PictureError, TooLargeError, read_with_remark


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    variants = tuple(VARIANTS) if options.variant == "all" else (options.variant,)
    try:
        jobs = plan(photo_files(options.photos), options.out, variants, options.format)
        networks = load_networks(options.checkpoints, variants=variants)
    except (ValueError, CheckpointError, OSError) as error:
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
    """Write one photo's results, and advance the bar by one for each, also for those that fail.

    Raises:
        PictureError: the photo is none, or too large for the result's format.
        OSError: a result cannot be written.
    """
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
    parser = argparse.ArgumentParser(
        prog="python -m nst.stylize",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO", help="files or folders")
    parser.add_argument("-o", "--out", required=True, help="a file, or a folder with a slash")
    parser.add_argument("--variant", choices=(*VARIANTS, "all"), default="v3")
    parser.add_argument("--size", type=_side, metavar="PX", help="longer side at most, of photos")
    parser.add_argument("--strength", type=_share, default=1.0, help="0 the photo, 1 the result")
    parser.add_argument("--keep-colours", action="store_true", help="those of the photo")
    parser.add_argument("--format", type=_suffix, choices=tuple(OUTPUTS), default=".png")
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="what runs the networks' layers",
    )
    parser.add_argument(
        "--megapixels",
        type=int,
        default=MAX_PIXELS // 10**6,
        metavar="N",
        help="of the largest photo that is taken; they need ten bytes of memory for each pixel",
    )
    parser.add_argument("--skip-existing", action="store_true", help="make only what is missing")
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
