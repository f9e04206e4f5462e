"""What the page shows beside the pictures that it compares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from nst.checkpoint import Painting
from nst.paper import LATENCY_MS, LATENCY_SIDE
from nst.web.live.socket import ROUTE
from nst.web.page import texts
from nst.web.page.components import OwnHTML


class LivePictures(OwnHTML):
    """The camera or a video and what two networks make of it, on the visitor's device or on the
    server, with which the script speaks as `nst.web.live.socket` says.
    """

    folder = "live"

    def __init__(
        self,
        value: Any = None,
        *,
        networks: Mapping[str, str] = {},
        device_files: Mapping[str, str] = {},
        example: Mapping[str, str] = {},
        **settings: Any,
    ) -> None:
        """`networks`: a few words about each; `device_files`: their addresses; `example`: files of
        a photo and of what they made of it, which are shown before the camera.
        """
        props = [[name, words, device_files.get(name)] for name, words in networks.items()]
        pictures = {name: f"gradio_api/file={path}" for name, path in example.items()}
        super().__init__(value, networks=props, route=ROUTE, example=pictures, **settings)


class DeviceLatency(OwnHTML):
    """The networks' times on the visitor's device, which never go to the server."""

    folder = "latency"

    def __init__(
        self, value: Any = None, *, device_files: Mapping[str, str] = {}, **settings: Any
    ) -> None:
        """`device_files`: the networks' addresses."""
        paper = {"side": LATENCY_SIDE, "milliseconds": LATENCY_MS}
        super().__init__(value, networks=list(device_files.items()), paper=paper, **settings)


def live_tab(
    parameters: Mapping[str, int],
    paintings: Mapping[str, Painting],
    device_files: Mapping[str, str],
    example: Mapping[str, str],
) -> None:
    """What moves, stylized: of each network its parameters or painting and its address, and files
    of an example.
    """
    words = {
        name: texts.after(paintings[name]) if name in paintings else f"{count:,} parameters"
        for name, count in parameters.items()
    }
    LivePictures(networks=words, device_files=device_files, example=example, label="live")


def about_tab(card: Path) -> None:
    """Words, and the model card where it is, which is long."""
    gr.HTML(texts.ABOUT, elem_classes="words")
    if card.exists():
        with gr.Accordion(texts.MODEL_CARD, open=False, elem_id="model-card"):
            gr.Markdown(texts.model_card(card), elem_classes="words card")


def training_tab(assets: Path) -> None:
    """What came out of the trainings, and the figures that have been drawn."""
    gr.HTML(texts.TRAINING)
    claims, spots = assets / "claims.md", assets / "red-spots.md"
    if claims.exists():
        text = claims.read_text(encoding="utf-8")
        gr.Markdown(texts.verdicts(text), elem_classes="words")
        with gr.Accordion(texts.NUMBERS, open=False):
            gr.Markdown(text, elem_classes="claims")
    for name, (title, alternative_text) in texts.FIGURES.items():
        _figure(assets / name, alternative_text, title)
    gr.HTML(texts.RED_SPOTS)
    _figure(assets / "figure-9-ablation.png", texts.ORBS)
    if spots.exists():  # what stands before its list is said here
        gr.Markdown(spots.read_text(encoding="utf-8").partition("\n\n")[2], elem_classes="words")


def _figure(path: Path, alternative_text: str, title: str = "") -> None:
    """A picture, where it is."""
    if not path.exists():
        return
    if title:
        gr.HTML(f"<h3>{title}</h3>")
    gr.set_static_paths(path)  # served, never copied
    gr.Image(
        path,
        show_label=False,
        alt_text=alternative_text,
        interactive=False,
        elem_classes="figure",
        buttons=["fullscreen"],
    )
