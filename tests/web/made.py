"""Handlers of a page whose networks make negatives, and what a visitor asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from gradio.data_classes import FileData
from PIL import Image
from starlette.types import ASGIApp

from nst.models import VARIANTS, build_model
from nst.web.live.socket import MAX_MESSAGE
from nst.web.page.components import StylizeRequest
from nst.web.page.handlers import Handlers, Update
from nst.web.page.session import ORIGINAL, Visitor, open_png
from nst.web.page.stylizer import Stylizer
from nst.web.server.environment import Address, listen
from nst.web.server.serving import Server
from nst.web.server.store import PictureStore
from tests.helpers import random_picture
from tests.load import free_port

NAMES = [ORIGINAL, *VARIANTS]
NETWORKS = list(VARIANTS)


class Inverting:
    """In a network's place: a negative; it can be made to fail, or to do something before."""

    def __init__(self) -> None:
        self.runs, self.error, self.before = 0, None, lambda: None

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        self.before()
        if self.error:
            raise self.error
        return 1 - photo


class Made(NamedTuple):
    handlers: Handlers
    stylizer: Stylizer
    network: Inverting
    photo: FileData

    def visitor(self) -> Visitor:
        return self.stylizer.first_visitor()


def make_handlers(tmp_path: Path) -> Made:
    """With two examples and a visitor's photo; all files lie in the folder."""
    network = Inverting()
    for number, name in enumerate(("first", "other")):
        random_picture(48, 36, seed=10 + number).save(tmp_path / f"{name}.png")
    photo().save(tmp_path / "photo.png")
    stylizer = Stylizer(
        {name: build_model(name) for name in VARIANTS},
        {"openvino": dict.fromkeys(VARIANTS, network), "eager": dict.fromkeys(VARIANTS, network)},
        PictureStore(tmp_path / "store"),
        {name: tmp_path / f"{name}.png" for name in ("first", "other")},
    )
    network.runs = 0
    return Made(
        Handlers(stylizer),
        stylizer,
        network,
        FileData(path=str(tmp_path / "photo.png"), orig_name="my photo.png"),
    )


def photo() -> Image.Image:
    return random_picture(64, 50, seed=1)


def negative(picture: Image.Image) -> Image.Image:
    return Image.eval(picture, lambda value: 255 - value)


def asking(made: Made, number: int = 1, **other: object) -> StylizeRequest:
    return StylizeRequest(
        **{
            "number": number,
            "photo": made.photo,
            "side": 256,
            "networks": NETWORKS,
            "engine": "eager",
            **other,
        }
    )


def stylize(made: Made, visitor: Visitor, number: int = 1, **other: object) -> list[Update]:
    return list(made.handlers.stylize(asking(made, number, **other), visitor))


def pictures(update: Update) -> list[bool]:
    """Which pictures are there."""
    return [pane.picture is not None for pane in update.view.panes.values()]


def pixels(visitor: Visitor) -> dict[str, bytes]:
    return {name: open_png(path).tobytes() for name, path in visitor.shown.files.items()}


@contextmanager
def serving(application: ASGIApp) -> Iterator[str]:
    """The address of an application on the page's own server."""
    address = Address("127.0.0.1", free_port())
    server = Server(application, listen(address), MAX_MESSAGE)
    yield f"http://{address}"
    server.uvicorn.should_exit = True
    server.wait()
