"""What the page does: paint a photo, show it otherwise, measure; `app.py` wires it to the page."""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.components import Component
from gradio.data_classes import FileData
from PIL import Image, ImageOps

from nst.images import PictureError, limit_side, read_picture
from nst.inference.engines import Engine
from nst.inference.latency import circumstances, measure_latency
from nst.inference.picture import stylize
from nst.models import MIN_SIDE, TransformerNet, count_parameters
from nst.web import texts
from nst.web.components import Pane, Report, View, Wishes
from nst.web.latency_html import latency_html
from nst.web.session import (
    ORIGINAL,
    Latency,
    Session,
    SessionExpiredError,
    Source,
    open_png,
)
from nst.web.store import PictureStore
from nst.web.upload import read_upload

MEASURE_REPEATS = 10
MAX_SIDE = 2048  # px, of results
FIRST_SIDE = 512  # px, until another one is chosen
THUMBNAIL = 96  # px, of examples

Engines = Mapping[str, Mapping[str, Engine]]  # engine -> network -> what runs it

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Update:
    """What changes on the page; None leaves a part as it is."""

    session: Session | None = None
    view: View | None = None
    table: str | None = None  # HTML
    progress: str | None = None  # HTML, below the button that measures
    sheet: str | None = None  # a file's path


class Studio:
    """The networks at work for any number of visitors, whose state is in their `Session`s.

    Args:
        networks: by name, in the order of the page.
        engines: engine -> network -> what runs it; the first engine is chosen at first.
        store: where pictures are kept.
        examples: name -> file; the first one is what a new visitor sees, and is painted here.
    """

    def __init__(
        self,
        networks: Mapping[str, TransformerNet],
        engines: Engines,
        store: PictureStore,
        examples: Mapping[str, Path],
    ) -> None:
        self.engines, self.store, self.examples = engines, store, examples
        self.parameters = {name: count_parameters(network) for name, network in networks.items()}
        self.names = list(networks)  # in the order of the page
        self._first_engine = next(iter(engines))
        self._at_work = threading.Lock()  # one network at a time, or times would mean nothing
        self._seconds_per_pixel: dict[tuple[str, str], float] = {}  # of engine and network
        self._prepared: dict[Source, Session] = {}  # the examples' results
        first = next(iter(examples))
        photo = self._example(Source(first, FIRST_SIDE, self._first_engine))
        for network in engines[self._first_engine].values():
            stylize(network, photo)  # a warm-up, so that the times shown are like all others
        self.example = self._prepare(first)

    def prepare(self) -> None:
        """Paint the examples, so that a click shows them at once."""
        for name in self.examples:
            self._prepare(name)

    def thumbnails(self) -> list[tuple[str, Image.Image]]:
        """The examples' names and small pictures of them."""
        return [
            (name, ImageOps.fit(read_picture(path, 2 * THUMBNAIL), (THUMBNAIL, THUMBNAIL)))
            for name, path in self.examples.items()
        ]

    def _prepare(self, name: str) -> Session:
        source = Source(name, FIRST_SIDE, self._first_engine)
        if source not in self._prepared:
            session = Session(wanted=tuple(self.names))
            title = self.examples[name].name
            session.begin(self._example(source), title, source, self.store)
            for _ in self.paint(session):
                pass
            self.store.kept.update(session.painted.values())
            self._prepared[source] = session
        return self._prepared[source]

    def ask(self, wishes: Wishes, session: Session) -> None:
        """Somebody wants something else: the run before ends after its current network."""
        session.runs.ask(wishes.number)

    def stop(self, session: Session) -> None:
        """The run ends after its current network."""
        session.runs.stop()

    def run(self, wishes: Wishes, session: Session) -> Iterator[Update]:
        """Paint a photo; each result is shown when it is there.

        Results that are there already are shown at once, unless they are wanted anew.  Until the
        photo has been read, the pictures before it stay.  Whatever fails, the last update says it
        in words, and the run is over.
        """
        wanted = [name for name in self.names if name in wishes.networks]
        session.runs.ask(wishes.number)
        try:
            if not wishes.key or not wanted:
                missing = texts.NO_NETWORK if wishes.key else texts.NO_PHOTO
                yield self._said(session, missing, error=True)
            elif session.runs.may_go_on(wishes.number):
                yield from self._run(wishes, wanted, session)
            elif wishes.number == session.runs.latest:
                yield self._said(session, texts.STOPPED)
            else:  # the later one will say more
                yield Update(session=session)
        finally:
            session.runs.finish(wishes.number)

    def _run(self, wishes: Wishes, wanted: list[str], session: Session) -> Iterator[Update]:
        session.wish(wishes.strength, wishes.keep_colours)
        wish = session.strength, session.keep_colours
        source = Source(wishes.key, bounded(wishes.side), wishes.engine)
        total = len(wanted)
        try:
            known = None if wishes.anew else self._known(source, session)
            if known:
                session.take_over(known)
                session.mix(self.store)
            else:
                yield self._said(session, texts.READING, total=total)
                picture, title = self._read(wishes, source)
                session.begin(picture, title, source, self.store)
            session.wanted = tuple(wanted)
            for done in self.paint(session):
                if not session.runs.may_go_on(wishes.number):
                    break
                if done < total:
                    seconds = self._seconds_left(session)
                    yield self._said(
                        session, texts.PAINTING, done=done, total=total, seconds_left=seconds
                    )
            if wish != (session.strength, session.keep_colours):  # another one meanwhile
                session.mix(self.store)
        except PictureError as error:
            yield self._said(session, str(error), error=True)
        except Exception:  # for example, a machine too small for the picture
            _log.exception("a photo could not be painted")
            yield self._said(session, texts.FAILED, error=True)
        else:
            yield self._said(session, texts.done(session))

    def mix(self, wishes: Wishes, session: Session) -> Update:
        """The results that are there with another strength or other colours; no network runs.

        While another photo is on its way, the wish is kept until that is painted.

        Raises:
            SessionExpiredError: there is nothing, or something else, because the server has been
                restarted or has had many visitors since.
        """
        session.wish(wishes.strength, wishes.keep_colours)
        if not self._is_shown(wishes, session):
            return Update(session=session)
        session.mix(self.store)
        if session.runs.pending:  # and says more itself
            return Update(session=session)
        return self._said(session, texts.mixed(session))

    def sheet(self, wishes: Wishes, session: Session) -> Update:
        """All pictures as they are shown, labelled, on one.

        Raises:
            SessionExpiredError: as by `mix`.
        """
        self._is_shown(wishes, session)
        return Update(sheet=session.sheet(self.captions(session), self.store))

    def measure(self, side: int, wishes: Wishes, session: Session) -> Iterator[Update]:
        """The paper's protocol, here and now, on a picture of side × side px."""
        yield Update(progress=texts.message(texts.MEASURING))
        session.measured = self.latency(side, wishes.engine)
        table = self.table(session)
        yield Update(session=session, table=table, progress=texts.message(texts.MEASURED))

    def first_view(self) -> View:
        """What a new visitor sees."""
        return self._view(self.example, Report(words=texts.WELCOME))

    def table(self, session: Session) -> str:
        """Latencies as HTML."""
        return latency_html(self.parameters, session)

    def paint(self, session: Session) -> Iterator[int]:
        """Run the networks whose results are wanted and missing -> how many are there.

        Once before the first network, and after each one.
        """
        photo = open_png(session.painted[ORIGINAL])
        missing = [name for name in session.wanted if name not in session.painted]
        done = len(session.wanted) - len(missing)
        yield done
        for name in missing:
            engine = session.source.engine
            with self._at_work:
                result, seconds = stylize(self.engines[engine][name], photo)
            self._seconds_per_pixel[engine, name] = seconds / (photo.width * photo.height)
            session.add(name, photo, result, seconds, self.store)
            done += 1
            yield done

    def captions(self, session: Session) -> dict[str, str]:
        """A line about each picture that is shown."""
        return {
            name: " · ".join(
                filter(
                    None,
                    [*texts.facts(name, self.parameters, session), texts.time(name, session)],
                )
            )
            for name in list(session.shown)
        }

    def latency(self, side: int, engine: str) -> Latency:
        """The paper's protocol, here and now, on a picture of side × side px."""
        with self._at_work:
            times = measure_latency(self.engines[engine], side, side, MEASURE_REPEATS)
        return Latency(side, times, circumstances(engine))

    def _is_shown(self, wishes: Wishes, session: Session) -> bool:
        """Whether the page shows the photo that it asks for; False: that one is on its way."""
        if session.source and session.source.photo == wishes.key:
            return True
        if session.runs.pending:
            return False
        raise SessionExpiredError

    def _known(self, source: Source, session: Session) -> Session | None:
        """Where there are results for this already."""
        for other in (session, self._prepared.get(source)):
            if other and other.source == source and other.is_there():
                return other
        return None

    def _read(self, wishes: Wishes, source: Source) -> tuple[Image.Image, str]:
        """The photo, as large as its results will be, and its title."""
        if not wishes.photo:
            return self._example(source), self.examples[source.photo].name
        title = wishes.photo.orig_name or Path(source.photo).name
        if not Path(source.photo).exists():
            raise PictureError(texts.PHOTO_GONE)
        return read_upload(source.photo, source.side), title

    def _example(self, source: Source) -> Image.Image:
        return limit_side(read_picture(self.examples[source.photo]), source.side)

    def _seconds_left(self, session: Session) -> float:
        """About how long the missing networks will take, by the last time they ran; or 0."""
        width, height = session.size
        seconds = 0.0
        for name in session.wanted:
            if name not in session.painted:
                keys = [(session.source.engine, name), (self._first_engine, name)]
                known = [
                    self._seconds_per_pixel[key] for key in keys if key in self._seconds_per_pixel
                ]
                seconds += known[0] * width * height if known else 0
        return round(seconds, 1)

    def _said(self, session: Session, words: str, **report: Any) -> Update:
        """Everything that shows a session, and a line about it."""
        running = bool(report.get("total"))
        return Update(
            session=session,
            view=self._view(session, Report(words=words, **report)),
            table=None if running else self.table(session),
        )

    def _view(self, session: Session, report: Report) -> View:
        """What the viewer shows."""
        panes = []
        for name in (ORIGINAL, *session.wanted):
            path = session.shown.get(name)
            panes.append(
                Pane(
                    name=name,
                    facts=texts.facts(name, self.parameters, session),
                    time=texts.time(name, session),
                    alt=texts.alternative_text(name),
                    picture=FileData(path=path, orig_name=Path(path).name) if path else None,
                )
            )
        return View(
            photo=session.source.photo if session.source else "",
            waiting=texts.WAITING if report.total else texts.NOT_PAINTED,
            panes=panes,
            report=report,
        )


def bounded(side: int) -> int:
    """A side of results that is not below what networks can do, nor above what this page does."""
    return min(max(int(side), MIN_SIDE), MAX_SIDE)


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
