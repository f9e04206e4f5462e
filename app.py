"""The demo: one photo, four networks, five pictures that are looked at together.

    python app.py

opens the page on http://127.0.0.1:7860 (set GRADIO_SERVER_PORT for another port).  It needs no
network.
"""

from __future__ import annotations

import copy
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from nst.checkpoint import CheckpointError, load_networks
from nst.examples import LAMPS, example_pictures
from nst.images import MAX_BYTES, PictureError
from nst.inference.engines import Engine, prepare_engines
from nst.inference.latency import circumstances, measure_latency
from nst.inference.picture import stylize
from nst.models import TransformerNet
from nst.paper import LATENCY_SIDE as PAPER_SIDE
from nst.paths import ASSETS
from nst.web import page
from nst.web.components import PictureUpload, Upload, Viewer, show, training_tab
from nst.web.offline import stay_offline
from nst.web.page import message
from nst.web.session import ORIGINAL, Latency, Session, SessionExpiredError, painted
from nst.web.theme import page_theme
from nst.web.upload import read_upload
from nst.web.zero_gpu import declare_for_zero_gpu
from nst.web.zoom import ZOOM_SIDE

EXAMPLES = [str(path) for path in example_pictures()]
MAX_SIDE = 2048  # px
SIDES = [("256", 256), ("512", 512), ("1024", 1024), (f"original, {MAX_SIDE} at most", MAX_SIDE)]
MAX_WAITING = 32  # jobs; who comes when so many wait is told to try again

Engines = Mapping[str, Mapping[str, Engine]]  # engine -> network -> what runs it


