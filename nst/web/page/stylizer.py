"""The networks at work on photos, and measured; Live has its own way to them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from nst.checkpoint import Painting
from nst.fast import give_back_freed_memory
from nst.inference.engines import Engine, EngineName, build_engines
from nst.inference.latency import Latency, hardware, latency_rounds
from nst.inference.picture import stylize
from nst.models import TransformerNet, count_parameters
from nst.pictures.colours import as_clear_as, on_white
from nst.pictures.examples import FIRST_SIDE
from nst.pictures.metadata import Recipe
from nst.pictures.reading import Reading, limit_side, read_picture
from nst.web.page.session import (
    FULL,
    Results,
    Visitor,
    keep_photo,
    mix_results,
    open_png,
    thumbnail,
)
from nst.web.server.priority_lock import Priority, PriorityLock
from nst.web.server.store import PictureStore

MEASURE_REPEATS = 10
MAX_SIDE = 2048  # px, of results
MAX_MADE = 200  # results that are found again, of at most 50 kB; their pictures are files

Engines = Mapping[EngineName, dict[str, Engine]]  # engine -> network -> what runs it

_log = logging.getLogger(__name__)


class Stylizer:
    """One network at a time, or times would mean nothing, for everybody.

    Args:
        networks: by name, in the order of the page.
        engines: engine -> network -> what runs it; the first engine is chosen at first.
        store: where pictures are kept.
        examples: name -> file; the first one is what a new visitor sees, and is stylized here.
        checkpoints: name -> SHA-256 of the network's file.
        paintings: name -> a network that has learned another one than The Starry Night.
    """

    def __init__(
        self,
        networks: Mapping[str, TransformerNet],
        engines: Engines,
        store: PictureStore,
        examples: Mapping[str, Path],
        checkpoints: Mapping[str, str] = {},
        paintings: Mapping[str, Painting] = {},
    ) -> None:
        self.engines, self.store, self.examples = engines, store, examples
        self.networks = dict(networks)  # of all paintings
        self.recipes = {name: Recipe(name, checkpoints.get(name, "unknown")) for name in networks}
        self.parameters = {name: count_parameters(network) for name, network in networks.items()}
        self.names = list(networks)  # of The Starry Night, in the order of the page
        self.paintings: dict[str, Painting] = {}  # the others, which are not shown at first
        self.first_engine = next(iter(engines))
        self.lock = PriorityLock()
        self._seconds_per_pixel: dict[tuple[str, str], float] = {}  # of engine and network
        self._prepared: dict[str, Results] = {}  # the examples' results
        self._made: dict[tuple[str, int, str], Results] = {}  # last, by photo, side and engine
        self._measurement: object = None  # the last one
        for name, painting in paintings.items():
            self.add(name, painting)
        first = self.first_example = next(iter(examples))
        self._prepare(first)

    def add(self, name: str, painting: Painting) -> None:
        """One more network, or another one of that name."""
        for engine, networks in self.engines.items():
            networks |= build_engines({name: painting.network}, engine)
        self.parameters[name] = count_parameters(painting.network)
        self.networks[name], self.paintings[name] = painting.network, painting
        self.recipes[name] = Recipe(name, painting.sha256)
        self._made.clear()  # what the one before of that name has made is not found again

    def prepare(self) -> None:
        """Stylize the examples, so that a click shows them at once; whoever asks goes first."""
        for name in self.examples:
            try:
                self._prepare(name)
            except Exception:  # its files have been deleted, say; a click stylizes it then
                _log.exception("an example could not be prepared")

    def first_visitor(self) -> Visitor:
        """Somebody who sees the first example."""
        return Visitor(mix_results(self._prepare(self.first_example), FULL, self.store))

    def thumbnails(self) -> list[tuple[str, str, tuple[int, int]]]:
        """The examples' names, small pictures of them as addresses, and their sizes."""
        pictures = {name: read_picture(path) for name, path in self.examples.items()}
        return [(name, thumbnail(picture), picture.size) for name, picture in pictures.items()]

    def example(self, name: str, side: int) -> Image.Image:
        """An example's picture, as large as its results will be."""
        return limit_side(read_picture(self.examples[name]), side)

    def _prepare(self, name: str) -> Results:
        if name not in self._prepared:
            picture, title = self.example(name, FIRST_SIDE), self.examples[name].name
            photo = keep_photo(Reading(picture), title, name, FIRST_SIDE, self.store)
            results = Results(photo, self.first_engine, tuple(self.names))
            *_, results = self.stylize(results, Priority.PREPARING)
            self.store.keep(results.files.values())
            self._prepared[name] = results
        return self._prepared[name]

    def known(self, key: str, side: int, engine: str, networks: Sequence[str]) -> Results | None:
        """Results of that photo which are there already, of these networks as far as they are."""
        asked = tuple(networks)
        found = [
            replace(results, networks=asked)
            for results in (self._made.get((key, side, engine)), self._prepared.get(key))
            if results and results.are_of(key, side, engine)
        ]
        there = [results for results in found if results.are_there()]
        return min(there, key=lambda results: len(results.missing), default=None)

    def _remember(self, results: Results) -> None:
        """For whoever asks again; after a reload the same person is a new visitor."""
        about = results.photo.key, results.photo.side, results.engine
        before = self._made.pop(about, None)  # so that it comes last
        made = {**before.made, **results.made} if before else results.made
        self._made[about] = replace(results, made=made)
        for oldest in list(self._made)[:-MAX_MADE]:
            self._made.pop(oldest, None)  # another thread may be faster

    def stylize(self, results: Results, priority: Priority = Priority.VISITOR) -> Iterator[Results]:
        """Run the networks that are missing; the results once before and after each of them."""
        yield results
        photo, engine = open_png(results.photo.file), results.engine
        opaque = on_white(photo)
        with self.lock.wanted(priority):
            for name in results.missing:
                with self.lock.turn(priority):
                    picture, seconds = stylize(self.engines[engine][name], opaque)
                self._seconds_per_pixel[engine, name] = seconds / (photo.width * photo.height)
                picture, recipe = as_clear_as(photo, picture), self.recipes[name]
                results = results.with_result(recipe, picture, seconds, self.store)
                self._remember(results)
                give_back_freed_memory()  # or every thread that once ran a network keeps some
                yield results

    def seconds_left(self, results: Results) -> float:
        """About how long the missing networks will take, by the last time they ran; or 0."""
        width, height = results.photo.size
        rates, first = self._seconds_per_pixel, self.first_engine
        seconds_per_pixel = sum(
            rates.get((results.engine, name), rates.get((first, name), 0))
            for name in results.missing
        )
        return round(seconds_per_pixel * width * height, 1)

    def measure(
        self, side: int, engine: str, priority: Priority = Priority.VISITOR
    ) -> Iterator[Latency]:
        """The paper's protocol, here and now, on a picture of side × side px: what is known after
        each repeat.  Who goes first may come between two of them.

        Below `Priority.VISITOR` it ends before its time where another measurement begins.
        """
        self._measurement = this = object()
        times: dict[str, list[float]] = {name: [] for name in self.names}
        measured = {name: self.engines[engine][name] for name in self.names}
        rounds = latency_rounds(measured, side, side, MEASURE_REPEATS)
        machine = hardware(engine)
        with self.lock.wanted(priority):
            while priority == Priority.VISITOR or this is self._measurement:
                with self.lock.turn(priority):
                    found = next(rounds, None)
                if found is None:
                    return
                for name, milliseconds in found.items():
                    times[name].append(milliseconds)
                so_far = {name: list(values) for name, values in times.items()}
                yield Latency(side, so_far, machine)
