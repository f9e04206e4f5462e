"""What programs may ask for, at the page's API; errors are errors there, with a sentence."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from nst.pictures.reading import PictureError
from nst.web.page import texts
from nst.web.page.components import Results, Upload
from nst.web.page.handlers import captions
from nst.web.page.session import ORIGINAL, Session, Source
from nst.web.page.stylizer import Stylizer, bounded
from nst.web.server.upload import read_upload

_log = logging.getLogger(__name__)


class Programs:
    """The painter's work for programs, each with a `Session` of its own, empty at first."""

    def __init__(self, painter: Stylizer) -> None:
        self.painter = painter

    def stylize(
        self,
        photo: Upload | None,
        side: int,
        networks: Sequence[str],
        engine: str,
        strength: float,
        keep_colours: bool,
        session: Session,
    ) -> tuple[Results, Session]:
        """Paint a photo after The Starry Night: files by network, and milliseconds.

        `side` is px at most along the results' longer side, 16 to 2048; photos are not enlarged.
        `strength` is the results' share in percent, the rest is the photo; `keep_colours` takes
        only their brightness.
        """
        wanted = [name for name in self.painter.names if name in networks]
        with _in_words():
            if not photo or not wanted:
                raise PictureError(texts.NO_NETWORK if photo else texts.NO_PHOTO)
            source = Source(photo.path, bounded(side), engine)
            picture, remark = read_upload(photo.path, source.side)
            session.wish(strength, keep_colours)
            session.begin(picture, photo.name, source, self.painter.store, remark)
            session.wanted = tuple(wanted)
            for _ in self.painter.paint(session):
                pass
        return _results(session), session

    def mix(self, strength: float, keep_colours: bool, session: Session) -> tuple[Results, Session]:
        """The results of the last /stylize otherwise; no network runs."""
        _check(session)
        session.wish(strength, keep_colours)
        session.mix(self.painter.store)
        return _results(session), session

    def magnify(
        self, x: float, y: float, zoom: float, width: int, height: int, session: Session
    ) -> Results:
        """The same place of all pictures of the last /stylize, as the viewer shows it.

        `x` and `y` are the centre in percent of width and height, `zoom` how many pixels a side
        one pixel becomes, 1 to 32, `width` and `height` those of what is returned, in px.
        """
        _check(session)
        crops = session.crops(x, y, zoom, width, height)
        files = {
            name: self.painter.store(crop, f"{session.stem}-{name}-magnified")
            for name, crop in crops.items()
        }
        return _results(session, files, crops[ORIGINAL].size)

    def contact_sheet(self, session: Session) -> str:
        """All pictures of the last /stylize on one, labelled."""
        _check(session)
        return session.sheet(captions(session, self.painter), self.painter.store)

    def measure(self, side: int, engine: str) -> dict[str, Any]:
        """The paper's protocol, now: milliseconds of every repeat, by network.

        `side` is that of the square picture, 16 to 2048 px.
        """
        measured = self.painter.latency(bounded(side), engine)
        return {
            "side": measured.side,
            "circumstances": measured.circumstances,
            "milliseconds": {
                name: [round(time, 2) for time in times]
                for name, times in measured.milliseconds.items()
            },
        }


@contextmanager
def _in_words() -> Iterator[None]:
    """Every error as one with a sentence for whoever asked, and nothing else of it."""
    try:
        yield
    except PictureError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception:
        _log.exception("a program's photo could not be painted")
        raise gr.Error(texts.FAILED, print_exception=False) from None


def _check(session: Session) -> None:
    if not session.source:
        raise gr.Error(texts.NOTHING_YET, print_exception=False)


def _results(
    session: Session, files: dict[str, str] | None = None, size: tuple[int, int] | None = None
) -> Results:
    files = files or {name: session.shown[name] for name in (ORIGINAL, *session.wanted)}
    return Results(
        files={
            name: FileData(path=path, orig_name=Path(path).name) for name, path in files.items()
        },
        milliseconds={name: round(1000 * session.seconds[name], 1) for name in session.wanted},
        size=size or session.size,
        lattice_db={name: round(spots.lattice_db, 2) for name, spots in session.spots.items()},
        array_share={name: spots.array_share for name, spots in session.spots.items()},
        remark=session.remark,
    )
