"""What Gradio does not have: the bar of controls, the viewer, and how programs send photos."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioModel, ImageData
from gradio.utils import get_upload_folder
from PIL import Image
from pydantic import Field, ValidationError

from nst.paths import ASSETS
from nst.pictures.reading import FORMATS, PHOTO_SUFFIXES, PictureError
from nst.web.page.session import STRENGTH_STEP
from nst.web.page.static import address
from nst.web.server.store import PictureStore


class Page(gr.Blocks):
    """A page that holds no connection while nothing runs: a browser has six for each server.

    Gradio's heartbeat would take one for as long as a page is open, and the sixth tab would hang.
    It serves to forget a visitor an hour after they close the page; without it they are forgotten
    when `state_session_capacity` others have come, and a run still ends with its own connection.
    """

    def get_config_file(self) -> dict[str, Any]:
        return {**super().get_config_file(), "connect_heartbeat": False}


def uploaded_file(sent: Any) -> FileData:
    """What a page or a program names as an upload; only files that were sent here may be read.

    Raises:
        PictureError: it is no file at all.
        gr.Error: it is another one.  Gradio lets a program name any file of this machine, if it
            leaves out that it is a file.
    """
    try:
        file = FileData.model_validate(sent)
    except ValidationError:
        raise PictureError("photo has to be an uploaded file.") from None
    if not Path(file.path).resolve().is_relative_to(Path(get_upload_folder()).resolve()):
        raise gr.Error("Only a file that was uploaded can be read.", print_exception=False)
    return file


class PhotoOfProgram(gr.Image):
    """A photo that `nst.web.page.programs` checks, so that it can say what is wrong with it.

    `gr.Image` would open the file before, and with a `data_model` Gradio prints a traceback.
    """

    is_template = True  # shown as its parent, an image
    data_model = None

    def api_info(self) -> dict[str, Any]:
        return ImageData.model_json_schema()


class Answer(GradioModel):
    """What a program gets."""

    files: dict[str, FileData]  # by network, and the photo as "original"
    milliseconds: dict[str, float]  # by network, one run each
    size: tuple[int, int]  # width and height in px
    lattice_db: dict[str, float]  # by network and "original", see nst.artifacts.measure
    array_share: dict[str, float | None]  # red spots, 0–1 of the yellow area
    remark: str | None = None  # about the file, if it is not as it should be


class AnswerToProgram(gr.JSON):
    is_template = True  # shown as its parent
    data_model = Answer

    def postprocess(self, value: Answer | None) -> Answer | None:
        return value


class OwnHTML(gr.HTML):
    """HTML, CSS and scripts that lie in assets/, in a folder of their own.

    The folder's script of its name exports `start`, which is given what Gradio has for scripts.
    The template holds no values: the script sets them as text, so that a file's name can never
    become markup.
    """

    folder: str
    own_events: tuple[str, ...] = ()  # Gradio gives it those whose names stand in `js_on_load`

    def __init__(self, value: Any = None, **settings: Any) -> None:
        def read(kind: str) -> str:
            return (ASSETS / self.folder / f"{self.folder}.{kind}").read_text(encoding="utf-8")

        script = address(f"{self.folder}/{self.folder}.js")
        events = json.dumps(self.own_events)
        settings = {
            "html_template": read("html"),
            "css_template": read("css"),
            "js_on_load": f"""element.inert = true; // until somebody listens
                import(new URL("{script}", document.baseURI)).then(({{ start }}) => {{
                start({{ element, props, watch, trigger, upload }}); // its events: {events}
                element.inert = false; }});""",
            "apply_default_css": False,
            "elem_id": self.folder,
            "elem_classes": "controls",
            **settings,
        }
        super().__init__(value, **settings)


class StylizeRequest(GradioModel):
    """What the bar asks for."""

    number: int = 0  # a later one ends those before
    photo: FileData | None = None  # an upload, or else
    example: str | None = None  # the name of an example
    side: int = 512  # px, the longer one
    networks: list[str] = Field(default_factory=list)
    engine: str = ""
    strength: float = 100  # percent
    keep_colours: bool = False
    anew: bool = False  # run also the networks whose results are there

    @property
    def key(self) -> str:
        """What tells photos apart."""
        return self.photo.path if self.photo else (self.example or "")


def accepted_types() -> str:
    """What this machine reads, for a file input: an iPhone makes a JPEG of what is not named."""
    Image.init()  # or Pillow does not know all of its formats yet
    return ",".join(sorted({Image.MIME[name] for name in FORMATS} | PHOTO_SUFFIXES))


class Bar(OwnHTML):
    """The controls, in one row: photo, examples, size, networks, engine, strength, colours.

    Its events: `run` when a photo is to be stylized, `read` when the visitor's device is to do it,
    `mix` when the strength or the colours of the results that are there change.

    Args:
        examples: of each its name, a small picture as an address, and its size in px.
        sides: px; `small_side` is the largest one that runs at once.
        networks: names.
        paintings: of each network that has learned another one, its name and that title.
        engines: of each its label and name.
    """

    data_model = StylizeRequest
    folder = "bar"
    own_events = ("run", "read", "mix")

    def __init__(
        self,
        value: StylizeRequest | None = None,
        *,
        examples: Sequence[tuple[str, str, tuple[int, int]]] = (),
        sides: Sequence[int] = (),
        small_side: int = 0,
        networks: Sequence[str] = (),
        paintings: Sequence[tuple[str, str]] = (),
        engines: Sequence[tuple[str, str]] = (),
        **settings: Any,
    ) -> None:
        choices = {
            "examples": [list(example) for example in examples],
            "sides": list(sides),
            "small_side": small_side,
            "networks": list(networks),
            "paintings": [list(choice) for choice in paintings],
            "engines": [list(choice) for choice in engines],
            "strength_step": STRENGTH_STEP,
            "accept": accepted_types(),
        }
        super().__init__(value, **choices, **settings)

    def preprocess(self, payload: StylizeRequest | None) -> StylizeRequest:
        request = payload or StylizeRequest()
        if request.photo:
            uploaded_file(request.photo)
        return request


class Found(GradioModel):
    """The lattice and the red spots of a picture; places are (x, y) in px."""

    score: str  # in words
    worst: dict[str, list[tuple[int, int, str]]]  # and what is there; see nst.web.page.spots
    heat: dict[str, list[str]]


class Pane(GradioModel):
    """One picture of the viewer, or its place while there is none."""

    facts: list[str]
    time: str
    alt: str
    picture: FileData | None = None
    found: Found | None = None


class Report(GradioModel):
    """What a run is doing, or how it ended."""

    words: str = ""
    error: bool = False
    done: int = 0  # networks
    total: int = 0  # networks asked for; 0 when nothing runs
    seconds_left: float = 0  # about; 0: not known


class OnDevice(GradioModel):
    """How the visitor's device is to show what it makes of the photo."""

    strength: float  # 0–1
    keep_colours: bool
    ending: str  # of the names of files in this mix
    begins: bool = False  # the photo is there now


