"""The demo: one photo, every network, pictures that are looked at together.

    python app.py

opens the page on http://127.0.0.1:7860 (set GRADIO_SERVER_PORT for another port).  It works
offline.  Layout and wiring are here; what the page does is in `nst.web.page.handlers`.
"""

from __future__ import annotations

if __name__ == "__main__":  # before Gradio is imported, which reads the environment
    from nst.console import run
    from nst.web.server.environment import prepare
    from nst.web.server.head_start import begin
    from nst.web.server.no_stubs import import_gradio_without_stubs

    import_gradio_without_stubs()
    run("app", *prepare(), first=begin)

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from starlette.middleware import Middleware

from nst.checkpoint import CheckpointError
from nst.paper import LATENCY_SIDE as PAPER_SIDE
from nst.paths import ASSETS, CHECKPOINTS
from nst.pictures.examples import FIRST_SIDE, examples
from nst.pictures.reading import MAX_BYTES
from nst.web.live.socket import Live, bound_messages
from nst.web.page import texts
from nst.web.page.components import AnswerToProgram, Bar, PhotoOfProgram, StylizeRequest, Viewer
from nst.web.page.device_files import DeviceFiles
from nst.web.page.handlers import Handlers
from nst.web.page.preview import Preview, preview_route
from nst.web.page.programs import Programs
from nst.web.page.static import static_route
from nst.web.page.stylizer import MAX_SIDE, Stylizer
from nst.web.page.tabs import DeviceLatency, about_tab, live_tab, training_tab
from nst.web.page.theme import page_theme
from nst.web.server.environment import Address
from nst.web.server.head_start import ready
from nst.web.server.offline import stay_offline
from nst.web.server.store import PictureStore, Restoring
from nst.web.server.temporary_files import delete_old_files
from nst.web.server.zero_gpu import declare_for_zero_gpu

SIDES = [("256 px", 256), ("512 px", 512), ("1024 px", 1024), (f"{MAX_SIDE} px", MAX_SIDE)]
SMALL_SIDE = 1024  # px; larger pictures are stylized only when somebody says so
SETTLING = 5  # s, in which the first view has the machine to itself
MAX_WAITING = 32  # jobs; with so many waiting, newcomers are told to try again
ONE_AT_A_TIME = {"concurrency_id": "networks", "concurrency_limit": 1}  # or times mean nothing


def build_demo(stylizer: Stylizer, device_files: Mapping[str, str] = {}) -> gr.Blocks:
    """The page; the first of the stylizer's engines and examples is chosen at first.

    Args:
        device_files: addresses of the networks that run on visitors' devices.
    """
    stay_offline()
    handlers, names, engines = Handlers(stylizer), stylizer.names, list(stylizer.engines)
    with gr.Blocks(title=texts.TITLE, delete_cache=(600, 3600)) as demo:
        visitor = gr.State(stylizer.first_visitor())
        gr.HTML(texts.HEADING, elem_id="title")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Compare"):
                bar = Bar(
                    StylizeRequest(
                        example=stylizer.first_example,
                        side=FIRST_SIDE,
                        networks=names,
                        engine=engines[0],
                    ),
                    examples=stylizer.thumbnails(),
                    sides=SIDES,
                    small_side=SMALL_SIDE,
                    networks=names,
                    engines=[(texts.ENGINES[name], name) for name in engines],
                )
                viewer = Viewer(handlers.first_view(), store=stylizer.store, label="pictures")
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
                    measure_on_device = gr.Button(texts.ON_DEVICE, scale=0, min_width=220)
                DeviceLatency(device_files=device_files, label="latency on this device")
                progress = gr.HTML(label="message", elem_classes="status")
                table = gr.HTML(
                    handlers.table(stylizer.first_visitor()),
                    label="latency",
                    elem_id="server-latency",
                )
            with gr.Tab("Live"):
                live_tab(stylizer.parameters, device_files)
            with gr.Tab("Training"):
                training_tab(ASSETS)
            with gr.Tab("About"):
                about_tab(CHECKPOINTS / "README.md")
        gr.HTML(texts.foot(), elem_id="foot")

        add_api(Programs(stylizer))  # first, so that its names are free
        asked, changed = [bar, visitor], [viewer, table, progress]
        private = {"api_visibility": "private", "show_progress": "hidden"}
        bar.run(handlers.ask, asked, None, queue=False, trigger_mode="multiple", **private)
        run = {"trigger_mode": "multiple", **ONE_AT_A_TIME, **private}
        bar.run(handlers.stylize, asked, changed, **run)
        mix = {"trigger_mode": "always_last", "concurrency_limit": 4, **private}
        bar.mix(handlers.mix, asked, changed, **mix)
        viewer.stop(handlers.stop, visitor, None, queue=False, **private)
        measure.click(
            handlers.measure,
            [measured_side, *asked],
            changed,
            show_progress_on=table,
            api_visibility="private",
            **ONE_AT_A_TIME,
        )
        measure_on_device.click(
            None, measured_side, js=texts.MEASURE_ON_DEVICE, api_visibility="private"
        )
    return demo


