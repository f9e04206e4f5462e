"""The demo: one photo, every network, pictures that are looked at together.

    python app.py

opens the page on http://127.0.0.1:7860 (set GRADIO_SERVER_PORT for another port).  It works
offline.  Layout and wiring are here; what the page does is in `nst.web.page.handlers`.
"""

from __future__ import annotations

if __name__ == "__main__":  # before Gradio is imported, which reads the environment
    from nst.console import run
    from nst.web.server.environment import prepare
    from nst.web.server.no_stubs import import_gradio_without_stubs

    run("app", *prepare(), first=import_gradio_without_stubs)

import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from nst.checkpoint import CheckpointError, load_networks, load_painting, paintings
from nst.files import sha256
from nst.inference.engines import Engine, EngineName, prepare_engines
from nst.inference.picture import stylize
from nst.models import TransformerNet
from nst.paper import LATENCY_SIDE as PAPER_SIDE
from nst.paths import ASSETS, CHECKPOINTS
from nst.pictures.examples import FIRST_SIDE, LAMPS, examples
from nst.pictures.reading import MAX_BYTES, limit_side, read_picture
from nst.web.live.socket import MAX_MESSAGE, Live
from nst.web.page import texts
from nst.web.page.components import (
    AnswerToProgram,
    Bar,
    Page,
    PhotoOfProgram,
    StylizeRequest,
    Viewer,
)
from nst.web.page.device_files import DeviceFiles
from nst.web.page.handlers import Handlers
from nst.web.page.preview import Preview, preview_route
from nst.web.page.programs import Programs
from nst.web.page.session import DEVICE
from nst.web.page.static import static_route
from nst.web.page.stylizer import MAX_SIDE, Stylizer
from nst.web.page.tabs import DeviceLatency, about_tab, live_tab, training_tab
from nst.web.page.theme import page_theme
from nst.web.painting.tab import painting_tab
from nst.web.painting.trainer import PaintingTrainer
from nst.web.server.clients import Places
from nst.web.server.environment import Address, cannot_keep, is_ones_own
from nst.web.server.offline import stay_offline
from nst.web.server.queue_limits import limit_queue
from nst.web.server.request_filter import RequestFilter, refuse_malformed
from nst.web.server.serving import Server
from nst.web.server.store import PictureStore
from nst.web.server.temporary_files import delete_old_files
from nst.web.server.zero_gpu import declare_for_zero_gpu

SIDES = [256, 512, 1024, MAX_SIDE]  # px
SMALL_SIDE = 1024  # px; larger pictures are stylized only when somebody says so
SETTLING = 5  # s, in which the first view has the machine to itself
MAX_WAITING = 32  # jobs for networks; with so many waiting, newcomers are told to try again
MAX_SESSIONS = 2000  # of 85 kB; their pictures are files
TRAININGS = Path("runs", "paintings")  # of one's own, where the page is started
ONE_AT_A_TIME = {"concurrency_id": "networks", "concurrency_limit": 1}  # or times mean nothing
AT_ONCE = {"concurrency_id": "looking", "concurrency_limit": 4}  # waits for nobody's networks
PROGRAMS = {"concurrency_id": "programs", "concurrency_limit": 1}  # no visitor waits behind them
READING = {"concurrency_id": "reading", "concurrency_limit": 1}  # a photo may be large
MEASURING = {"concurrency_id": "measuring", "concurrency_limit": 2}  # a new one ends the one before
PLACES = {
    "networks": Places(MAX_WAITING, 4),
    "programs": Places(MAX_WAITING, 4),
    "looking": Places(2 * MAX_WAITING, 8),
    "reading": Places(MAX_WAITING, 4),
    "measuring": Places(4, 2),
}


