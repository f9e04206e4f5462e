"""The tabs beside the one that compares: how the networks were trained, and about it all."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from nst.web import texts


def about_tab(card: Path) -> None:
    """Words, and the model card where it is."""
    gr.HTML(texts.ABOUT, elem_classes="words")
    if card.exists():
        gr.HTML(texts.MODEL_CARD)
        gr.Markdown(texts.model_card(card), elem_classes="words card")


def training_tab(assets: Path) -> None:
    """The figures and claims that have been drawn."""
    gr.HTML(texts.TRAINING)
    if missing := texts.missing_figures(assets):
        gr.HTML(texts.message(missing))
    for path, title, words in texts.present_figures(assets):
        gr.HTML(f"<h3>{title}</h3>")
        gr.Image(
            path,
            show_label=False,
            alt_text=words,
            interactive=False,
            elem_classes="figure",
            buttons=["fullscreen"],
        )
    if (claims := assets / "claims.md").exists():
        gr.Markdown(claims.read_text(encoding="utf-8"), elem_classes="claims")