def add_api(programs: Programs) -> None:
    """What programs may ask for, with names and numbers as the documentation shows them."""
    names, engines = programs.stylizer.names, list(programs.stylizer.engines)
    with gr.Column(visible=False):
        photo = PhotoOfProgram(label="photo")
        side = gr.Number(FIRST_SIDE, precision=0, label="side")
        networks = gr.CheckboxGroup(names, value=names, label="networks")
        engine = gr.Radio(engines, value=engines[0], label="engine")
        strength = gr.Number(100, label="strength")
        keep_colours = gr.Checkbox(False, label="keep_colours")
        answer = AnswerToProgram(label="results")
        times = gr.JSON(label="times")
        ask = gr.Button()
    ask.click(
        programs.stylize,
        [photo, side, networks, engine, strength, keep_colours],
        answer,
        api_name="stylize",
        preprocess=False,  # `Programs` says what is wrong with an argument
        **ONE_AT_A_TIME,
    )
    ask.click(
        programs.measure,
        [side, engine],
        times,
        api_name="measure",
        preprocess=False,
        concurrency_limit=2,  # a new measurement ends the one before
    )


def script(name: str) -> str:
    return (ASSETS / f"{name}.js").read_text(encoding="utf-8")


def main(address: Address, folder: Path) -> None:
    """Show the page there; visitors' files lie in the folder."""
    declare_for_zero_gpu()
    store = PictureStore(folder)
    delete_old_files(folder, store.kept)
    try:
        networks, engines = ready()
    except CheckpointError as error:
        sys.exit(f"app.py: {error}")
    painter = Stylizer(networks, engines, store, examples())
    live = Live(painter.engines[painter.first_engine], painter.lock)
    device_files = DeviceFiles(networks)
    demo = build_demo(painter, device_files.addresses).queue(max_size=MAX_WAITING, api_open=False)
    try:
        demo.launch(
            prevent_thread_lock=True,
            server_name=address.name,
            server_port=address.port,
            theme=page_theme(),
            css_paths=ASSETS / "style.css",
            js=script("page"),
            footer_links=["api"],
            max_file_size=MAX_BYTES,
            state_session_capacity=256,
            _frontend=False,  # or Gradio gives up where a busy machine takes 3 s to answer it
            app_kwargs={
                "routes": [live.route(), preview_route(), static_route(), device_files.route()],
                "middleware": [Middleware(Restoring, store=store), Middleware(Preview)],
            },
        )
    except OSError as error:  # somebody else listens there now
        sys.exit(f"app.py: {error}")
    bound_messages(demo.server.config)
    time.sleep(SETTLING)
    painter.prepare()
    demo.block_thread()
