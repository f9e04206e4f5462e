"""What a visitor's page shows: a photo, what networks made of it, and how much of that is shown.

A `Photo`, its `Results` and what is `Shown` of them never change.  Whoever makes new ones puts them
into the `Visitor` whole, so that two handlers at work at once cannot mix two photos.
"""

from __future__ import annotations

import base64
import io
import os
import threading
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image, ImageOps

from nst.inference.blend import blend
from nst.pictures.colours import as_clear_as, on_white
from nst.pictures.metadata import Origin, Recipe, save_settings
from nst.pictures.reading import Reading
from nst.web.page.spots import Spots, find_spots

ORIGINAL = "original"
DEVICE = "device"  # the engine on the visitor's own device; the server only reads the photo
THUMBNAIL = 96  # px
STRENGTH_STEP = 5  # percent, so that nobody fills the disk with strengths in between

# Picture, file name without ending, what to write beside its pixels -> path of its PNG.
Store = Callable[[Image.Image, str, Mapping[str, Any]], str]

_showing = threading.Lock()  # for all visitors: it is held for moments, and they are copied


class SessionExpiredError(gr.Error):
    """The pictures are gone: the server has been restarted or has cleared its cache.

    Outside of a run nobody has to catch it: Gradio says its sentence on the page.
    """

    def __init__(self) -> None:
        super().__init__(
            "The pictures of this page are no longer kept. Please stylize again.",
            print_exception=False,
        )


class Mix(NamedTuple):
    """How results are shown, see `nst.inference.blend`."""

    strength: float = 1.0  # 0–1
    keep_colours: bool = False

    @classmethod
    def nearest(cls, percent: float, keep_colours: bool) -> Mix:
        """With a strength that the slider has, 0–100 %."""
        percent = STRENGTH_STEP * round(min(max(percent, 0), 100) / STRENGTH_STEP)
        return cls(percent / 100, keep_colours)

    def __str__(self) -> str:
        colours = ", in the photo’s colours" if self.keep_colours else ""
        return f"{round(100 * self.strength)} % strength{colours}"

    @property
    def ending(self) -> str:
        """How the names of files end that are in it."""
        colours = "-keep-colours" if self.keep_colours else ""
        return "" if self == FULL else f"-{round(100 * self.strength)}{colours}"


FULL = Mix()  # as networks made them


@dataclass(frozen=True)
class Photo:
    """A photo as networks see it, as a file: a hundred visitors cost no memory."""

    key: str  # an example's name, or an upload's path
    side: int  # px that were asked for, the longer one at most
    title: str  # the file's name as it was sent, in one line; not to be trusted
    stem: str  # safe part of the names of its files
    size: tuple[int, int]
    file: str
    spots: Spots
    thumbnail: str  # as an address that holds it: browsers do not show every format
    remark: str | None  # about the file, if there is something to say
    origin: Origin


def keep_photo(reading: Reading, title: str, key: str, side: int, store: Store) -> Photo:
    """Store a picture that has been read."""
    picture, remark, origin = reading
    stem = safe_stem(title)
    about = save_settings("PNG", picture.size, None, origin)
    file, opaque = store(picture, f"{stem}-{ORIGINAL}", about), on_white(picture)
    return Photo(
        key=key,
        side=side,
        title=readable(title),
        stem=stem,
        size=picture.size,
        file=file,
        spots=find_spots(opaque),
        thumbnail=thumbnail(opaque),
        remark=remark,
        origin=origin,
    )


def thumbnail(picture: Image.Image) -> str:
    """A small square of it as an address that holds it, without a file."""
    file = io.BytesIO()
    ImageOps.fit(picture, (THUMBNAIL, THUMBNAIL)).save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


class Result(NamedTuple):
    """What one network made of a photo."""

    file: str
    seconds: float
    spots: Spots
    recipe: Recipe


