"""What Gradio does not have: an upload that nobody opens, the picture viewer, a tab of figures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.data_classes import FileData, GradioModel, ImageData
from gradio.processing_utils import encode_pil_to_bytes, hash_bytes
from PIL import Image

from nst.files import write_then_rename
from nst.paths import ASSETS
from nst.web import texts

VIEWER = ASSETS / "viewer"
SCRIPTS = ("geometry", "pictures", "view", "input", "viewer")  # one function body, in this order


class Upload(NamedTuple):
    path: str
    name: str  # as it was sent; not to be trusted


class PictureUpload(gr.Image):
    """An upload that hands over the file as it was sent.

    `gr.Image` would open the file before our code runs, and a bad one would give no message.
    (Gradio writes a type stub, .pyi, for every subclass; it is ignored by git.)
    """

    is_template = True  # shown as its parent, an image

    def preprocess(self, payload: ImageData | None) -> Upload | None:
        if payload is None or not payload.path:
            return None
        # Gradio lets a program name any file of this machine, if it leaves out that it is a file.
        if not Path(payload.path).resolve().is_relative_to(Path(self.GRADIO_CACHE).resolve()):
            raise gr.Error("Only a file that was uploaded can be read.", print_exception=False)
        return Upload(payload.path, payload.orig_name or Path(payload.path).name)


class Pane(GradioModel):
    """One picture of the viewer; without a picture it is still being painted."""

    name: str
    facts: list[str]
    alt: str
    picture: FileData | None = None


class Panes(GradioModel):
    waiting: str  # stands where a picture is still missing
    panes: list[Pane]


class Files(set[str]):
    """Gradio deletes old files while other threads add new ones: it goes through a copy."""

    def __iter__(self) -> Iterator[str]:
        return iter(self.copy())


class Viewer(gr.HTML):
    """Pictures of one size beside each other, zoomed and moved together by the browser alone.

    Its html, css and scripts lie in assets/viewer.  The template holds no values: the script sets
    them as text, so that a file's name can never become markup.  The script's event `sheet` says
    that somebody asks for all pictures on one.
    """

    data_model = Panes

    def __init__(self, value: Panes | None = None, **settings: Any) -> None:
        settings = {
            "html_template": (VIEWER / "viewer.html").read_text(encoding="utf-8"),
            "css_template": (VIEWER / "viewer.css").read_text(encoding="utf-8"),
            "js_on_load": "\n".join(
                (VIEWER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS
            ),
            "apply_default_css": False,
            **settings,
        }
        super().__init__(value, **settings)

    def render(self) -> Viewer:
        self.temp_files = Files(self.temp_files)  # before the page notes where its files are named
        return super().render()

    def preprocess(self, payload: Panes | None) -> None:
        """The page shows pictures, it never sends them back."""

    def postprocess(self, value: Panes | None) -> Panes | None:
        return value

    def store(self, picture: Image.Image, name: str) -> str:
        """A picture -> the path of its PNG, which the page may show and Gradio deletes in time."""
        content = encode_pil_to_bytes(picture, "png")
        path = (Path(self.GRADIO_CACHE) / hash_bytes(content) / f"{name}.png").resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():  # somebody else may be reading it
            os.utime(path)  # so that it is deleted later
        else:
            write_then_rename(path, lambda temporary: Path(temporary).write_bytes(content))
        self.temp_files.add(str(path))
        return str(path)


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