class View(GradioModel):
    """What the viewer shows.

    Gradio sends what has changed and loses its place where lists within a list become shorter, so
    the panes are no list.
    """

    number: float  # of the last request: Gradio does not send a view that equals the one before
    photo: str  # tells photos apart
    thumbnail: str  # of the photo, as an address
    example: bool  # whether a link to this page leads to the photo
    stem: str  # begins the names of files that are saved
    caption: str  # the photo and what was set, a line for what is saved
    waiting: str  # stands where a picture is still missing
    names: list[str]  # of the panes, in their order
    panes: dict[str, Pane]
    seconds: dict[str, float]  # for a megapixel of the largest pictures, about, by network
    report: Report
    on_device: OnDevice | None = None  # the visitor's own device makes the pictures


class Viewer(OwnHTML):
    """Pictures of one size beside each other, zoomed and moved together by the browser alone.

    Its event `stop` ends the run.

    Args:
        device_files: addresses of the networks that run on visitors' devices.
    """

    data_model = View
    folder = "viewer"
    own_events = ("stop",)

    def __init__(
        self,
        value: View | None = None,
        *,
        store: PictureStore | None = None,
        device_files: Mapping[str, str] = {},
        **settings: Any,
    ) -> None:
        self.store = store or PictureStore()
        super().__init__(value, device_files=dict(device_files), **settings)

    def render(self) -> Viewer:
        # before the page notes where the names of files are
        self.temp_files, self.keep_in_cache = self.store.files, self.store.kept
        return super().render()

    def preprocess(self, payload: View | None) -> None:
        """The page shows pictures, it never sends them back."""
