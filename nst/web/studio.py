"""What the page does: paint a photo, show it otherwise, measure; `app.py` wires it to the page."""

from __future__ import annotations

import copy
import functools
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.components import Component
from gradio.data_classes import FileData
from PIL import Image

from nst.images import PictureError, limit_side, read_picture
from nst.inference.engines import Engine
from nst.inference.latency import circumstances, measure_latency
from nst.inference.picture import stylize
from nst.models import TransformerNet, count_parameters
from nst.web import texts
from nst.web.components import Pane, Panes, Upload
from nst.web.latency_html import latency_html
from nst.web.session import ORIGINAL, Latency, Session, Store
from nst.web.texts import message
from nst.web.upload import read_upload

MEASURE_REPEATS = 10

Engines = Mapping[str, Mapping[str, Engine]]  # engine -> network -> what runs it

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Update:
    """What changes on the page; None leaves a part as it is."""

    session: Session | None = None
    panes: Panes | None = None
    table: str | None = None  # HTML
    status: str | None = None  # HTML, below the button that paints
    progress: str | None = None  # HTML, below the button that measures
    sheet: str | None = None  # a file's path


class Studio:
    """The networks at work for any number of visitors, whose state is in their `Session`s.

    Args:
        networks: by name, in the order of the page.
        engines: engine -> network -> what runs it; the first engine is chosen at first.
        store: where pictures are kept.
        example: what a new visitor sees; painted here, at most `example_side` px long.
    """

    def __init__(
        self,
        networks: Mapping[str, TransformerNet],
        engines: Engines,
        store: Store,
        example: Path,
        example_side: int,
    ) -> None:
        self.engines, self.store = engines, store
        self.parameters = {name: count_parameters(network) for name, network in networks.items()}
        self._example = Session()
        photo = limit_side(read_picture(example), example_side)
        for network in next(iter(engines.values())).values():
            stylize(network, photo)  # a warm-up, so that the times shown are like all others
        engine = next(iter(engines))
        for _ in self._paint(self._example, photo, example.name, list(networks), engine):
            pass

    @property
    def names(self) -> list[str]:
        """The networks, in the order of the page."""
        return list(self.parameters)

    def welcome(self) -> Update:
        """An example, so that there is something to look at."""
        session = copy.deepcopy(self._example)
        return self._all(session, texts.WELCOME)

    def files_of_the_example(self) -> list[str]:
        """Paths of pictures that must not be deleted while the page is there."""
        return list(self._example.painted.values())

    def run(
        self,
        photo: Upload | None,
        side: int,
        networks: Sequence[str],
        engine: str,
        strength: float,
        keep_colours: bool,
        session: Session,
    ) -> Iterator[Update]:
        """Paint one upload; each result is shown when it is there.

        Until the photo has been read, the pictures before it stay.  Whatever fails, the last
        update says it in words, and the session is idle.
        """
        wanted = [name for name in self.names if name in networks]
        if photo is None or not wanted:
            missing = texts.NO_PHOTO if photo is None else texts.NO_NETWORK
            yield Update(status=message(missing, error=True))
            return
        session.wish(strength, keep_colours)
        wish = session.strength, session.keep_colours
        try:
            with session.working():
                yield Update(session=session, status=message(texts.READING))
                picture = self._read(photo, int(side))
                for _ in self._paint(session, picture, photo.name, wanted, engine):
                    panes = self._panes(session, texts.WAITING)
                    yield Update(panes=panes, status=message(texts.PAINTING))
                if wish != (session.strength, session.keep_colours):  # another one meanwhile
                    session.mix(100 * session.strength, session.keep_colours, self.store)
        except PictureError as error:
            yield Update(status=message(str(error), error=True))
        except Exception:  # for example, a machine too small for the picture
            _log.exception("a photo could not be painted")
            yield Update(panes=self._panes(session), status=message(texts.FAILED, error=True))
        else:
            yield self._all(session, texts.done(session))

    def mix(self, strength: float, keep_colours: bool, session: Session) -> Update:
        """The kept results with another strength or other colours; no network runs."""
        session.mix(strength, keep_colours, self.store)
        panes = self._panes(session)
        return Update(session=session, panes=panes, status=message(texts.mixed(session)))

    def magnify(
        self, x: float, y: float, zoom: float, width: float, height: float, session: Session
    ) -> list[Image.Image | None]:
        """The same place of all pictures: centre in percent, zoom, and size in px."""
        crops = session.crops(x, y, zoom, width, height)
        return [crops.get(name) for name in (ORIGINAL, *self.names)]

    def sheet(self, session: Session) -> Update:
        """All pictures as they are shown, labelled, on one."""
        captions = {
            name: " · ".join(texts.facts(name, self.parameters, session))
            for name in list(session.shown)
        }
        return Update(sheet=session.sheet(captions, self.store))

    def measure(self, side: int, engine: str, session: Session) -> Iterator[Update]:
        """The paper's protocol, here and now, on a picture of side × side px."""
        yield Update(progress=message(texts.MEASURING))
        times = measure_latency(self.engines[engine], side, side, MEASURE_REPEATS)
        session.measured = Latency(side, times, circumstances(engine))
        table = self.table(session)
        yield Update(session=session, table=table, progress=message(texts.MEASURED))

    def table(self, session: Session) -> str:
        """Latencies as HTML."""
        return latency_html(self.parameters, session)

    def _read(self, photo: Upload, side: int) -> Image.Image:
        if not Path(photo.path).exists():
            raise PictureError(texts.PHOTO_GONE)
        return read_upload(photo.path, side)

    def _paint(
        self,
        session: Session,
        photo: Image.Image,
        title: str,
        wanted: Sequence[str],
        engine: str,
    ) -> Iterator[None]:
        """Everything that is wanted of a photo, a step for the photo and for each network."""
        session.begin(photo, title, wanted, self.store)
        session.engine = engine
        yield
        for name in wanted:
            result, seconds = stylize(self.engines[engine][name], photo)
            session.add(name, photo, result, seconds, self.store)
            yield

    def _all(self, session: Session, status: str) -> Update:
        """Everything that shows a session, and a line about it."""
        return Update(
            session=session,
            panes=self._panes(session),
            table=self.table(session),
            status=message(status),
        )

    def _panes(self, session: Session, waiting: str = "") -> Panes:
        """What the viewer shows; `waiting` stands where a picture is still missing."""
        panes = []
        for name in (ORIGINAL, *(session.wanted or self.names)):
            path = session.shown.get(name)
            panes.append(
                Pane(
                    name=name,
                    facts=texts.facts(name, self.parameters, session),
                    alt=texts.alternative_text(name),
                    picture=FileData(path=path, orig_name=Path(path).name) if path else None,
                )
            )
        return Panes(waiting=waiting, panes=panes)


def on_page(method: Callable[..., Any], parts: Mapping[str, Component]) -> Callable[..., Any]:
    """A method that gives or yields `Update`s as a handler of Gradio's events.

    Args:
        parts: the component for each field of `Update`.
    """

    def changes(update: Update) -> dict[Component, Any]:
        return {parts[name]: value for name, value in vars(update).items() if value is not None}

    @functools.wraps(method)
    def once(*inputs: Any) -> dict[Component, Any]:
        return changes(method(*inputs))

    @functools.wraps(method)
    def step_by_step(*inputs: Any) -> Iterator[dict[Component, Any]]:
        yield from map(changes, method(*inputs))

    return step_by_step if inspect.isgeneratorfunction(method) else once
