"""The demo: one photo, four networks, five pictures beside each other.

    python app.py

opens the page on http://127.0.0.1:7860 (set GRADIO_SERVER_PORT for another port).  It needs no
network.
"""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
import pandas as pd
from gradio.data_classes import ImageData
from gradio.media import get_image
from PIL import Image

from nst.benchmark import (
    PAPER_LATENCY_MS,
    PAPER_SIDE,
    circumstances,
    measure_latency,
)
from nst.checkpoint import CheckpointError
from nst.images import MAX_BYTES, PictureError, limit_side, read_picture
from nst.models import TransformerNet, count_parameters
from nst.stylize import load_networks, stylize
from nst.zoom import magnify, percent_of_click, region

ASSETS = Path(__file__).parent / "assets"
EXAMPLES = [str(ASSETS / "lamps.png"), *(get_image(f"{name}.jpg") for name in ("tower", "lion"))]
SIDES = [256, 512, 1024]  # px, the longer side of the result
MEASURE_REPEATS = 10
ORIGINAL = "original"
PARTS = {
    "baseline": "Johnson et al.",
    "v1": "light residual blocks",
    "v2": "+ light encoder",
    "v3": "+ light decoder",
}
FONT = ("ui-sans-serif", "system-ui", "sans-serif")  # the system's: nothing is fetched


class PictureUpload(gr.Image):
    """An upload that hands over the path of the file as it was sent.

    `gr.Image` would open the file before our code runs, and a bad one would give no message.
    (Gradio writes a type stub, app.pyi, for every subclass; it is ignored by git.)
    """

    is_template = True  # shown as its parent, an image

    def preprocess(self, payload: ImageData | None) -> str | None:
        return payload.path if payload else None


@dataclass
class Session:
    """What one visitor's page shows."""

    pictures: dict[str, Image.Image] = field(default_factory=dict)
    place: tuple[float, float, int] = (50, 50, 4)  # magnified: x and y in percent, zoom
    seconds: dict[str, float] = field(default_factory=dict)  # of this picture, one run each
    milliseconds: dict[str, float] = field(default_factory=dict)  # medians at the paper's size