def build_demo(networks: Mapping[str, TransformerNet], engines: Engines) -> gr.Blocks:
    """The page for these networks on these engines, the first of which is chosen at first."""
    stay_offline()
    names = list(networks)
    with gr.Blocks(title="Lightweight style transfer", delete_cache=(600, 3600)) as demo:
        session = gr.State(Session())
        gr.HTML(page.INTRODUCTION, elem_id="title")
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
                        side = gr.Radio(SIDES, value=512, label="Longer side of the results, px")
                        chosen = gr.CheckboxGroup(names, value=names, label="Networks")
                        engine = gr.Radio(
                            [(page.ENGINES[name], name) for name in engines],
                            value=next(iter(engines)),
                            label="Engine",
                        )
                        start = gr.Button("Stylize", variant="primary", elem_id="start")
                        status = gr.HTML(label="message", elem_classes="status")
                        strength = gr.Slider(
                            0,
                            100,
                            100,
                            step=5,
                            label="Strength, % (at once; no network runs again)",
                        )
                        keep_colours = gr.Checkbox(False, label="Keep the photo’s colours")
                viewer = Viewer(label="pictures", elem_id="viewer")
                gr.HTML(page.LATENCY, elem_classes="section")
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
                table = gr.HTML(page.latency_html(networks, Session()), label="latency")
            with gr.Tab("How they were trained"):
                training_tab(ASSETS)
            with gr.Tab("About"):
                gr.HTML(page.ABOUT, elem_classes="words")
        with gr.Column(visible=False):  # what only programs ask for
            place = [gr.Number(value) for value in (50, 50, 4, ZOOM_SIDE, ZOOM_SIDE)]
            crops = [gr.Image(label=name, format="png") for name in (ORIGINAL, *names)]
            crop = gr.Button()
            sheet_file = gr.File(label="sheet")

        def welcome() -> dict:
            """An example, so that there is something to look at."""
            return {
                session: copy.deepcopy(example),
                viewer: show(example, networks),
                table: page.latency_html(networks, example),
                status: message(page.WELCOME),
            }

        def run(
            photo: Upload | None,
            side: int,
            networks_to_run: list[str],
            engine: str,
            strength: float,
            keep_colours: bool,
            shown: Session,
        ) -> Iterator[dict]:
            """Stylize one upload; each result is shown when it is there."""
            wanted = {name: engines[engine][name] for name in names if name in networks_to_run}
            if photo is None or not wanted:  # what is shown stays
                missing = page.NO_PHOTO if photo is None else page.NO_NETWORK
                yield {status: message(missing, error=True)}
                return
            shown.clear()
            shown.busy, shown.engine = True, engine
            shown.strength, shown.keep_colours = strength / 100, keep_colours
            yield {
                session: shown,
                viewer: show(shown, networks),
                table: page.latency_html(networks, shown),
                status: message("Reading the picture …"),
            }
            try:
                if not Path(photo.path).exists():
                    raise PictureError(page.PHOTO_GONE)
                picture = read_upload(photo.path, int(side))
            except PictureError as error:
                shown.busy = False
                yield {status: message(str(error), error=True)}
                return
            shown.begin(picture, photo.name, wanted, viewer.store)
            yield {viewer: show(shown, networks, "painting …"), status: message("Stylizing …")}
            try:
                for name, network in wanted.items():
                    result = stylize(network, picture)
                    shown.add(name, picture, *result, viewer.store)
                    yield {viewer: show(shown, networks, "painting …")}
            except (RuntimeError, MemoryError):  # for example, a machine too small for the picture
                logging.exception("a network failed")
                shown.busy = False
                yield {viewer: show(shown, networks), status: message(page.FAILED, error=True)}
                return
            if (shown.strength, shown.keep_colours) != (strength / 100, keep_colours):
                shown.mix(shown.strength, shown.keep_colours, viewer.store)  # wished meanwhile
            shown.busy = False
            yield {
                session: shown,
                viewer: show(shown, networks),
                table: page.latency_html(networks, shown),
                status: message(page.done(shown)),
            }

        def mix(strength: float, keep_colours: bool, shown: Session) -> dict:
            """The kept results with another strength or other colours; no network runs."""
            try:
                shown.mix(strength / 100, keep_colours, viewer.store)
            except SessionExpiredError:
                return {status: message(page.EXPIRED, error=True)}
            return {
                session: shown,
                viewer: show(shown, networks),
                status: message(page.mixed(shown)),
            }

        def magnify(
            x: float, y: float, zoom: float, width: float, height: float, shown: Session
        ) -> list:
            """The same place of all pictures: centre in percent, zoom, and size in px."""
            try:
                found = shown.crops(x, y, zoom, width, height)
            except SessionExpiredError:
                raise gr.Error(page.EXPIRED, print_exception=False) from None
            return [found.get(name) for name in (ORIGINAL, *names)]

        def contact_sheet(shown: Session) -> dict:
            """All pictures as they are shown, labelled, on one."""
            captions = {
                name: " · ".join(page.facts(name, networks, shown)) for name in list(shown.shown)
            }
            try:
                return {sheet_file: shown.sheet(captions, viewer.store)}
            except SessionExpiredError:
                return {status: message(page.EXPIRED, error=True), sheet_file: None}

        def measure_now(side: int, engine: str, shown: Session) -> Iterator[dict]:
            """The paper's protocol, here and now."""
            yield {progress: message("Measuring …")}
            times = measure_latency(engines[engine], side, side, page.MEASURE_REPEATS)
            shown.measured = Latency(side, times, circumstances(engine))
            yield {
                session: shown,
                table: page.latency_html(networks, shown),
                progress: message("Measured; below are the times."),
            }

        example = painted(LAMPS, 512, next(iter(engines.values())), viewer.store)
        example.engine = next(iter(engines))
        viewer.keep_in_cache.update(example.painted.values())
        demo.load(
            welcome,
            None,
            [session, viewer, table, status],
            api_visibility="private",
            show_progress="hidden",
            queue=False,
        )
        start.click(
            run,
            [upload, side, chosen, engine, strength, keep_colours, session],
            [session, status, viewer, table],
            api_name="stylize",
            concurrency_id="networks",
            concurrency_limit=1,  # one at a time, or the times would mean nothing
            show_progress_on=status,
        )
        measure.click(
            measure_now,
            [measured_side, engine, session],
            [session, progress, table],
            api_name="measure",
            concurrency_id="networks",
            show_progress_on=table,
        )
        gr.on(
            [strength.input, keep_colours.input],
            mix,
            [strength, keep_colours, session],
            [session, status, viewer],
            api_name="mix",
            trigger_mode="always_last",
            show_progress="hidden",
            concurrency_id="looking",  # never waits for somebody's stylizing
            concurrency_limit=4,
        )
        crop.click(magnify, [*place, session], crops, api_name="magnify", concurrency_id="looking")
        viewer.sheet(
            contact_sheet,
            session,
            [status, sheet_file],
            api_name="contact_sheet",
            show_progress_on=viewer,
            concurrency_id="looking",
        ).then(None, sheet_file, js=script("save"))
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
