"""Many people at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import torch
from gradio_client import Client, handle_file
from PIL import Image

import app
from app import MAX_WAITING, build_application
from nst.checkpoint import load_networks
from nst.inference.engines import build_engines
from nst.inference.picture import stylize
from nst.models import VARIANTS
from nst.pictures.examples import LAMPS
from nst.web.page.stylizer import Stylizer
from nst.web.server import queue_limits
from nst.web.server.clients import Places
from nst.web.server.queue_limits import MAX_UNREAD, LimitedQueue, Messages
from nst.web.server.store import PictureStore
from tests.helpers import random_picture
from tests.web.made import serving

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


class Busy(NamedTuple):
    """A page whose networks wait at the gate."""

    url: str
    queue: LimitedQueue

    def wait_until_waiting(self, count: int) -> None:
        for _ in range(600):
            if len(self.queue) >= count:
                return
            threading.Event().wait(0.1)
        raise AssertionError(f"{len(self.queue)} wait, not {count}")


@pytest.fixture
def busy(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Busy]:
    """Two places, one for each client."""
    monkeypatch.setattr(app, "PLACES", {"networks": Places(of_all=2, of_a_client=1)})
    for name in ("MEASURING", "PROGRAMS"):  # what tests ask for waits, too
        monkeypatch.setattr(app, name, app.ONE_AT_A_TIME)
    gate.open.set()  # the page's own example passes
    engines = {"eager": dict.fromkeys(VARIANTS, gate)}
    painter = Stylizer(load_networks(), engines, PictureStore(), {"lamps": LAMPS})
    application = build_application(painter)
    gate.open.clear()
    gate.entered.clear()
    (mounted,) = application.routes
    with serving(application) as url:
        yield Busy(url, mounted.app.get_blocks()._queue)
        gate.open.set()


def test_a_full_queue_says_so_and_one_network_runs_at_a_time(
    busy: Busy, gate: Gate, tmp_path: Path
) -> None:
    random_picture(40, 30).save(tmp_path / "photo.png")
    clients = [
        Client(busy.url, verbose=False, download_files=tmp_path / f"{number}")
        for number in range(5)
    ]

    def submit(client: Client) -> object:
        photo = handle_file(tmp_path / "photo.png")
        return client.submit(photo, 256, ["v3"], api_name="/stylize")

    jobs = [submit(clients[0])]
    assert gate.entered.wait(timeout=60)  # the first one runs
    jobs += [submit(client) for client in clients[1:3]]
    busy.wait_until_waiting(2)
    with pytest.raises(Exception, match="Queue is full"):
        submit(clients[3]).result(timeout=60)
    refused = httpx.post(f"{busy.url}/gradio_api/call/measure", json={"data": [256, "eager"]})
    assert refused.status_code == 503
    assert "Queue is full" in refused.text
    gate.open.set()
    for job in jobs:
        assert "v3" in job.result(timeout=60)["files"]
    assert gate.most == 1
    assert submit(clients[4]).result(timeout=60)["files"]  # there is room again


def ask(busy: Busy, client: str = "", name: str = "measure", *data: object) -> httpx.Response:
    """A job that nobody listens to, for a client behind a proxy on this machine."""
    headers = {"x-forwarded-for": client} if client else {}
    sent = {"data": list(data) or [64, "eager"]}
    return httpx.post(f"{busy.url}/gradio_api/call/{name}", json=sent, headers=headers)


@pytest.fixture
def working(busy: Busy, gate: Gate) -> Busy:
    """The same, while a network is at work."""
    assert ask(busy).status_code == 200
    assert gate.entered.wait(timeout=60)
    return busy


def test_nobody_takes_all_places(working: Busy) -> None:
    assert ask(working, "203.0.113.7").status_code == 200
    again = ask(working, "203.0.113.7")
    assert again.status_code == 503
    assert "of your address" in again.text
    assert ask(working, "203.0.113.8").status_code == 200


def test_one_ipv6_visitor_is_one_client(working: Busy) -> None:
    assert ask(working, "2001:db8::1").status_code == 200
    assert ask(working, "2001:db8::2").status_code == 503
    assert ask(working, "2001:db8:0:1::2").status_code == 200


def test_who_looks_does_not_wait_for_networks(working: Busy) -> None:
    for client in ("203.0.113.7", "203.0.113.8"):
        assert ask(working, client).status_code == 200
    assert ask(working, "203.0.113.9").status_code == 503
    looked = ask(working, "203.0.113.9", "mix", {"number": 1}, None)
    assert looked.status_code == 200
    answer = httpx.get(f"{working.url}/gradio_api/call/mix/{looked.json()['event_id']}", timeout=60)
    assert "no longer kept" in answer.text  # the handler has answered


def test_jobs_that_nobody_listens_to_are_dropped(
    working: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(working, "203.0.113.7").status_code == 200
    working.wait_until_waiting(1)
    monkeypatch.setattr(queue_limits, "READING", 0)
    for messages in working.queue.pending_messages_per_session.values():
        messages.expect_reader()
    assert ask(working, "203.0.113.8").status_code == 200
    while len(working.queue):
        threading.Event().wait(0.01)
    assert working.queue.pending_messages_per_session == {}
    (running,) = (event for job in working.queue.active_jobs if job for event in job)
    assert not running.alive  # and ends after its next result


def test_what_nobody_reads_is_bounded() -> None:
    messages = Messages()
    for number in range(3 * MAX_UNREAD):
        messages.put_nowait(number)
    assert messages.qsize() == MAX_UNREAD
    assert messages.get_nowait() == 2 * MAX_UNREAD


def test_the_pages_own_queue_is_bounded() -> None:
    assert VISITORS <= MAX_WAITING <= 64