def build_demo(networks: Mapping[str, TransformerNet]) -> gr.Blocks:
    """The page for these networks; `nst.models.VARIANTS` gives their order."""
    names = [ORIGINAL, *networks]

    with gr.Blocks(title="Lightweight style transfer", delete_cache=(3600, 3600)) as demo:
        session = gr.State(Session())
        gr.HTML(INTRODUCTION, elem_id="title")
        with gr.Row(equal_height=True):
            with gr.Column(scale=1, min_width=280):
                upload = PictureUpload(
                    label="Your photo", sources=["upload", "clipboard"], height=300, format="png"
                )
            with gr.Column(scale=2, min_width=300):
                gr.Examples(
                    EXAMPLES,
                    upload,
                    label="Or take one of these; round lights are where red spots would show",
                    cache_examples=False,
                )
                side = gr.Radio(
                    SIDES, value=512, label="Size of the results, px along the longer side"
                )
                start = gr.Button("Stylize with all four", variant="primary")
                status = gr.HTML(elem_id="status", container=False)

        gr.HTML(heading("Results", "Click anywhere in a picture to magnify that place in all."))
        tiles: dict[str, gr.Image] = {}
        captions: dict[str, gr.HTML] = {}
        with gr.Row(elem_classes="five"):
            for name in names:
                with gr.Column():
                    tiles[name] = picture_view(name)
                    captions[name] = gr.HTML(caption(name, networks))

        gr.HTML(heading("The same place in all five", "Pixels are repeated, never smoothed."))
        with gr.Row():
            x, y, factor = Session().place
            across = gr.Slider(0, 100, x, step=0.1, label="Left to right, %")
            down = gr.Slider(0, 100, y, step=0.1, label="Top to bottom, %")
            zoom = gr.Slider(2, 16, factor, step=1, label="Zoom, ×")
        crops: dict[str, gr.Image] = {}
        with gr.Row(elem_classes="five"):
            for name in names:
                with gr.Column():
                    crops[name] = picture_view(f"{name}, magnified")
                    gr.HTML(f'<div class="caption"><div class="name">{name}</div></div>')

        gr.HTML(heading("Latency", "Each network alone, from tensor to tensor, on this machine."))
        table = gr.HTML(latency_html(networks, Session()))
        measure = gr.Button(f"Measure at {PAPER_SIDE}×{PAPER_SIDE}, as the paper did")

        def run(path: str | None, side: int, shown: Session) -> Iterator[dict]:
            """Stylize one upload with every network; each result is shown when it is there."""
            shown.pictures, shown.seconds = {}, {}
            empty = {view: None for views in (tiles, crops) for view in views.values()}
            fresh = {captions[name]: caption(name, networks) for name in names}
            yield {
                **empty,
                **fresh,
                session: shown,
                table: latency_html(networks, shown),
                status: message("Reading the picture …"),
            }
            try:
                if path is None:
                    raise PictureError("Choose a photo first, or take one of the examples.")
                photo = limit_side(read_picture(path), int(side))
            except PictureError as error:
                yield {status: message(str(error), error=True)}
                return

            def show(name: str, picture: Image.Image) -> dict:
                shown.pictures[name] = picture
                return {
                    tiles[name]: picture,
                    crops[name]: magnify(picture, *shown.place),
                    captions[name]: caption(name, networks, photo.size, shown.seconds),
                }

            yield {**show(ORIGINAL, photo), status: message("Stylizing …")}
            for name, network in networks.items():
                result = stylize(network, photo)
                shown.seconds[name] = result.seconds
                yield show(name, result.picture)
            everything = [show(name, picture) for name, picture in shown.pictures.items()]
            yield {  # once more, so that the last answer to an API client is whole
                **{view: value for update in everything for view, value in update.items()},
                session: shown,
                table: latency_html(networks, shown),
                status: message(f"Done: four pictures in {sum(shown.seconds.values()):.2f} s."),
            }

        def move(shown: Session, x: float, y: float, factor: int) -> list:
            """The same magnified region of all pictures that are there."""
            shown.place = (x, y, factor)
            pictures = [shown.pictures.get(name) for name in names]
            return [
                magnify(picture, *shown.place) if picture else gr.skip() for picture in pictures
            ]

        def look_at(shown: Session, event: gr.SelectData) -> tuple:
            """A click in a whole picture -> its place in percent."""
            if ORIGINAL not in shown.pictures:
                return gr.skip(), gr.skip()
            size = shown.pictures[ORIGINAL].size
            return percent_of_click(event.index, (0, 0, *size), size)

        def look_nearby(shown: Session, event: gr.SelectData) -> tuple:
            """A click in a magnified region -> its place in percent of the whole picture."""
            if ORIGINAL not in shown.pictures:
                return gr.skip(), gr.skip()
            size, factor = shown.pictures[ORIGINAL].size, shown.place[2]
            click = (event.index[0] // factor, event.index[1] // factor)
            return percent_of_click(click, region(size, *shown.place), size)

        def measure_now(shown: Session) -> Iterator[dict]:
            """The paper's protocol, here and now."""
            yield {status: message("Measuring …")}
            times = measure_latency(networks, PAPER_SIDE, PAPER_SIDE, MEASURE_REPEATS)
            shown.milliseconds = {name: median(values) for name, values in times.items()}
            yield {
                session: shown,
                table: latency_html(networks, shown),
                status: message("Measured; the table at the end of the page has the times."),
            }

        views = [*tiles.values(), *captions.values(), *crops.values()]
        start.click(
            run,
            [upload, side, session],
            [session, status, table, *views],
            api_name="stylize",
            concurrency_id="networks",
            concurrency_limit=1,  # one at a time, or the times would mean nothing
            show_progress_on=status,
        )
        measure.click(
            measure_now,
            session,
            [session, table, status],
            api_name="measure",
            concurrency_id="networks",
            show_progress_on=table,
        )
        gr.on(
            [across.change, down.change, zoom.change],
            move,
            [session, across, down, zoom],
            list(crops.values()),
            api_name="magnify",
            trigger_mode="always_last",
            show_progress="hidden",
            queue=False,  # looking never waits for somebody's stylizing
        )
        for pictures, listener in ((tiles, look_at), (crops, look_nearby)):
            for picture in pictures.values():
                picture.select(
                    listener,
                    session,
                    [across, down],
                    api_name=False,
                    show_progress="hidden",
                    queue=False,
                )
    return demo


def picture_view(label: str) -> gr.Image:
    """A place for a result; PNG, because the default, lossy WebP, paints artifacts of its own."""
    return gr.Image(
        label=label,
        show_label=False,  # it would lie on the picture
        alt_text=label,
        type="pil",
        format="png",
        interactive=False,
        buttons=["download"],
    )


def heading(title: str, hint: str) -> str:
    return f'<h2 class="section">{title}</h2><p class="hint">{hint}</p>'


def message(text: str, error: bool = False) -> str:
    """A line that screen readers announce."""
    role, kind = ("alert", "error") if error else ("status", "plain")
    return f'<p role="{role}" class="{kind}">{html.escape(text)}</p>'


def caption(
    name: str,
    networks: Mapping[str, TransformerNet],
    size: tuple[int, int] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> str:
    """What stands below a picture: its name, parameters, and its time on this photo."""
    if name == ORIGINAL:
        facts = [f"{size[0]}×{size[1]} px" if size else "your photo"]
    else:
        facts = [PARTS[name], f"{count_parameters(networks[name]):,} parameters"]
        if seconds:
            facts.append(f"{1000 * seconds[name]:.0f} ms")
    lines = "".join(f'<div class="fact">{fact}</div>' for fact in facts)
    return f'<div class="caption"><div class="name">{name}</div>{lines}</div>'


def latency_html(networks: Mapping[str, TransformerNet], shown: Session) -> str:
    """This photo's times and the measured medians beside the paper's."""
    size = f"{PAPER_SIDE}×{PAPER_SIDE}"
    measured, paper = shown.milliseconds, PAPER_LATENCY_MS
    rows = [
        {
            "network": name,
            "parameters": f"{count_parameters(network):,}",
            "this photo, one cold run": (
                f"{1000 * shown.seconds[name]:.0f} ms" if name in shown.seconds else "–"
            ),
            f"measured at {size}": f"{measured[name]:.1f} ms" if measured else "–",
            "speed-up": f"{measured['baseline'] / measured[name]:.2f}×" if measured else "–",
            f"paper at {size}": f"{paper[name]:.2f} ms",
            "paper's speed-up": f"{paper['baseline'] / paper[name]:.2f}×",
        }
        for name, network in networks.items()
    ]
    table = pd.DataFrame(rows).to_html(index=False, border=0, classes="latency", justify="unset")
    how = f"Measured: the median of {MEASURE_REPEATS} interleaved repeats after warm-up."
    note = f"{how} {circumstances()}." if measured else how
    return f'<div class="table-frame">{table}</div><p class="hint">{html.escape(note)}</p>'


INTRODUCTION = """
<h1>How light can style transfer be?</h1>
<p>One photo, painted after van Gogh's <em>The Starry Night</em> by Johnson's network and by three
variants of it in which depthwise separable convolutions replace more and more of the layers.</p>
"""


def main() -> None:
    try:
        networks = load_networks()
    except CheckpointError as error:
        sys.exit(f"app.py: {error}")
    measure_latency(networks, PAPER_SIDE, PAPER_SIDE, repeats=1)  # warm up before the first visitor
    demo = build_demo(networks).queue(max_size=32)
    demo.launch(
        theme=gr.themes.Soft(
            primary_hue="blue", font=FONT, font_mono=("ui-monospace", "monospace")
        ),
        css_paths=ASSETS / "style.css",
        footer_links=["api"],
        max_file_size=MAX_BYTES,
        state_session_capacity=64,  # five pictures each, 16 MB at most
    )


if __name__ == "__main__":
    main()
