"""Many people at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio as gr
import httpx
import pytest
import torch
from gradio_client import Client, handle_file
from PIL import Image

from app import MAX_WAITING, build_demo
from nst.checkpoint import load_networks
from nst.inference.engines import build_engines
from nst.inference.picture import stylize
from nst.models import VARIANTS
from nst.pictures.examples import LAMPS
from nst.web.page.stylizer import Stylizer
from nst.web.server.store import PictureStore
from tests.helpers import random_picture

VISITORS = 16


def test_sixteen_visitors_at_once_get_their_own_pictures(url: str, tmp_path: Path) -> None:
    photos = [random_picture(60 + number, 44, seed=number) for number in range(VISITORS)]
    for number, photo in enumerate(photos):
        photo.save(tmp_path / f"{number}.png")
    all_are_here = threading.Barrier(VISITORS)

    def visit(number: int) -> dict[str, bytes]:
        client = Client(url, verbose=False, download_files=tmp_path / f"downloads {number}")
        sent = handle_file(tmp_path / f"{number}.png")
        all_are_here.wait(timeout=120)
        answer = client.submit(sent, 256, engine="eager", api_name="/stylize").result(timeout=300)
        return {name: rgb(path) for name, path in answer["files"].items()}

    with ThreadPoolExecutor(VISITORS) as pool:
        got = list(pool.map(visit, range(VISITORS)))
    networks = build_engines(load_networks(), "eager")
    for photo, pictures in zip(photos, got, strict=True):
        expected = {"original": photo.tobytes()}
        for name, network in networks.items():
            expected[name] = stylize(network, photo).picture.tobytes()
        assert pictures == expected


def rgb(path: str) -> bytes:
    with Image.open(path) as picture:
        return picture.convert("RGB").tobytes()


class Gate:
    """In a network's place: waits, and counts how many run at once."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()
        self.running = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.entered.set()
        assert self.open.wait(timeout=120)
        with self._lock:
            self.running -= 1
        return photo


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def busy(gate: Gate) -> Iterator[gr.Blocks]:
    """A page whose networks wait at the gate."""
    gate.open.set()  # the page's own example passes
    engines = {"eager": dict.fromkeys(VARIANTS, gate)}
    demo = build_demo(Stylizer(load_networks(), engines, PictureStore(), {"lamps": LAMPS}))
    gate.open.clear()
    gate.entered.clear()
    demo.queue(max_size=2, api_open=False).launch(prevent_thread_lock=True, quiet=True)
    yield demo
    gate.open.set()
    demo.close()


def test_a_full_queue_says_so_and_one_network_runs_at_a_time(
    busy: gr.Blocks, gate: Gate, tmp_path: Path
) -> None:
    random_picture(40, 30).save(tmp_path / "photo.png")
    clients = [
        Client(busy.local_url, verbose=False, download_files=tmp_path / f"{number}")
        for number in range(5)
    ]

    def submit(client: Client) -> object:
        photo = handle_file(tmp_path / "photo.png")
        return client.submit(photo, 256, ["v3"], api_name="/stylize")

    jobs = [submit(clients[0])]
    assert gate.entered.wait(timeout=60)  # the first one runs
    jobs += [submit(client) for client in clients[1:3]]
    wait_until_waiting(busy, 2)
    with pytest.raises(Exception, match="Queue is full"):
        submit(clients[3]).result(timeout=60)
    refused = httpx.post(f"{busy.local_url}gradio_api/call/measure", json={"data": [256, "eager"]})
    assert refused.status_code == 503
    assert "Queue is full" in refused.text
    gate.open.set()
    for job in jobs:
        assert "v3" in job.result(timeout=60)["files"]
    assert gate.most == 1
    assert submit(clients[4]).result(timeout=60)["files"]  # there is room again


def wait_until_waiting(demo: gr.Blocks, count: int) -> None:
    for _ in range(600):
        if len(demo._queue) >= count:
            return
        threading.Event().wait(0.1)
    raise AssertionError(f"{len(demo._queue)} wait, not {count}")


def test_the_pages_own_queue_is_bounded() -> None:
    assert VISITORS <= MAX_WAITING <= 64
