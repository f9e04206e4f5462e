"""The demo: one photo, four networks, five pictures beside each other.

    python app.py

opens the page on http://127.0.0.1:7860 (set GRADIO_SERVER_PORT for another port).  It needs no
network.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from gradio.data_classes import ImageData
from gradio.media import get_image

from nst.benchmark import PAPER_SIDE, measure_latency
from nst.checkpoint import CheckpointError
from nst.images import MAX_BYTES, PictureError
from nst.models import TransformerNet
from nst.page import (
    INTRODUCTION,
    MEASURE_REPEATS,
    ORIGINAL,
    Session,
    caption,
    heading,
    latency_html,
    message,
)
from nst.stylize import load_networks, stylize
from nst.upload import read_upload
from nst.zoom import magnify, percent_of_click, region

ASSETS = Path(__file__).parent / "assets"
EXAMPLES = [str(ASSETS / "lamps.png"), *(get_image(f"{name}.jpg") for name in ("tower", "lion"))]
SIDES = [256, 512, 1024]  # px, the longer side of the result
FONT = ("ui-sans-serif", "system-ui", "sans-serif")  # the system's: nothing is fetched


class PictureUpload(gr.Image):
    """An upload that hands over the path of the file as it was sent.

    `gr.Image` would open the file before our code runs, and a bad one would give no message.
    (Gradio writes a type stub, app.pyi, for every subclass; it is ignored by git.)
    """

    is_template = True  # shown as its parent, an image

    def preprocess(self, payload: ImageData | None) -> str | None:
        return payload.path if payload else None


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
                photo = read_upload(path, int(side))
            except PictureError as error:
                yield {status: message(str(error), error=True)}
                return

            def show(name: str) -> dict:
                picture = shown.pictures[name]
                return {
                    tiles[name]: picture,
                    crops[name]: magnify(picture, *shown.place),
                    captions[name]: caption(name, networks, photo.size, shown.seconds),
                }

            shown.pictures[ORIGINAL] = photo
            yield {**show(ORIGINAL), status: message("Stylizing …")}
            for name, network in networks.items():
                result = stylize(network, photo)
                shown.pictures[name], shown.seconds[name] = result
                yield show(name)
            yield {  # once more, so that the last answer to an API client is whole
                **{view: value for name in names for view, value in show(name).items()},
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
            return clicked_place(shown, event, magnified=False)

        def look_nearby(shown: Session, event: gr.SelectData) -> tuple:
            """A click in a magnified region -> its place in percent of the whole picture."""
            return clicked_place(shown, event, magnified=True)

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


def clicked_place(shown: Session, event: gr.SelectData, magnified: bool) -> tuple:
    """Where a click lies in the whole picture, in percent; no change if there is none."""
    if ORIGINAL not in shown.pictures:
        return gr.skip(), gr.skip()
    size = shown.pictures[ORIGINAL].size
    factor = shown.place[2] if magnified else 1
    box = region(size, *shown.place) if magnified else (0, 0, *size)
    x, y = event.index
    return percent_of_click((x // factor, y // factor), box, size)


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
