"""The camera's frames over a WebSocket: who may send them, what comes back, and what does not."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from nst.web.live import socket as module
from nst.web.live.socket import (
    FRAME,
    MAX_BYTES,
    MAX_OF_A_CLIENT,
    MAX_WAITING,
    NO_NETWORK,
    RESULT,
    ROUTE,
    Live,
)
from nst.web.server import serving
from nst.web.server.priority_lock import Priority, PriorityLock
from tests.helpers import encoded, random_picture, run_in_thread
from tests.web import made

HERE = {"origin": "http://testserver"}  # the name of the test client's server
PATIENCE = 20  # s, of a client
RAW_HEADERS = [(b"host", b"testserver"), (b"origin", b"http://testserver")]


class Visitors(TestClient):
    """Everybody who comes to a server where one network copies and the other makes a negative."""

    def __init__(self, *networks: object) -> None:
        self.lock = PriorityLock()
        engines = dict(enumerate(networks or (lambda photo: photo, lambda photo: 1 - photo)))
        super().__init__(Starlette(routes=[Live(engines, self.lock).route()]))

    def visit(self, headers: dict[str, str] = HERE) -> AbstractContextManager[WebSocketTestSession]:
        return self.websocket_connect(ROUTE, headers=headers)


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    with Visitors() as visitors:
        yield visitors


def frame(number: int = 7, first: int = 1, second: int = NO_NETWORK, jpeg: bytes = b"") -> bytes:
    jpeg = jpeg or encoded(random_picture(48, 36), "JPEG")
    return FRAME.pack(number, first, second) + jpeg


def said(visit: WebSocketTestSession) -> dict[str, str]:
    return visit.receive_json()


def picture_in(result: bytes) -> np.ndarray:
    """(H, W, 3), 0–255."""
    with Image.open(io.BytesIO(result[RESULT.size :]), formats=["JPEG"]) as picture:
        return np.asarray(picture, dtype=float)


def test_a_frame_comes_back_as_each_network_paints_it(visitors: Visitors) -> None:
    sent = Image.open(io.BytesIO(frame()[FRAME.size :]))
    negative = Image.eval(sent, lambda value: 255 - value)
    painted = [encoded(picture, "JPEG", quality=module.QUALITY) for picture in (sent, negative)]
    with visitors.visit() as visit:
        assert "go" in said(visit)
        for number, networks in ((2**32 - 1, (1, 0)), (0, (0, NO_NETWORK))):
            visit.send_bytes(frame(number, *networks))
            for position in (wanted for wanted in networks if wanted != NO_NETWORK):
                result = visit.receive_bytes()
                assert RESULT.unpack_from(result)[:2] == (number, position)
                assert all(0 <= time < 10_000 for time in RESULT.unpack_from(result)[2:])
                assert result[RESULT.size :] == painted[position]


def test_grey_frames_are_frames_too(visitors: Visitors) -> None:
    with visitors.visit() as visit:
        said(visit)
        visit.send_bytes(frame(jpeg=encoded(random_picture(40, 30).convert("L"), "JPEG")))
        assert picture_in(visit.receive_bytes()).shape == (30, 40, 3)


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "null"}, {"origin": "http://["}, {"origin": "https://elsewhere.example"}],
)
def test_pages_of_other_sites_are_refused(visitors: Visitors, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDisconnect), visitors.visit(headers):
        pass


def test_a_proxy_may_say_what_the_page_is_called(
    visitors: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = {"origin": "https://demo.example"}
    with visitors.visit({**page, "x-forwarded-host": "demo.example, 10.0.0.1"}) as visit:
        assert "go" in said(visit)
    monkeypatch.setenv("GRADIO_ROOT_PATH", "https://demo.example/painter")
    with visitors.visit(page) as visit:
        assert "go" in said(visit)


BAD = {
    "nothing": b"",
    "no picture": FRAME.pack(1, 0, 1),
    "no network": frame(first=NO_NETWORK),
    "unknown network": frame(first=2),
    "no JPEG": frame(jpeg=b"\xff\xd8\xff" + bytes(99)),
    "PNG": frame(jpeg=encoded(random_picture(48, 36))),
    "half": frame(jpeg=encoded(random_picture(48, 36), "JPEG")[:300]),
    "too large": frame(jpeg=encoded(random_picture(641, 36), "JPEG")),
    "too small": frame(jpeg=encoded(random_picture(15, 36), "JPEG")),
    "many scans": frame(jpeg=encoded(random_picture(48, 36), "JPEG", progressive=True)),
    "many bytes": frame(jpeg=encoded(random_picture(48, 36), "JPEG") + bytes(MAX_BYTES)),
}


@pytest.mark.parametrize("sent", BAD.values(), ids=BAD)
def test_anything_else_than_a_frame_ends_the_visit(visitors: Visitors, sent: bytes) -> None:
    with visitors.visit() as visit:
        said(visit)
        visit.send_bytes(sent)
        assert said(visit) == {"end": module.BAD_FRAME}
        with pytest.raises(WebSocketDisconnect):
            visit.receive_bytes()
    with visitors.visit() as other:
        assert "go" in said(other)


def test_words_are_no_frame(visitors: Visitors) -> None:
    with visitors.visit() as visit:
        said(visit)
        visit.send_text("hello")
        assert said(visit) == {"end": module.BAD_FRAME}


def test_one_is_live_and_the_next_gets_in_when_the_first_leaves(visitors: Visitors) -> None:
    with visitors.visit() as first:
        assert "go" in said(first)
        with visitors.visit() as second, visitors.visit() as third:
            assert said(second) == {"wait": module.WAIT}
            assert said(third) == {"wait": module.WAIT_LONGER}
            third.close()  # does not wait any longer
            first.send_bytes(frame())
            assert first.receive_bytes()
            first.close()
            assert "go" in said(second)
            second.send_bytes(frame())
            assert second.receive_bytes()
    with visitors.visit() as fourth:
        assert "go" in said(fourth)


def test_who_waits_sends_nothing(visitors: Visitors) -> None:
    with visitors.visit() as first:
        said(first)
        with visitors.visit() as second:
            said(second)
            second.send_bytes(frame())
            assert said(second) == {"end": module.BAD_FRAME}
        first.send_bytes(frame())
        assert first.receive_bytes()


def test_a_few_may_wait(visitors: Visitors) -> None:
    visits = [visitors.visit() for _ in range(2 + MAX_WAITING)]
    sentences = [said(visit.__enter__()) for visit in visits]
    assert [next(iter(sentence)) for sentence in sentences] == [
        "go",
        *MAX_WAITING * ["wait"],
        "end",
    ]
    assert sentences[-1]["end"] == module.FULL
    for visit in reversed(visits):
        visit.__exit__(None, None, None)


def test_who_shows_nothing_has_to_leave(
    visitors: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_SILENCE", 0.02)
    with visitors.visit() as visit:
        said(visit)
        assert said(visit) == {"end": module.SILENT}


def test_nobody_stays_for_ever_while_others_wait(
    visitors: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_TURN", 0)
    with visitors.visit() as first:
        said(first)
        for _ in range(2):  # nobody waits
            first.send_bytes(frame())
            assert first.receive_bytes()
        with visitors.visit() as second:
            assert "wait" in said(second)
            first.send_bytes(frame())
            assert first.receive_bytes()
            assert said(first) == {"end": module.TIME_IS_UP}
            assert "go" in said(second)


class Unread:
    """A visitor who sends a frame and then reads nothing, by the words of ASGI."""

    def __init__(self) -> None:
        self.said: list[dict] = []
        self.messages = iter(
            [{"type": "websocket.connect"}, {"type": "websocket.receive", "bytes": frame(first=0)}]
        )
        self.may_send = asyncio.Event()

    async def receive(self) -> dict:
        if self.said:
            await self.may_send.wait()
        message = next(self.messages, None)
        return message or await asyncio.Future()

    async def send(self, message: dict) -> None:
        self.said.append(message)
        if message.get("text"):
            self.may_send.set()
        if message.get("bytes"):
            await asyncio.Future()


def test_who_reads_nothing_leaves_the_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_SEND", 0.05)
    live = Live({"copy": lambda photo: photo}, PriorityLock())

    async def scenario() -> None:
        visitor = Unread()
        scope = {"type": "websocket", "path": ROUTE, "headers": RAW_HEADERS}
        socket = WebSocket(scope, visitor.receive, visitor.send)
        async with asyncio.timeout(60):
            await live.visit(socket)
        assert [message["type"] for message in visitor.said] == [
            "websocket.accept",
            *2 * ["websocket.send"],  # go, and a result
            "websocket.send",  # why it is over
            "websocket.close",
        ]
        assert module.UNREAD in visitor.said[-2]["text"]
        expected = time.monotonic() + 3 * PATIENCE  # two sends may end by their own limits first
        while live._seat.locked():  # the server hears of it a moment later
            assert time.monotonic() < expected
            time.sleep(0.01)
        assert not live._here

    run_in_thread(scenario())


def send_without_end(visit: ClientConnection, sent: bytes) -> None:
    while True:
        visit.send(sent)


def test_who_never_reads_is_cut_off_by_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "UNREAD_SECONDS", 0.2)
    live = Live({"copy": lambda photo: photo}, PriorityLock())
    jpeg = encoded(Image.effect_noise((640, 640), 100), "JPEG", quality=80)
    sent = frame(first=0, jpeg=jpeg)
    with made.serving(Starlette(routes=[live.route()])) as url:
        address = url.replace("http", "ws") + ROUTE
        with connect(address, origin=url, max_queue=1) as visit:
            assert "go" in visit.recv(timeout=PATIENCE)
            visit.socket.settimeout(PATIENCE)  # it would wait for ever where nobody cuts it off
            with pytest.raises((ConnectionClosed, ConnectionError)):
                send_without_end(visit, sent)
        assert not live._seat.locked()


def test_one_address_has_few_places() -> None:
    """However many come from there, others are next but one."""
    networks = [lambda photo: photo]
    with Visitors(*networks) as visitors:
        one = TestClient(visitors.app, client=("203.0.113.7", 1))
        one.portal = visitors.portal
        visits = [one.websocket_connect(ROUTE, headers=HERE) for _ in range(MAX_OF_A_CLIENT + 2)]
        sentences = [said(visit.__enter__()) for visit in visits]
        assert [next(iter(sentence)) for sentence in sentences] == ["go", "wait", "end", "end"]
        assert sentences[-1]["end"] == module.TWICE
        other = TestClient(visitors.app, client=("203.0.113.8", 1))
        other.portal = visitors.portal
        with other.websocket_connect(ROUTE, headers=HERE) as visit:
            assert "wait" in said(visit)
        for visit in reversed(visits):
            visit.__exit__(None, None, None)
        with one.websocket_connect(ROUTE, headers=HERE) as visit:
            assert "go" in said(visit)


def test_pictures_go_before_frames(visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSED_AFTER", 0.02)
    with visitors.visit() as visit:
        said(visit)
        with visitors.lock.wanted(Priority.VISITOR):
            visit.send_bytes(frame())
            assert said(visit) == {"pause": module.PAUSE}
        assert picture_in(visit.receive_bytes()).shape == (36, 48, 3)


def test_a_failing_network_is_answered_in_words() -> None:
    def failing(photo: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("/secret/path.cpp: out of memory")

    with Visitors(failing) as visitors, visitors.visit() as visit:
        said(visit)
        visit.send_bytes(frame(first=0))
        assert said(visit) == {"end": module.FAILED}
        assert not visitors.lock.is_behind(Priority.PREPARING)


def test_one_frame_is_painted_at_a_time_and_the_next_waits() -> None:
    opened, running = threading.Event(), []

    def slow(photo: torch.Tensor) -> torch.Tensor:
        running.append(photo)
        assert opened.wait(timeout=60)
        return photo

    with Visitors(slow) as visitors, visitors.visit() as visit:
        said(visit)
        for number in range(5):
            visit.send_bytes(frame(number, first=0))
        while not running:
            opened.wait(0.005)
        assert len(running) == 1
        opened.set()
        results = [RESULT.unpack_from(visit.receive_bytes()) for _ in range(5)]
        assert [number for number, *_ in results] == list(range(5))


def test_the_pages_own_server_takes_frames_and_no_large_messages(url: str) -> None:
    address = url.replace("http", "ws") + ROUTE
    with connect(address, origin=url, compression="deflate") as visit:
        assert visit.protocol.extensions == []  # JPEG is compressed already
        assert "go" in visit.recv(timeout=60)
        visit.send(frame(first=4))
        answer = visit.recv(timeout=60)
        while isinstance(answer, str):  # an example is being painted
            answer = visit.recv(timeout=60)
        assert picture_in(answer).shape == (36, 48, 3)
        visit.send(bytes(2 * MAX_BYTES))
        with pytest.raises(ConnectionClosed) as refused:
            visit.recv(timeout=60)
        assert refused.value.rcvd.code == 1009  # too big
