"""What the page does: paint a photo, show it otherwise, measure; `app.py` wires it to the page."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.components import Component
from gradio.data_classes import FileData

from nst.pictures.reading import PictureError, Reading
from nst.web.page import texts
from nst.web.page.components import Found, Pane, Report, StylizeRequest, View
from nst.web.page.latency_html import latency_html
from nst.web.page.session import (
    ORIGINAL,
    Session,
    SessionExpiredError,
    Source,
)
from nst.web.page.stylizer import Stylizer, bounded
from nst.web.server.upload import read_upload

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Update:
    """What changes on the page; None leaves a part as it is."""

    session: Session | None = None
    view: View | None = None
    table: str | None = None  # HTML
    progress: str | None = None  # HTML, below the button that measures


class Handlers:
    """What visitors ask for; what they see is in their `Session`s."""

    def __init__(self, painter: Stylizer) -> None:
        self.painter = painter

    def ask(self, wishes: StylizeRequest, session: Session) -> None:
        """Somebody wants something else: the run before ends after its current network."""
        session.runs.ask(wishes.number)

    def stop(self, session: Session) -> None:
        """The run ends after its current network."""
        session.runs.stop()

    def run(self, wishes: StylizeRequest, session: Session) -> Iterator[Update]:
        """Paint a photo; each result is shown when it is there.

        Results that are there already are shown at once, unless they are wanted anew.  Until the
        photo has been read, the pictures before it stay.  Whatever fails, the last update says it
        in words, and the run is over.
        """
        wanted = [name for name in self.painter.names if name in wishes.networks]
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

    def _run(self, wishes: StylizeRequest, wanted: list[str], session: Session) -> Iterator[Update]:
        session.wish(wishes.strength, wishes.keep_colours)
        wish = session.strength, session.keep_colours
        source = Source(wishes.key, bounded(wishes.side), wishes.engine)
        total = len(wanted)
        try:
            known = None if wishes.anew else self.painter.known(source, session)
            if known:
                session.take_over(known)
                session.mix(self.painter.store)
            else:
                yield self._said(session, texts.READING, total=total)
                (picture, remark), title = self._read(wishes, source)
                session.begin(picture, title, source, self.painter.store, remark)
            session.wanted = tuple(wanted)
            for done in self.painter.paint(session):
                if not session.runs.may_go_on(wishes.number):
                    break
                if done < total:
                    seconds = self.painter.seconds_left(session)
                    yield self._said(
                        session, texts.PAINTING, done=done, total=total, seconds_left=seconds
                    )
            if wish != (session.strength, session.keep_colours):  # another one meanwhile
                session.mix(self.painter.store)
        except PictureError as error:
            yield self._said(session, str(error), error=True)
        except SessionExpiredError as error:  # a file went while others were made
            yield self._said(session, error.message, error=True)
        except Exception:  # for example, a machine too small for the picture
            _log.exception("a photo could not be painted")
            yield self._said(session, texts.FAILED, error=True)
        else:
            yield self._said(session, texts.done(session))

    def mix(self, wishes: StylizeRequest, session: Session) -> Update:
        """The results that are there with another strength or other colours; no network runs.

        While another photo is on its way, the wish is kept until that is painted.

        Raises:
            SessionExpiredError: there is nothing, or something else, because the server has been
                restarted or has had many visitors since.
        """
        session.wish(wishes.strength, wishes.keep_colours)
        if not self._is_shown(wishes, session):
            return Update(session=session)
        session.mix(self.painter.store)
        if session.runs.pending:  # and says more itself
            return Update(session=session)
        return self._said(session, texts.mixed(session))

    def measure(self, side: int, wishes: StylizeRequest, session: Session) -> Iterator[Update]:
        """The paper's protocol, here and now, on a picture of side × side px."""
        yield Update(progress=texts.message(texts.MEASURING))
        session.measured = self.painter.latency(side, wishes.engine)
        table = self.table(session)
        yield Update(session=session, table=table, progress=texts.message(texts.MEASURED))

    def first_view(self) -> View:
        """What a new visitor sees."""
        return self._view(self.painter.first_session(), Report(words=texts.WELCOME))

    def table(self, session: Session) -> str:
        """Latencies as HTML."""
        return latency_html(self.painter.parameters, session)

    def _is_shown(self, wishes: StylizeRequest, session: Session) -> bool:
        """Whether the page shows the photo that it asks for; False: that one is on its way."""
        if session.source and session.source.photo == wishes.key:
            return True
        if session.runs.pending:
            return False
        raise SessionExpiredError

    def _read(self, wishes: StylizeRequest, source: Source) -> tuple[Reading, str]:
        """The photo, as large as its results will be, and its title."""
        if not wishes.photo:
            example = self.painter.example(source)
            return Reading(example, None), self.painter.examples[source.photo].name
        title = wishes.photo.orig_name or Path(source.photo).name
        if not Path(source.photo).exists():
            raise PictureError(texts.PHOTO_GONE)
        return read_upload(source.photo, source.side), title

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
        return View(
            number=session.runs.latest,
            photo=session.source.photo if session.source else "",
            stem=session.stem,
            caption=texts.caption(session),
            waiting=texts.WAITING if report.total else texts.NOT_PAINTED,
            panes=[self._pane(name, session) for name in (ORIGINAL, *session.wanted)],
            report=report,
        )

    def _pane(self, name: str, session: Session) -> Pane:
        path, spots = session.shown.get(name), session.spots.get(name)
        found = None
        if spots:
            found = Found(
                score=texts.score(spots, session),
                worst=spots.worst,
                yellowest=spots.yellowest,
                heat=spots.heat,
            )
        return Pane(
            name=name,
            facts=texts.facts(name, self.painter.parameters, session),
            time=texts.time(name, session),
            alt=texts.alternative_text(name),
            picture=FileData(path=path, orig_name=Path(path).name) if path else None,
            found=found,
        )


def captions(session: Session, painter: Stylizer) -> dict[str, str]:
    """A line about each picture that is shown."""
    lines = {
        name: [*texts.facts(name, painter.parameters, session), texts.time(name, session)]
        for name in list(session.shown)
    }
    return {name: " · ".join(filter(None, facts)) for name, facts in lines.items()}


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
