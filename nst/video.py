"""Films through the networks.

    python -m nst.video clip.mp4 -o out.mp4                        through v3
    python -m nst.video clip.mov --variant all --from 0:10 --to 0:20 -o results/

Whatever FFmpeg reads becomes H.264 in .mp4, VP9 in .webm, or an animation in .gif or .webp.  Size,
times, aspect, colour range and sound stay; a film that lies on its side is turned, HDR becomes
standard range, and for .mp4 an odd last row or column is cut off.  Several results go into a
folder, as clip-v3.mp4 and so on.  --steady carries strokes along with what moves
(`nst.inference.steady`).  PyAV and OpenCV are needed: pip install .[video]

What was stopped is begun again: an encoder looks back at what it has written, so that no film in
two pieces is the one that would have come of it (--from makes such a second piece).  The exit code
is 0 if all went well, 1 if something failed, 2 if the command makes no sense, 130 after Ctrl-C.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.video")

import argparse
import importlib.util
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

from nst.checkpoint import CheckpointError, load_networks
from nst.console import command_parser
from nst.files import names_folder, write_then_rename
from nst.inference.blend import blend
from nst.inference.engines import ENGINES, Engine, build_engines
from nst.inference.picture import film_painter
from nst.models import VARIANTS, TransformerNet
from nst.paths import CHECKPOINTS
from nst.stylize import complain, share, side

if TYPE_CHECKING:
    from nst.pictures.film import Frame

LONGEST = 10**9  # s; FFmpeg counts in microseconds, of 64 bits
SUFFIXES = (".mp4", ".webm", ".gif", ".webp")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    variants = tuple(VARIANTS) if options.variant == "all" else (options.variant,)
    if None in map(importlib.util.find_spec, ("av", "cv2") if options.steady else ("av",)):
        parser.error("films need PyAV, and --steady OpenCV: pip install .[video]")
    try:
        results = plan(options.film, options.out, variants)
        if options.start >= options.end:
            raise ValueError("--to has to be later than --from")
        networks = load_networks(options.checkpoints, variants=variants)
    except (ValueError, CheckpointError) as error:
        parser.error(str(error))
    engines = build_engines(networks, options.engine, report=complain)
    try:
        for variant, path in results.items():
            run_film(networks[variant], engines[variant], path, options)
    except (ValueError, OSError, MemoryError) as error:
        complain(f"{options.film}: {error}")
        return 1
    return 0


def run_film(
    network: TransformerNet, engine: Engine, path: Path, options: argparse.Namespace
) -> None:
    """Write one film, complete or not at all.

    Raises:
        FilmError: the clip is no film, holds nothing between --from and --to, or cannot be encoded.
        OSError: it cannot be opened, or the result cannot be written.
    """
    from av.error import FFmpegError

    from nst.pictures.film import Film, FilmError  # which bring PyAV along
    from nst.pictures.film_writing import KINDS, FilmWriter

    film = Film(options.film, options.side, options.start, options.end)
    paint = film_painter(network, engine, film.size)
    steady = None
    if options.steady:
        from nst.inference.steady import Steady  # which brings OpenCV along

        steady = Steady()

    def painted(frame: Frame) -> Frame:
        photo = Image.fromarray(frame.pixels)
        result = paint(photo)
        if steady:
            result = Image.fromarray(steady(frame.pixels, np.asarray(result)))
        if options.strength < 1 or options.keep_colours:
            result = blend(photo, result, options.strength, options.keep_colours)
        return frame._replace(pixels=np.asarray(result))

    def write(temporary: str) -> None:
        with (
            tqdm(total=film.count, unit="frame", desc=path.name) as bar,
            FilmWriter(temporary, KINDS[path.suffix.lower()], film) as writer,
        ):
            for _ in overlapping(film.frames(), painted, writer.write):
                bar.update()
            if not bar.n:
                raise FilmError("nothing is seen between --from and --to")

    try:
        write_then_rename(path, write)
    except FFmpegError as error:
        if isinstance(error, OSError):  # such as a full disk
            raise
        raise FilmError(f"FFmpeg cannot write {path} ({error.strerror})") from error
    for remark in film.remarks:
        complain(f"{options.film}: {remark}.")


def overlapping(
    frames: Iterator[Frame], paint: Callable[[Frame], Frame], write: Callable[[Frame], object]
) -> Iterator[None]:
    """Paint one frame after the other, and meanwhile read the next one and write the one before."""
    with ThreadPoolExecutor(2) as pool:
        coming, written = pool.submit(next, frames, None), None
        while (frame := coming.result()) is not None:
            coming = pool.submit(next, frames, None)
            result = paint(frame)
            if written:
                written.result()
            written = pool.submit(write, result)
            yield
        if written:
            written.result()


def plan(film: Path, out: str, variants: Sequence[str]) -> dict[str, Path]:
    """Where each variant's result goes: to the file `out`, or into the folder `out`.

    Raises:
        ValueError: several results for one file, a format that is not written, or the film itself.
    """
    path = Path(out)
    if names_folder(out):
        suffix = film.suffix.lower()
        suffix = suffix if suffix in SUFFIXES else SUFFIXES[0]
        results = {variant: path / f"{film.stem}-{variant}{suffix}" for variant in variants}
    elif path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"-o {out}: results are written as {', '.join(SUFFIXES)}")
    elif len(variants) > 1:
        raise ValueError(f"-o {out}: several results need a folder")
    else:
        results = {variants[0]: path}
    if os.path.realpath(film) in map(os.path.realpath, results.values()):
        raise ValueError(f"{film}: would be overwritten")
    return results


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("nst.video", __doc__)
    add = parser.add_argument
    add("film", type=Path, metavar="FILM")
    add("-o", "--out", required=True, help="a file, or a folder with a slash")
    add("--variant", choices=(*VARIANTS, "all"), default="v3")
    add("--side", type=side, metavar="PX", help="longer side at most")
    times = {"type": _seconds, "metavar": "TIME", "help": "seconds, or 1:02:03.5"}
    add("--from", dest="start", default=Fraction(0), **times)
    add("--to", dest="end", default=math.inf, **times)
    add("--strength", type=share, default=1.0, help="0 the film, 1 the result")
    add("--keep-colours", action="store_true", help="those of the film")
    add("--steady", action="store_true", help="less flicker, and fewer fine strokes")
    add("--engine", choices=ENGINES, default=ENGINES[0], help="what runs the networks' layers")
    add("--checkpoints", type=Path, default=CHECKPOINTS, metavar="FOLDER")
    return parser


def _seconds(text: str) -> Fraction:
    seconds = Fraction(0)
    for part in text.split(":"):
        if not 0 <= 60 * seconds + float(part) < LONGEST:  # 1/0 is no float, 1e999999999 too long
            raise argparse.ArgumentTypeError(f"0 at least, and less than {LONGEST}")
        seconds = 60 * seconds + Fraction(part)
    return seconds
