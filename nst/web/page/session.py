"""What one visitor's page shows, and what it takes to show it otherwise without a network."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import gradio as gr
from PIL import Image

from nst.inference.blend import blend
from nst.web.page.sheet import contact_sheet
from nst.web.page.spots import Spots, find_spots
from nst.web.page.zoom import magnify

ORIGINAL = "original"
STRENGTH_STEP = 5  # percent, so that nobody fills the disk with strengths in between

Store = Callable[[Image.Image, str], str]  # picture, file name without ending -> path of its PNG


class SessionExpiredError(gr.Error):
    """The pictures are gone: the server has been restarted or has cleared its cache.

    Outside of a run nobody has to catch it: Gradio says its sentence on the page, and to a program.
    """

    def __init__(self) -> None:
        super().__init__(
            "The pictures of this page are no longer kept. Please stylize again.",
            print_exception=False,
        )


@dataclass
class Latency:
    """A measurement and what it depends on."""

    side: int  # px, of the square picture
    milliseconds: Mapping[str, Sequence[float]]  # of each repeat
    circumstances: str

    @property
    def repeats(self) -> int:
        return len(next(iter(self.milliseconds.values())))

    def quartiles(self, name: str) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile in ms."""
        low, middle, high = statistics.quantiles(self.milliseconds[name], n=4, method="inclusive")
        return low, middle, high


@dataclass(frozen=True)
class Source:
    """What decides on a network's result, apart from the network."""

    photo: str  # an example's name, or an upload's path
    side: int  # px, the longer one at most
    engine: str


@dataclass
class Runs:
    """The numbers of a visitor's runs, which their page counts upwards.

    A new wish, or a wish to stop, ends the runs before it: they look here between two networks.
    """

    latest: float = 0  # asked for
    least: float = 0  # that may still go on
    finished: float = 0

    def ask(self, number: float) -> None:
        self.latest = max(self.latest, number)
        self.least = max(self.least, number)

    def stop(self) -> None:
        self.least = self.latest + 0.5

    def may_go_on(self, number: float) -> bool:
        return number >= self.least

    def finish(self, number: float) -> None:
        self.finished = max(self.finished, number)

    @property
    def pending(self) -> bool:
        """Whether there is one that waits or runs."""
        return self.latest > self.finished and self.may_go_on(self.latest)


