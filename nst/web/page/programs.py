"""What programs may ask for, at the page's API; errors are errors there, with a sentence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from nst.models import MIN_SIDE
from nst.pictures.reading import PictureError
from nst.web.page import texts
from nst.web.page.components import Answer, uploaded_file
from nst.web.page.session import ORIGINAL, Mix, Results, Shown, keep_photo, mix_results
from nst.web.page.stylizer import MAX_SIDE, MEASURE_REPEATS, Stylizer
from nst.web.server.priority_lock import Priority
from nst.web.server.upload_decoding import read_upload

MAX_MEASURED_SIDE = 512  # px

_log = logging.getLogger(__name__)


class Programs:
    """The stylizer's work for programs; their arguments come as they were sent."""

    def __init__(self, stylizer: Stylizer) -> None:
        self.stylizer = stylizer

    def stylize(
        self,
        photo: Any,
        side: Any,
        networks: Any,
        engine: Any,
        strength: Any,
        keep_colours: Any,
    ) -> Answer:
        """Stylize a photo after The Starry Night: files by network, and milliseconds.

        `side` is px at most along the results' longer side, 16 to 2048; photos are not enlarged.
        `strength` is the results' share in percent, the rest is the photo; `keep_colours` takes
        only their brightness.
        """
        with _in_words():
            _check(photo, texts.NO_PHOTO)
            file = uploaded_file(photo)
            side = round(_number("side", side, MIN_SIDE, MAX_SIDE))
            networks = self._networks(networks)
            self._check_engine(engine)
            strength = _number("strength", strength, 0, 100)
            _check(isinstance(keep_colours, bool), "keep_colours has to be true or false.")
            reading = read_upload(file.path, side)
            store = self.stylizer.store
            title = file.orig_name or Path(file.path).name
            kept = keep_photo(reading, title, file.path, side, store)
            wanted = Results(kept, engine, networks)
            *_, results = self.stylizer.stylize(wanted, Priority.PROGRAM)
            return _answer(mix_results(results, Mix.nearest(strength, keep_colours), store))

    def measure(self, side: Any, engine: Any) -> Iterator[dict[str, Any]]:
        """The paper's protocol, now: milliseconds of every repeat, by network.

        `side` is that of the square picture, 16 to 512 px.  Who measures next ends this one.
        """
        with _in_words():
            side = round(_number("side", side, MIN_SIDE, MAX_MEASURED_SIDE))
            self._check_engine(engine)
            measured = None
            for measured in self.stylizer.measure(side, engine, Priority.PREPARING):
                yield {
                    "side": side,
                    "hardware": measured.hardware,
                    "milliseconds": {
                        name: [round(time, 2) for time in times]
                        for name, times in measured.milliseconds.items()
                    },
                }
            _check(measured and measured.repeats == MEASURE_REPEATS, texts.MEASURED_ANEW)

    def _networks(self, sent: Any) -> tuple[str, ...]:
        """In the order of the page."""
        names = list(self.stylizer.networks)
        known = isinstance(sent, list) and all(name in names for name in sent)
        _check(known, f"networks have to be a list of some of {', '.join(names)}.")
        _check(sent, texts.NO_NETWORK)
        return tuple(name for name in names if name in sent)

    def _check_engine(self, sent: Any) -> None:
        engines = list(self.stylizer.engines)
        _check(sent in engines, f"engine has to be {' or '.join(engines)}.")


def _check(right: object, words: str) -> None:
    if not right:
        raise PictureError(words)


def _number(name: str, sent: Any, least: float, most: float) -> float:
    is_number = isinstance(sent, int | float) and not isinstance(sent, bool)
    _check(
        is_number and least <= sent <= most, f"{name} has to be a number from {least} to {most}."
    )
    return sent


@contextmanager
def _in_words() -> Iterator[None]:
    """Every error as one with a sentence for whoever asked, and nothing else of it."""
    try:
        yield
    except gr.Error:
        raise
    except PictureError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception:
        _log.exception("a program's request failed")
        raise gr.Error(texts.FAILED, print_exception=False) from None


def _answer(shown: Shown) -> Answer:
    results = shown.results
    made = {name: results.made[name] for name in results.networks}
    spots = {ORIGINAL: results.photo.spots} | {name: one.spots for name, one in made.items()}
    return Answer(
        files={
            name: FileData(path=path, orig_name=Path(path).name)
            for name, path in shown.files.items()
        },
        milliseconds={name: round(1000 * one.seconds, 1) for name, one in made.items()},
        size=results.photo.size,
        lattice_db={name: round(found.lattice_db, 2) for name, found in spots.items()},
        array_share={name: found.array_share for name, found in spots.items()},
        remark=results.photo.remark,
    )
