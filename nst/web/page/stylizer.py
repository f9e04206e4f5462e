"""The networks at work on photos: their pictures and measurements; Live has its own way."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from PIL import Image, ImageOps

from nst.fast import give_back_freed_memory
from nst.inference.engines import Engine
from nst.inference.latency import hardware, measure_latency
from nst.inference.picture import stylize
from nst.models import MIN_SIDE, TransformerNet, count_parameters
from nst.pictures.examples import FIRST_SIDE
from nst.pictures.reading import limit_side, read_picture
from nst.web.page.session import ORIGINAL, Latency, Session, Source, open_png
from nst.web.server.priority_lock import Priority, PriorityLock
from nst.web.server.store import PictureStore

MEASURE_REPEATS = 10
MAX_SIDE = 2048  # px, of results
THUMBNAIL = 96  # px, of examples

Engines = Mapping[str, Mapping[str, Engine]]  # engine -> network -> what runs it

_log = logging.getLogger(__name__)


class Stylizer:
    """One network at a time, or times would mean nothing, for everybody, into their `Session`s.

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
        self.first_engine = next(iter(engines))
        self.turns = PriorityLock()
        self._seconds_per_pixel: dict[tuple[str, str], float] = {}  # of engine and network
        self._prepared: dict[Source, Session] = {}  # the examples' results
        first = self.first_example = next(iter(examples))
        self._prepare(first)

    def prepare(self) -> None:
        """Paint the examples, so that a click shows them at once; whoever asks goes first."""
        for name in self.examples:
            try:
                self._prepare(name)
            except Exception:  # its files have been deleted, say; who clicks it has it painted
                _log.exception("an example could not be prepared")

    def first_session(self) -> Session:
        """What a new visitor sees."""
        return self._prepare(self.first_example)

    def thumbnails(self) -> list[tuple[str, Image.Image]]:
        """The examples' names and small pictures of them."""
        return [
            (name, ImageOps.fit(read_picture(path, 2 * THUMBNAIL), (THUMBNAIL, THUMBNAIL)))
            for name, path in self.examples.items()
        ]

    def _prepare(self, name: str) -> Session:
        source = Source(name, FIRST_SIDE, self.first_engine)
        if source not in self._prepared:
            session = Session(wanted=tuple(self.names))
            title = self.examples[name].name
            session.begin(self.example(source), title, source, self.store)
            for _ in self.paint(session, Priority.PREPARING):
                pass
            self.store.keep(session.painted.values())
            self._prepared[source] = session
        return self._prepared[source]

    def paint(self, session: Session, rank: Priority = Priority.VISITOR) -> Iterator[int]:
        """Run the networks whose results are wanted and missing -> how many are there.

        Once before the first network, and after each one.
        """
        photo = open_png(session.painted[ORIGINAL])
        missing = [name for name in session.wanted if name not in session.painted]
        done = len(session.wanted) - len(missing)
        yield done
        with self.turns.wanted(rank):
            for name in missing:
                engine = session.source.engine
                with self.turns.turn(rank):
                    result, seconds = stylize(self.engines[engine][name], photo)
                self._seconds_per_pixel[engine, name] = seconds / (photo.width * photo.height)
                session.add(name, photo, result, seconds, self.store)
                give_back_freed_memory()  # or every thread that once painted keeps some
                done += 1
                yield done

    def latency(self, side: int, engine: str) -> Latency:
        """The paper's protocol, here and now, on a picture of side × side px."""
        with self.turns.turn(Priority.VISITOR):
            times = measure_latency(self.engines[engine], side, side, MEASURE_REPEATS)
        return Latency(side, times, hardware(engine))

    def known(self, source: Source, session: Session) -> Session | None:
        """Where there are results for this already."""
        for other in (session, self._prepared.get(source)):
            if other and other.source == source and other.is_there():
                return other
        return None

    def example(self, source: Source) -> Image.Image:
        """An example's picture, as large as its results will be."""
        return limit_side(read_picture(self.examples[source.photo]), source.side)

    def seconds_left(self, session: Session) -> float:
        """About how long the missing networks will take, by the last time they ran; or 0."""
        width, height = session.size
        seconds = 0.0
        for name in session.wanted:
            if name not in session.painted:
                keys = [(session.source.engine, name), (self.first_engine, name)]
                known = [
                    self._seconds_per_pixel[key] for key in keys if key in self._seconds_per_pixel
                ]
                seconds += known[0] * width * height if known else 0
        return round(seconds, 1)


def bounded(side: int) -> int:
    """A side of results that is not below what networks can do, nor above what this page does."""
    return min(max(int(side), MIN_SIDE), MAX_SIDE)
