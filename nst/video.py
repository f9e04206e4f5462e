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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

from nst.console import command_parser
from nst.files import write_then_rename
from nst.inference.blend import blend
from nst.inference.engines import Engine, build_engines
from nst.inference.picture import film_painter
from nst.jobs import plan
from nst.models import TransformerNet
from nst.stylize import add_result_flags, checkpoint_files, complain, load_asked_for

if TYPE_CHECKING:
    from nst.pictures.film import Frame

LONGEST = 10**9  # s; FFmpeg counts in microseconds, of 64 bits
SUFFIXES = (".mp4", ".webm", ".gif", ".webp")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if None in map(importlib.util.find_spec, ("av", "cv2") if options.steady else ("av",)):
        parser.error("films need PyAV, and --steady OpenCV: pip install .[video]")
    try:
        files, suffix = checkpoint_files(options), options.film.suffix.lower()
        suffix = suffix if suffix in SUFFIXES else SUFFIXES[0]
        (job,) = plan({options.film: Path()}, options.out, tuple(files), suffix, SUFFIXES)
        if options.start >= options.end:
            raise ValueError("--to has to be later than --from")
        networks = load_asked_for(files, options)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    engines = build_engines(networks, options.engine, report=complain)
    try:
        for variant, path in job.results.items():
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

    film = Film(options.film, options.size, options.start, options.end)
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


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("nst.video", __doc__)
    add = parser.add_argument
    add("film", type=Path, metavar="FILM")
    add_result_flags(parser, "film")
    times = {"type": _seconds, "metavar": "TIME", "help": "seconds, or 1:02:03.5"}
    add("--from", dest="start", default=Fraction(0), **times)
    add("--to", dest="end", default=math.inf, **times)
    add("--steady", action="store_true", help="less flicker, and fewer fine strokes")
    return parser


def _seconds(text: str) -> Fraction:
    seconds = Fraction(0)
    for part in text.split(":"):
        if not 0 <= 60 * seconds + float(part) < LONGEST:  # 1/0 is no float, 1e999999999 too long
            raise argparse.ArgumentTypeError(f"0 at least, and less than {LONGEST}")
        seconds = 60 * seconds + Fraction(part)
    return seconds
