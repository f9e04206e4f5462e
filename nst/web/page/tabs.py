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
    """The camera and what two networks make of it, on the visitor's device or on the server, with
    which the script speaks as `nst.web.live.socket` says.
    """

    folder = "live"

    def __init__(
        self,
        value: Any = None,
        *,
        networks: Mapping[str, str] = {},
        device_files: Mapping[str, str] = {},
        **settings: Any,
    ) -> None:
        """`networks`: a few words about each; `device_files`: their addresses."""
        props = [[name, words, device_files.get(name)] for name, words in networks.items()]
        super().__init__(value, networks=props, route=ROUTE, **settings)


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
) -> None:
    """The camera, stylized; of each network its parameters, another painting, and address."""
    words = {
        name: texts.after(paintings[name]) if name in paintings else f"{count:,} parameters"
        for name, count in parameters.items()
    }
    LivePictures(networks=words, device_files=device_files, label="live")


def about_tab(card: Path) -> None:
    """Words, and the model card where it is."""
    gr.HTML(texts.ABOUT, elem_classes="words")
    if card.exists():
        gr.HTML(texts.MODEL_CARD)
        gr.Markdown(texts.model_card(card), elem_classes="words card")


def training_tab(assets: Path) -> None:
    """The figures and claims that have been drawn."""
    gr.HTML(texts.TRAINING)
    for name, (title, alternative_text) in texts.FIGURES.items():
        _figure(assets / name, alternative_text, title)
    _words(assets / "claims.md", "claims")
    gr.HTML(texts.RED_SPOTS)
    _figure(assets / "figure-9-ablation.png", texts.ORBS)
    _words(assets / "red-spots.md", "words")


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


def _words(path: Path, kind: str) -> None:
    """A Markdown file, where it is."""
    if path.exists():
        gr.Markdown(path.read_text(encoding="utf-8"), elem_classes=kind)