def build_demo(
    stylizer: Stylizer, device_files: Mapping[str, str] = {}, is_ones_own: bool = False
) -> gr.Blocks:
    """The page; the first of the stylizer's engines and examples is chosen at first.

    Args:
        device_files: addresses of the networks that run on visitors' devices.
        is_ones_own: whoever comes may train.
    """
    stay_offline()
    handlers, names, engines = Handlers(stylizer), stylizer.names, list(stylizer.engines)
    with Page(title=texts.TITLE, delete_cache=(600, 3600)) as demo:
        visitor = gr.State(stylizer.first_visitor())
        gr.HTML(texts.HEADING, elem_id="title")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Compare"):
                gr.HTML(texts.INTRODUCTION, elem_id="introduction")
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
                    paintings=[(name, one.title) for name, one in stylizer.paintings.items()],
                    engines=[(texts.ENGINES[name], name) for name in [*engines, DEVICE]],
                )
                viewer = Viewer(
                    handlers.first_view(),
                    store=stylizer.store,
                    device_files=device_files,
                    label="pictures",
                )
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
                of_the_paper = {name: device_files[name] for name in names if name in device_files}
                DeviceLatency(device_files=of_the_paper, label="latency on this device")
                progress = gr.HTML(label="message", elem_classes="status")
                table = gr.HTML(
                    handlers.table(),
                    label="latency",
                    elem_id="server-latency",
                )
            with gr.Tab("Live"):
                example = stylizer.first_visitor().shown.files
                live_tab(stylizer.parameters, stylizer.paintings, device_files, example)
            with gr.Tab("Your painting"):
                painting_tab(is_ones_own)
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
        bar.read(handlers.read, asked, changed, trigger_mode="multiple", **READING, **private)
        mix = {"trigger_mode": "always_last", **AT_ONCE, **private}
        bar.mix(handlers.mix, asked, changed, **mix)
        viewer.stop(handlers.stop, visitor, None, queue=False, **private)
        measure.click(
            handlers.measure,
            [measured_side, bar],
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
        **PROGRAMS,
    )
    ask.click(
        programs.measure,
        [side, engine],
        times,
        api_name="measure",
        preprocess=False,
        **MEASURING,
    )


def script(name: str) -> str:
    return (ASSETS / f"{name}.js").read_text(encoding="utf-8")


def build_application(stylizer: Stylizer, trainings: Path | None = None) -> Starlette:
    """The page with its bounds, for a server.

    Args:
        trainings: where they are kept; None: the page is everybody's, and trains nothing.
    """
    device_files = DeviceFiles(stylizer.networks)
    demo = build_demo(stylizer, device_files.addresses, trainings is not None)
    demo.has_launched = True  # or Gradio takes any file of this machine for an upload
    demo.state_session_capacity = MAX_SESSIONS
    limit_queue(demo, PLACES)
    live = Live(stylizer.engines[stylizer.first_engine], stylizer.lock)
    routes: list[BaseRoute] = [
        *(live.route(), preview_route(), static_route(), device_files.route())
    ]
    if trainings:
        routes += PaintingTrainer(trainings, stylizer, device_files).routes()
    root_path = os.environ.get("GRADIO_ROOT_PATH", "")
    bounds = {"routes": routes, "max_upload": MAX_BYTES, "root_path": root_path}
    return gr.mount_gradio_app(
        Starlette(middleware=[Middleware(RequestFilter, store=stylizer.store, **bounds)]),
        demo,
        path="/",
        root_path=root_path,
        theme=page_theme(),
        css_paths=ASSETS / "style.css",
        js=script("page"),
        footer_links=["api"],
        max_file_size=MAX_BYTES,
        show_error=False,
        run_history=False,
        mcp_server=False,
        ssr_mode=False,
        app_kwargs={
            "routes": routes,
            "middleware": [Middleware(Preview)],
            "exception_handlers": {RequestValidationError: refuse_malformed},
        },
    )


def load_engines() -> tuple[dict[str, TransformerNet], dict[EngineName, dict[str, Engine]]]:
    """Networks, and what runs them; the first engine has run once.

    Raises:
        CheckpointError: a network cannot be loaded.
    """
    networks = load_networks()
    engines = prepare_engines(networks)
    photo = limit_side(read_picture(LAMPS), FIRST_SIDE)
    for engine in next(iter(engines.values())).values():
        stylize(engine, photo)  # so that the first times shown are like all others
    return networks, engines


def main(address: Address, sockets: Sequence[socket.socket], folder: Path) -> None:
    """Show the page on sockets that listen at the address; visitors' files lie in the folder."""
    declare_for_zero_gpu()
    store = PictureStore(folder)
    delete_old_files(folder, store.kept)
    try:
        networks, engines = load_engines()
        hashes = {name: sha256(CHECKPOINTS / f"{name}.safetensors") for name in networks}
        others = {name: load_painting(path) for name, path in paintings().items()}
        stylizer = Stylizer(networks, engines, store, examples(), hashes, others)
        trainings = TRAININGS.resolve() if is_ones_own(address, os.environ) else None
        server = Server(build_application(stylizer, trainings), sockets, MAX_MESSAGE)
    except CheckpointError as error:
        sys.exit(f"app.py: {error}")
    except OSError as error:
        sys.exit(cannot_keep(error))
    print(f"* Running on local URL:  http://{address}")
    time.sleep(SETTLING)
    stylizer.prepare()
    server.wait()
    sys.exit("app.py: the server has ended")