@dataclass
class Session:
    """The pictures of one photo, as files, so that a hundred visitors cost no memory."""

    source: Source | None = None
    title: str = ""  # the file's name as it was sent; not to be trusted
    stem: str = "picture"  # safe part of the names of its files
    size: tuple[int, int] | None = None
    remark: str | None = None  # about the file, if it is not as it should be
    wanted: tuple[str, ...] = ()  # networks, in the order of the page
    strength: float = 1.0  # 0–1, see nst.inference.blend
    keep_colours: bool = False
    painted: dict[str, str] = field(default_factory=dict)  # name -> file, as the network made it
    shown: dict[str, str] = field(default_factory=dict)  # name -> file, mixed as wished
    seconds: dict[str, float] = field(default_factory=dict)  # of this picture, one run each
    spots: dict[str, Spots] = field(default_factory=dict)  # of what is in `painted`
    measured: Latency | None = None
    runs: Runs = field(default_factory=Runs)

    def wish(self, strength: float, keep_colours: bool) -> None:
        """How the next pictures are to be shown; strength (0–100 %) in steps of the slider."""
        percent = STRENGTH_STEP * round(min(max(strength, 0), 100) / STRENGTH_STEP)
        self.strength, self.keep_colours = percent / 100, keep_colours

    def begin(
        self,
        photo: Image.Image,
        title: str,
        source: Source,
        store: Store,
        remark: str | None = None,
    ) -> None:
        """A new photo; what there was of an earlier one is forgotten, but for measurements."""
        self.painted, self.shown, self.seconds, self.spots = {}, {}, {}, {}
        self.source, self.title, self.stem = source, readable(title), safe_stem(title)
        self.size, self.remark = photo.size, remark
        path = store(photo, f"{self.stem}-{ORIGINAL}")
        self.painted[ORIGINAL] = self.shown[ORIGINAL] = path
        self.spots[ORIGINAL] = find_spots(photo)

    def take_over(self, other: Session) -> None:
        """Another session's photo with its results, as its networks made them."""
        self.source, self.title, self.stem = other.source, other.title, other.stem
        self.size, self.remark = other.size, other.remark
        self.painted, self.seconds = dict(other.painted), dict(other.seconds)
        self.spots = dict(other.spots)
        self.shown = {ORIGINAL: self.painted[ORIGINAL]}

    def add(
        self, name: str, photo: Image.Image, result: Image.Image, seconds: float, store: Store
    ) -> None:
        """A network's result for this photo."""
        self.painted[name] = store(result, f"{self.stem}-{name}")
        self.seconds[name] = seconds
        self.spots[name] = find_spots(result)
        self._mix(name, photo, result, store)

    def mix(self, store: Store) -> None:
        """Show the results that are there with the strength and the colours wished for.

        Raises:
            SessionExpiredError: there are no pictures, or a file is gone.
        """
        if not self.is_there():
            raise SessionExpiredError
        painted = dict(self.painted)  # a run may begin meanwhile
        if self.strength == 1 and not self.keep_colours:
            self.shown = painted
            return
        photo = open_png(painted[ORIGINAL])
        for name in [name for name in painted if name != ORIGINAL]:
            self._mix(name, photo, open_png(painted[name]), store)

    def _mix(self, name: str, photo: Image.Image, result: Image.Image, store: Store) -> None:
        if self.strength == 1 and not self.keep_colours:
            self.shown[name] = self.painted[name]
            return
        colours = "-own-colours" if self.keep_colours else ""
        file_name = f"{self.stem}-{name}-{round(100 * self.strength)}{colours}"
        mixed = blend(photo, result, self.strength, self.keep_colours)
        self.shown[name] = store(mixed, file_name)

    def is_there(self) -> bool:
        """Whether there is a photo, and none of its files is gone."""
        return bool(self.painted) and all(map(os.path.exists, self.painted.values()))

    def pictures(self) -> dict[str, Image.Image]:
        """All pictures as they are shown, in the order of the page.

        Raises:
            SessionExpiredError: there are none, or a file is gone.
        """
        names = [name for name in (ORIGINAL, *self.wanted) if name in self.shown]
        if not names:
            raise SessionExpiredError
        return {name: open_png(self.shown[name]) for name in names}

    def crops(
        self, x: float, y: float, zoom: float, width: int, height: int
    ) -> dict[str, Image.Image]:
        """The same place of all pictures, as the viewer shows it; see `nst.web.page.zoom`."""
        return {
            name: magnify(picture, x, y, zoom, width, height)
            for name, picture in self.pictures().items()
        }

    def sheet(self, captions: Mapping[str, str], store: Store) -> str:
        """All pictures on one, labelled -> its file."""
        return store(contact_sheet(self.pictures(), captions), f"{self.stem}-comparison")


def readable(title: str) -> str:
    """A file's name in one line of at most 80 signs, none of which turns the others around."""
    line = "".join(sign if sign.isprintable() else " " for sign in title)
    line = " ".join(line.split())
    return line if len(line) <= 80 else f"{line[:56]}…{line[-20:]}"


def safe_stem(title: str) -> str:
    """The part of a file name that is safe in any file system, at most 40 characters."""
    stem = title.rpartition("/")[2].rpartition("\\")[2]
    stem = stem.rpartition(".")[0] or stem
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in stem)
    return "-".join(part for part in kept[:40].split("-") if part) or "picture"


def open_png(path: str) -> Image.Image:
    """One of our own files -> an RGB picture.

    Raises:
        SessionExpiredError: it is gone.
    """
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return picture.convert("RGB")
    except FileNotFoundError:
        raise SessionExpiredError from None
