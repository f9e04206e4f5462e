"""What the tab "Your painting" asks the server for; the page's owner is the only one who may.

GET  /painting/state                  how far the training is, and what has been learned here
GET  /painting/pace?network=v4        seconds for a step on this machine
GET  /painting/picture?photo=lamps    that photo by the weights saved last, as PNG
GET  /painting/files/NAME/painting    the painting; or checkpoint: the network, to keep
POST /painting/train, go-on, stop, load    the state, or an error in a sentence
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import threading
from collections import deque
from pathlib import Path
from typing import Any

from gradio.processing_utils import encode_pil_to_bytes
from PIL import Image
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from nst.checkpoint import load_checkpoint, load_painting, title_of
from nst.inference.engines import EagerEngine
from nst.inference.picture import stylize
from nst.models import VARIANTS
from nst.paths import CHECKPOINTS
from nst.pictures.colours import on_white
from nst.pictures.examples import FIRST_SIDE
from nst.pictures.painting import check_painting
from nst.vgg import downloaded
from nst.web.page import texts
from nst.web.page.components import uploaded_file
from nst.web.page.device_files import DeviceFiles
from nst.web.page.session import ORIGINAL, readable, safe_stem
from nst.web.page.stylizer import Stylizer
from nst.web.painting.training import (
    VGG_WEIGHTS,
    Training,
    TrainingRequest,
    curve,
    start_quietly,
    trainings,
)
from nst.web.server.clients import OwnersOnly
from nst.web.server.priority_lock import Priority
from nst.web.server.upload_decoding import read_upload

ROUTE = "/painting"
PAINTING_SIDE = 1024  # px, of the painting that is kept; the recipe looks at 512
RECENT = 8  # saves, over which the pace is measured

RUNS_ALREADY = "A painting is being learned already; stop that first."
NOTHING_TO_GO_ON = "There is no training to go on with."


class PaintingTrainer:
    """The trainings in a folder, of which one runs at a time, and the networks that came of them.

    Args:
        folder: each has a folder in it.
        stylizer: gets what has been learned as one more network.
        device_files: too.
    """

    def __init__(self, folder: Path, stylizer: Stylizer, device_files: DeviceFiles) -> None:
        self.folder, self.stylizer, self.device_files = folder, stylizer, device_files
        self.trainings = {training.folder.name: training for training in trainings(folder)}
        started = [training for training in self.trainings.values() if training.painting.exists()]
        self.current = started[-1] if started else None
        self._learned: dict[str, int] = {}  # the version of each network that the page has
        self._saves: deque[tuple[int, int]] = deque(maxlen=RECENT)  # versions and steps
        self._pace: dict[str, float] = {}  # of each network, s
        self._photo: tuple[str, Image.Image] | None = None  # the last one
        self._one_at_a_time, self._measuring = threading.Lock(), threading.Lock()

    def routes(self) -> list[Route]:
        actions = {"train": self.train, "go-on": self.go_on, "stop": self.stop, "load": self.load}

        async def act(request: Request) -> Response:
            try:
                action = actions[request.path_params["action"]]
                await asyncio.to_thread(action, **await request.json())
            except OSError as error:
                return JSONResponse({"error": f"{error.strerror or error}."})
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                words = getattr(error, "message", str(error))  # Gradio's own are quoted else
                return JSONResponse({"error": words})
            return await asyncio.to_thread(self._state, request)

        owners = [Middleware(OwnersOnly)]
        return [
            Route(f"{ROUTE}/state", self._state, middleware=owners),
            Route(f"{ROUTE}/pace", self._answer_pace, middleware=owners),
            Route(f"{ROUTE}/picture", self._picture, middleware=owners),
            Route(f"{ROUTE}/files/{{name}}/{{kind}}", self._file, middleware=owners),
            Route(f"{ROUTE}/{{action}}", act, methods=["POST"], middleware=owners),
        ]

    def train(self, file: dict[str, Any], network: str, steps: int, photos: str) -> None:
        """Begin to learn an uploaded painting.

        Raises:
            ValueError: it cannot be learned, or another one is.
            OSError: the disk is full.
        """
        if network not in VARIANTS or steps < 1:
            raise ValueError("There is no such network, or nothing to do.")
        painting = on_white(read_upload(uploaded_file(file).path, PAINTING_SIDE).picture)
        check_painting(painting)
        with self._one_at_a_time:
            self._refuse_a_second()
            folder = self._new_folder(file["orig_name"])
            request = TrainingRequest(title_of(folder), network, steps, photos.strip())
            try:
                training = Training.create(folder, painting, request)
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self.trainings[folder.name] = self.current = training
            self._saves.clear()
            training.start()

    def go_on(self, steps: int) -> None:
        """Make the steps that are missing, or so many more."""
        with self._one_at_a_time:
            self._refuse_a_second()
            if not self.current or steps < 1:
                raise ValueError(NOTHING_TO_GO_ON)
            self._saves.clear()
            self.current.go_on(steps)

    def stop(self) -> None:
        """It saves, and ends."""
        if self.current:
            self.current.stop()

    def load(self, file: dict[str, Any]) -> None:
        """Take in a checkpoint that was learned elsewhere.

        Raises:
            ValueError: it is none.
            OSError: the disk is full.
        """
        path = Path(uploaded_file(file).path)
        painting = load_painting(path)
        if painting.variant not in VARIANTS:
            raise ValueError("This checkpoint holds none of the page’s networks.")
        with self._one_at_a_time:
            folder = self._new_folder(painting.title + ".png")
            request = TrainingRequest(readable(painting.title), painting.variant, 0)
            try:
                folder.mkdir(parents=True)
                shutil.copyfile(path, folder / f"{painting.variant}.safetensors")
                self.trainings[folder.name] = Training.create(folder, None, request)
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)
                raise

    def _refuse_a_second(self) -> None:
        if self.current and self.current.is_running:
            raise ValueError(RUNS_ALREADY)

    def _new_folder(self, title: str) -> Path:
        """One of a name that neither a network nor another painting has."""
        stem = name = safe_stem(title)
        number = 1
        while name in (ORIGINAL, *self.stylizer.networks) or (self.folder / name).exists():
            number += 1
            name = f"{stem}-{number}"
        return self.folder / name

    def _take_in(self) -> None:
        """The page gets each network that has been learned, when its training has ended."""
        with self._one_at_a_time:
            for name, training in self.trainings.items():
                version = training.version
                if version in (0, self._learned.get(name)) or training.is_running:
                    continue
                with contextlib.suppress(ValueError):  # a damaged file is no network
                    painting = load_painting(training.checkpoint)
                    self.stylizer.add(name, painting)
                    self.device_files.add(name, painting.network)
                    self._learned[name] = version

    def _state(self, request: Request) -> Response:
        self._take_in()
        paintings = [
            {
                "name": name,
                "title": self.trainings[name].request.title,
                "words": texts.after(self.stylizer.paintings[name]),
                "address": self.device_files.addresses[name],
                "weights": str(self.trainings[name].checkpoint),
            }
            for name in self._learned
        ]
        vgg = 1.0 if os.environ.get(VGG_WEIGHTS) else downloaded()  # how much of it is here
        state = {"training": self._training(), "paintings": paintings, "download": vgg}
        return JSONResponse(state, headers={"Cache-Control": "no-store"})

    def _training(self) -> dict[str, Any] | None:
        training = self.current
        if not training:
            return None
        rows, version, request = training.rows(), training.version, training.request
        step = int(rows[-1]["step"]) if rows else 0
        running = training.is_running
        return {
            "name": training.folder.name,
            "title": request.title,
            "network": request.network,
            "steps": request.steps,
            "step": step,
            "running": running,
            "error": training.error(),
            "curve": curve(rows),
            "seconds_left": self._seconds_left(version, step, request.steps) if running else None,
            "version": version,
        }

    def _seconds_left(self, version: int, step: int, steps: int) -> float | None:
        """By the wall clock, over the last saves that somebody has seen; None: not known yet."""
        saves = self._saves
        if version and (not saves or saves[-1][0] != version):
            saves.append((version, step))
        if len(saves) < 2 or saves[-1][1] <= saves[0][1]:
            return None
        (first, first_step), (last, last_step) = saves[0], saves[-1]
        return (steps - step) * (last - first) / (last_step - first_step) / 1000

    def _answer_pace(self, request: Request) -> Response:
        """Measured once for each network, while nothing is being learned."""
        network = request.query_params.get("network", "")
        with self._measuring:
            idle = not (self.current and self.current.is_running)
            if network in VARIANTS and network not in self._pace and idle:
                measuring = start_quietly(
                    ["-m", "nst.training.pace", network],
                    {"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
                    stdout=subprocess.PIPE,
                )
                with contextlib.suppress(ValueError):  # it failed, and has said why
                    self._pace[network] = float(measuring.communicate()[0])
        return JSONResponse({"seconds": self._pace.get(network)})

    def _picture(self, request: Request) -> Response:
        """By the weights saved last, or by those that the training begins with."""
        training, key = self.current, request.query_params.get("photo", "")
        if not training:
            return Response(status_code=404)
        path = training.checkpoint
        if not path.exists():
            path = CHECKPOINTS / f"{training.request.network}.safetensors"
        try:
            network, _ = load_checkpoint(path)
            photo = self._read_photo(key)
        except ValueError:
            return Response(status_code=404)
        with self.stylizer.lock.turn(Priority.PREPARING):
            picture, _ = stylize(EagerEngine(network), photo)
        content = encode_pil_to_bytes(picture, "png")
        return Response(content, media_type="image/png", headers={"Cache-Control": "no-store"})

    def _read_photo(self, key: str) -> Image.Image:
        """An example or an upload, as Compare shows it."""
        if not self._photo or self._photo[0] != key:
            if key in self.stylizer.examples:
                photo = self.stylizer.example(key, FIRST_SIDE)
            else:
                path = uploaded_file({"path": key}).path
                photo = on_white(read_upload(path, FIRST_SIDE).picture)
            self._photo = key, photo
        return self._photo[1]

    def _file(self, request: Request) -> Response:
        training = self.trainings.get(request.path_params["name"])
        kind = request.path_params["kind"]
        if training and kind == "painting" and training.painting.exists():
            return FileResponse(training.painting, headers={"Cache-Control": "no-store"})
        if training and kind == "checkpoint" and training.version:
            name = f"{training.folder.name}-{training.request.network}.safetensors"
            return FileResponse(training.checkpoint, filename=name)
        return Response(status_code=404)
