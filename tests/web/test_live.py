"""The camera's frames over a WebSocket: who may send them, what comes back, and what does not."""

from __future__ import annotations

import io
import threading

import pytest
import torch
from PIL import Image
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nst.web.live import socket as module
from nst.web.live.socket import FRAME, MAX_BYTES, NO_NETWORK, RESULT, ROUTE
from nst.web.server.priority_lock import Priority
from tests.helpers import encoded, random_picture
from tests.web.live import Visitors, frame, picture_in, said


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
