"""Who may be live: one at a time, for a while, as long as they send and read."""

from __future__ import annotations

import asyncio
import socket
import time
from urllib.parse import urlsplit

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from nst.web.live import socket as module
from nst.web.live.socket import MAX_OF_A_CLIENT, MAX_WAITING, ROUTE, Live
from nst.web.server import serving
from nst.web.server.priority_lock import PriorityLock
from tests.helpers import encoded, run_in_thread
from tests.web import made
from tests.web.live import HERE, Visitors, frame, said

PATIENCE = 20  # s, of a client
RAW_HEADERS = [(b"host", b"testserver"), (b"origin", b"http://testserver")]


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
        async with asyncio.timeout(60):
            await live.visit(WebSocket(scope, visitor.receive, visitor.send))
        assert [message["type"] for message in visitor.said] == [
            "websocket.accept",
            *2 * ["websocket.send"],  # go, and a result
            "websocket.send",  # why it is over
            "websocket.close",
        ]
        assert module.UNREAD in visitor.said[-2]["text"]
        wait_for_the_seat(live)
        assert not live._here

    run_in_thread(scenario())


def wait_for_the_seat(live: Live) -> None:
    """The server hears a moment later that somebody has left."""
    end = time.monotonic() + 3 * PATIENCE  # two sends may end by their own limits first
    while live._seat.locked():
        assert time.monotonic() < end
        time.sleep(0.01)


def connect_narrowly(url: str) -> ClientConnection:
    """A visit whose system takes little that it does not read: ten megabytes otherwise."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    address = urlsplit(url)
    narrow.connect((address.hostname, address.port))
    return connect(url.replace("http", "ws") + ROUTE, sock=narrow, origin=url, max_queue=1)


def send_without_end(visit: ClientConnection, sent: bytes) -> None:
    while True:
        visit.send(sent)


def test_who_never_reads_is_cut_off_by_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "UNREAD_SECONDS", 0.2)
    live = Live({"copy": lambda photo: photo}, PriorityLock())
    jpeg = encoded(Image.effect_noise((640, 640), 100), "JPEG", quality=80)
    sent = frame(first=0, jpeg=jpeg)
    with made.serving(Starlette(routes=[live.route()])) as url:
        with connect_narrowly(url) as visit:
            assert "go" in visit.recv(timeout=PATIENCE)
            visit.socket.settimeout(PATIENCE)  # it would wait for ever where nobody cuts it off
            with pytest.raises((ConnectionClosed, ConnectionError)):
                send_without_end(visit, sent)
        wait_for_the_seat(live)


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
