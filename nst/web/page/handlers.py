"""What the page does: stylize a photo, mix its results, measure; `app.py` wires it to the page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.data_classes import FileData

from nst.inference.latency import Latency
from nst.models import MIN_SIDE
from nst.pictures.reading import PictureError, Reading
from nst.web.page import texts
from nst.web.page.components import Found, OnDevice, Pane, Report, StylizeRequest, View
from nst.web.page.cost import seconds_per_megapixel
from nst.web.page.latency_html import latency_html
from nst.web.page.session import (
    DEVICE,
    ORIGINAL,
    Mix,
    Photo,
    Results,
    SessionExpiredError,
    Shown,
    Visitor,
    keep_photo,
)
from nst.web.page.stylizer import MAX_SIDE, Stylizer
from nst.web.server.upload_decoding import read_upload

SAME = gr.skip()

_log = logging.getLogger(__name__)


class Update(NamedTuple):
    """What changes on the page, in the order of `app.py`; `SAME` leaves a part as it is."""

    view: View | dict = SAME
    table: str | dict = SAME  # HTML
    progress: str | dict = SAME  # HTML, below the button that measures


class Handlers:
    """What visitors ask for."""

    def __init__(self, stylizer: Stylizer) -> None:
        self.stylizer = stylizer

    def ask(self, request: StylizeRequest, visitor: Visitor) -> None:
        """There is a new request: the run before ends after its current network."""
        visitor.runs.ask(request.number)

    def stop(self, visitor: Visitor) -> None:
        """The run ends after its current network."""
        visitor.runs.stop()

    def stylize(self, request: StylizeRequest, visitor: Visitor) -> Iterator[Update]:
        """Stylize a photo; each result is shown when it is there.

        Results that are there already are shown at once, unless they are wanted anew.  Until the
        photo has been read, the pictures before it stay.  Whatever fails, the last update says it
        in words, and the run is over.
        """
        visitor.runs.ask(request.number)
        try:
            if visitor.runs.may_go_on(request.number):
                yield from self._run(request, visitor)
            elif visitor.runs.has_last_word(request.number):
                yield self._update(visitor, texts.STOPPED)
            else:  # another says more
                yield Update()
        except PictureError as error:
            yield self._update(visitor, str(error), error=True)
        except SessionExpiredError as error:  # a file went while others were made
            yield self._update(visitor, error.message, error=True)
        except Exception:  # for example, a machine too small for the picture
            _log.exception("a photo could not be stylized")
            yield self._update(visitor, texts.FAILED, error=True)
        finally:
            visitor.runs.finish(request.number)

    def read(self, request: StylizeRequest, visitor: Visitor) -> Iterator[Update]:
        """Only the photo is read; the visitor's own device stylizes it."""
        yield from self.stylize(request.model_copy(update={"engine": DEVICE}), visitor)

    def _run(self, request: StylizeRequest, visitor: Visitor) -> Iterator[Update]:
        networks = tuple(name for name in self.stylizer.networks if name in request.networks)
        if not request.key or not networks:
            raise PictureError(texts.NO_NETWORK if request.key else texts.NO_PHOTO)
        visitor.mix = Mix.nearest(request.strength, request.keep_colours)
        side, total = bounded(request.side), len(networks)
        store, known = self.stylizer.store, None
        if not request.anew:
            known = self.stylizer.known(request.key, side, request.engine, networks)
        if not known:
            yield self._update(visitor, texts.READING, total=total)
            known = Results(self._read(request, side), request.engine, networks)
        if request.engine == DEVICE:
            visitor.show(known, store)
            update = self._update(visitor, texts.STYLIZING, total=total)
            update.view.on_device.begins = True
            yield update
            return
        for results in self.stylizer.stylize(known):
            visitor.show(results, store)
            if not visitor.runs.may_go_on(request.number):
                break
            if results.missing:
                yield self._update(
                    visitor,
                    texts.STYLIZING,
                    done=total - len(results.missing),
                    total=total,
                    seconds_left=self.stylizer.seconds_left(results),
                )
        if visitor.shown.mix != visitor.mix:  # another was asked for meanwhile
            visitor.show_mixed(store)
        yield self._update(visitor, texts.done(results))

    def _read(self, request: StylizeRequest, side: int) -> Photo:
        """The photo that is asked for, as large as its results will be."""
        key, store = request.key, self.stylizer.store
        if not request.photo:
            picture, title = self.stylizer.example(key, side), self.stylizer.examples[key].name
            return keep_photo(Reading(picture), title, key, side, store)
        if not Path(key).exists():
            raise PictureError(texts.PHOTO_GONE)
        reading = read_upload(key, side)
        title = request.photo.orig_name or Path(key).name
        return keep_photo(reading, title, key, side, store)

    def mix(self, request: StylizeRequest, visitor: Visitor) -> Update:
        """The results that are there in another strength or other colours; no network runs.

        While another photo is on its way, the mix is noted until its results are there.

        Raises:
            SessionExpiredError: the pictures are gone, or others are shown, because the server has
                been restarted or has had many visitors since.
        """
        visitor.mix = Mix.nearest(request.strength, request.keep_colours)
        if visitor.shown.results.photo.key != request.key:
            if not visitor.runs.pending:
                raise SessionExpiredError
            return Update()
        visitor.show_mixed(self.stylizer.store)
        if visitor.runs.pending:  # and says more itself
            return Update()
        return self._update(visitor, f"Shown at {texts.mixed(visitor.shown)}.")

    def measure(self, side: int, request: StylizeRequest) -> Iterator[Update]:
        """The paper's protocol, here and now, on a picture of side × side px."""
        yield Update(progress=texts.message(texts.MEASURING))
        engine = request.engine if request.engine != DEVICE else self.stylizer.first_engine
        *_, measured = self.stylizer.measure(side, engine)
        yield Update(table=self.table(measured), progress=texts.message(texts.MEASURED))

    def first_view(self) -> View:
        """What a new visitor sees."""
        return self._view(self.stylizer.first_visitor(), Report(words=texts.WELCOME))

    def table(self, measured: Latency | None = None) -> str:
        """Latencies as HTML."""
        parameters = {name: self.stylizer.parameters[name] for name in self.stylizer.names}
        return latency_html(parameters, measured)

    def _update(self, visitor: Visitor, words: str, **report: Any) -> Update:
        """All that is current, and a line about it."""
        return Update(view=self._view(visitor, Report(words=words, **report)))

    def _view(self, visitor: Visitor, report: Report) -> View:
        shown = visitor.shown
        results = shown.results
        names = [ORIGINAL, *results.networks]
        return View(
            number=visitor.runs.latest,
            photo=results.photo.key,
            thumbnail=results.photo.thumbnail,
            example=results.photo.key in self.stylizer.examples,
            stem=results.photo.stem,
            caption=texts.caption(shown),
            waiting=texts.WAITING if report.total else texts.NOT_STYLIZED,
            names=names,
            panes={name: self._pane(name, shown) for name in names},
            seconds=seconds_per_megapixel(results, MAX_SIDE),
            report=report,
            on_device=self._on_device(shown),
        )

    def _on_device(self, shown: Shown) -> OnDevice | None:
        if shown.results.engine != DEVICE:
            return None
        mix = shown.mix
        return OnDevice(strength=mix.strength, keep_colours=mix.keep_colours, ending=mix.ending)

    def _pane(self, name: str, shown: Shown) -> Pane:
        results, path = shown.results, shown.files.get(name)
        made, found = results.made.get(name), None
        if path:
            spots = made.spots if made else results.photo.spots
            found = Found(score=texts.score(spots), worst=spots.worst, heat=spots.heat)
        return Pane(
            facts=texts.facts(name, self.stylizer.parameters, results, self.stylizer.paintings),
            time=f"{1000 * made.seconds:.0f} ms" if made else "",
            alt="the photo" if name == ORIGINAL else f"the photo, stylized by {name}",
            picture=FileData(path=path, orig_name=Path(path).name) if path else None,
            found=found,
        )


def bounded(side: int) -> int:
    """A side of results that is not below what networks can do, nor above what this page does."""
    return min(max(int(side), MIN_SIDE), MAX_SIDE)