@dataclass(frozen=True)
class Results:
    """What networks made of one photo with one engine, in full strength."""

    photo: Photo
    engine: str
    networks: tuple[str, ...]  # asked for, in the order of the page
    made: Mapping[str, Result] = field(default_factory=dict)  # of these and maybe of others

    @property
    def missing(self) -> list[str]:
        return [name for name in self.networks if name not in self.made]

    @property
    def files(self) -> dict[str, str]:
        """By name, the photo's first."""
        made = {name: self.made[name].file for name in self.networks if name in self.made}
        return {ORIGINAL: self.photo.file} | made

    def with_result(
        self, recipe: Recipe, picture: Image.Image, seconds: float, store: Store
    ) -> Results:
        about = save_settings("PNG", picture.size, recipe, self.photo.origin)
        file = store(picture, f"{self.photo.stem}-{recipe.network}", about)
        result = Result(file, seconds, find_spots(on_white(picture)), recipe)
        return replace(self, made={**self.made, recipe.network: result})

    def are_of(self, key: str, side: int, engine: str) -> bool:
        return (self.photo.key, self.photo.side, self.engine) == (key, side, engine)

    def are_there(self) -> bool:
        """Whether none of the files is gone."""
        return all(map(os.path.exists, self.files.values()))


@dataclass(frozen=True)
class Shown:
    """Results as they are shown."""

    results: Results
    mix: Mix
    files: Mapping[str, str]  # by name, the photo's first


def mix_results(results: Results, mix: Mix, store: Store, before: Shown | None = None) -> Shown:
    """Results in that mix; what is in it before of the same results is not made again.

    Raises:
        SessionExpiredError: a file is gone.
    """
    if mix == FULL:
        return Shown(results, mix, results.files)
    photo, files = open_png(results.photo.file), dict(results.files)
    for name in results.files.keys() - {ORIGINAL}:
        result = results.made[name]
        if before and before.mix == mix and before.results.made.get(name) is result:
            files[name] = before.files[name]
        else:
            mixed = blend(photo.convert("RGB"), open_png(result.file).convert("RGB"), *mix)
            recipe = Recipe(name, result.recipe.checkpoint, *mix)
            about = save_settings("PNG", photo.size, recipe, results.photo.origin)
            title = f"{results.photo.stem}-{name}{mix.ending}"
            files[name] = store(as_clear_as(photo, mixed), title, about)
    return Shown(results, mix, files)


@dataclass
class Runs:
    """The numbers of a visitor's runs, which their page counts upwards.

    A new request, or one to stop, ends the runs before it: they look here between two networks.
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

    def has_last_word(self, number: float) -> bool:
        """Whether neither a later one nor itself has said how it ended.

        A page that asks twice in quick succession may send its second request twice.
        """
        return number == self.latest > self.finished

    @property
    def pending(self) -> bool:
        """Whether there is one that waits or runs."""
        return self.latest > self.finished and self.may_go_on(self.latest)


@dataclass
class Visitor:
    """What is current on one page; its handlers may be at work at the same time."""

    shown: Shown
    mix: Mix = FULL  # asked for
    runs: Runs = field(default_factory=Runs)

    def show(self, results: Results, store: Store) -> None:
        """These, whatever was shown before."""
        shown = mix_results(results, self.mix, store, self.shown)
        with _showing:
            self.shown = shown

    def show_mixed(self, store: Store) -> None:
        """The current results in the mix asked for, also when others become current meanwhile.

        Raises:
            SessionExpiredError: a file is gone.
        """
        while True:
            before = self.shown
            if not before.results.are_there():
                raise SessionExpiredError
            shown = mix_results(before.results, self.mix, store)
            with _showing:
                if self.shown is before:
                    self.shown = shown
                    return


def readable(title: str) -> str:
    """A file's name in one line of at most 80 signs, none of which turns the others around."""
    line = "".join(sign if sign.isprintable() else " " for sign in title)
    line = " ".join(line.split())
    return line if len(line) <= 80 else f"{line[:56]}…{line[-20:]}"


def safe_stem(title: str) -> str:
    """The part of a file name that is safe in any file system: letters and digits of any script.

    At most 40 characters and 120 bytes, where file systems allow 255 and the network's name and
    the mix are to come; never a name that Windows keeps for devices, since those follow it.
    """
    stem = title.rpartition("/")[2].rpartition("\\")[2]
    stem = stem.rpartition(".")[0] or stem
    stem = unicodedata.normalize("NFC", stem)  # as phones send them: a letter is one character
    kept = "".join(sign if unicodedata.category(sign)[0] in "LMN" else "-" for sign in stem)
    kept = kept[:40].encode()[:120].decode(errors="ignore")
    return "-".join(part for part in kept.split("-") if part) or "picture"


def open_png(path: str) -> Image.Image:
    """One of our own files -> an RGB picture, or RGBA where it is transparent.

    Raises:
        SessionExpiredError: it is gone.
    """
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            picture.load()
            picture.info = {}
            return picture
    except FileNotFoundError:
        raise SessionExpiredError from None
