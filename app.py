"""The demo: one photo, every network, pictures that are looked at together.

    python app.py

opens the page on http://127.0.0.1:7860 (set GRADIO_SERVER_PORT for another port).  It needs no
network.  Layout and wiring are here; what the page does is in `nst.web.studio`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from nst.checkpoint import CheckpointError, load_networks
from nst.examples import LAMPS, example_pictures
from nst.images import MAX_BYTES
from nst.inference.engines import prepare_engines
from nst.models import TransformerNet
from nst.paper import LATENCY_SIDE as PAPER_SIDE
from nst.paths import ASSETS
from nst.web import texts
from nst.web.components import PictureUpload, Viewer, training_tab
from nst.web.offline import stay_offline
from nst.web.session import ORIGINAL, STRENGTH_STEP, Session
from nst.web.studio import Engines, Studio, on_page
from nst.web.theme import page_theme
from nst.web.zero_gpu import declare_for_zero_gpu
from nst.web.zoom import ZOOM_SIDE

EXAMPLES = [str(path) for path in example_pictures()]
MAX_SIDE = 2048  # px
SIDES = [("256", 256), ("512", 512), ("1024", 1024), (f"original, {MAX_SIDE} at most", MAX_SIDE)]
FIRST_SIDE = 512  # px
MAX_WAITING = 32  # jobs; who comes when so many wait is told to try again


def build_demo(networks: Mapping[str, TransformerNet], engines: Engines) -> gr.Blocks:
    """The page for these networks on these engines, the first of which is chosen at first."""
    stay_offline()
    viewer = Viewer(label="pictures", elem_id="viewer", render=False)
    studio = Studio(networks, engines, viewer.store, LAMPS, FIRST_SIDE)
    viewer.keep_in_cache.update(studio.files_of_the_example())
    with gr.Blocks(title="Lightweight style transfer", delete_cache=(600, 3600)) as demo:
        session = gr.State(Session())
        gr.HTML(texts.INTRODUCTION, elem_id="title")
        with gr.Tabs():
            with gr.Tab("Compare"):
                with gr.Row(elem_id="making"):
                    with gr.Column(scale=5, min_width=280):
                        upload = PictureUpload(
                            label="Your photo",
                            sources=["upload", "clipboard"],
                            height=296,
                            format="png",
                        )
                        gr.Examples(
                            EXAMPLES,
                            upload,
                            label="Or one of these",
                            cache_examples=False,
                            elem_id="examples",
                        )
                    with gr.Column(scale=6, min_width=280):
                        side = gr.Radio(
                            SIDES, value=FIRST_SIDE, label="Longer side of the results, px"
                        )
                        chosen = gr.CheckboxGroup(
                            studio.names, value=studio.names, label="Networks"
                        )
                        engine = gr.Radio(
                            [(texts.ENGINES[name], name) for name in engines],
                            value=next(iter(engines)),
                            label="Engine",
                        )
                        start = gr.Button("Stylize", variant="primary", elem_id="start")
                        status = gr.HTML(label="message", elem_classes="status")
                        strength = gr.Slider(
                            0,
                            100,
                            100,
                            step=STRENGTH_STEP,
                            label="Strength, % (at once; no network runs again)",
                        )
                        keep_colours = gr.Checkbox(False, label="Keep the photo’s colours")
                viewer.render()
                gr.HTML(texts.LATENCY, elem_classes="section")
                with gr.Row(elem_id="measuring"):
                    measured_side = gr.Radio(
                        [
                            (f"{PAPER_SIDE}×{PAPER_SIDE}, as the paper", PAPER_SIDE),
                            ("512×512", 512),
                        ],
                        value=PAPER_SIDE,
                        label="Picture",
                    )
                    measure = gr.Button("Measure", scale=0, min_width=180)
                progress = gr.HTML(label="message", elem_classes="status")
                table = gr.HTML(studio.table(Session()), label="latency")
            with gr.Tab("How they were trained"):
                training_tab(ASSETS)
            with gr.Tab("About"):
                gr.HTML(texts.ABOUT, elem_classes="words")
        with gr.Column(visible=False):  # what only programs ask for
            place = [gr.Number(value) for value in (50, 50, 4, ZOOM_SIDE, ZOOM_SIDE)]
            crops = [gr.Image(label=name, format="png") for name in (ORIGINAL, *studio.names)]
            crop = gr.Button()
            sheet = gr.File(label="sheet")

        parts = {
            "session": session,
            "panes": viewer,
            "table": table,
            "status": status,
            "progress": progress,
            "sheet": sheet,
        }
        demo.load(
            on_page(studio.welcome, parts),
            None,
            [session, viewer, table, status],
            api_visibility="private",
            show_progress="hidden",
            queue=False,
        )
        start.click(
            on_page(studio.run, parts),
            [upload, side, chosen, engine, strength, keep_colours, session],
            [session, status, viewer, table],
            api_name="stylize",
            concurrency_id="networks",
            concurrency_limit=1,  # one at a time, or the times would mean nothing
            show_progress_on=status,
        )
        measure.click(
            on_page(studio.measure, parts),
            [measured_side, engine, session],
            [session, progress, table],
            api_name="measure",
            concurrency_id="networks",
            show_progress_on=table,
        )
        gr.on(
            [strength.input, keep_colours.input],
            on_page(studio.mix, parts),
            [strength, keep_colours, session],
            [session, status, viewer],
            api_name="mix",
            trigger_mode="always_last",
            show_progress="hidden",
            concurrency_id="looking",  # never waits for somebody's stylizing
            concurrency_limit=4,
        )
        crop.click(
            studio.magnify, [*place, session], crops, api_name="magnify", concurrency_id="looking"
        )
        viewer.sheet(
            on_page(studio.sheet, parts),
            session,
            [sheet],
            api_name="contact_sheet",
            show_progress_on=viewer,
            concurrency_id="looking",
        ).success(None, sheet, js=script("save"))
    return demo


def script(name: str) -> str:
    return (ASSETS / f"{name}.js").read_text(encoding="utf-8")


def main() -> None:
    declare_for_zero_gpu()
    try:
        networks = load_networks()
    except CheckpointError as error:
        sys.exit(f"app.py: {error}")
    demo = build_demo(networks, prepare_engines(networks)).queue(
        max_size=MAX_WAITING, api_open=False
    )
    demo.launch(
        theme=page_theme(),
        css_paths=ASSETS / "style.css",
        js=script("page"),
        footer_links=["api"],
        max_file_size=MAX_BYTES,
        state_session_capacity=256,
    )


if __name__ == "__main__":
    main()
