"""What is sent has a largest size, comes within a time, and leaves nothing where it breaks off."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from nst.pictures.reading import MAX_BYTES
from nst.web.server import request_filter, serving
from nst.web.server.request_filter import MAX_JSON, UPLOADS_AT_ONCE
from nst.web.server.temporary_files import SMALLEST, make_room
from tests.web.conftest import Idle

JSON = "Content-Type: application/json"
FORM = "Content-Type: multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
END = b"\r\n--x--\r\n"
PATIENCE = 20  # s, of the client; longer than anything here takes


class Raw:
    """A connection on which anything can be said, and as little as one likes."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.host = address.netloc
        self.socket = socket.create_connection((address.hostname, address.port), PATIENCE)

    def head(self, path: str, *headers: str, method: str = "POST") -> None:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())

    def status(self) -> int:
        return int(self.socket.recv(65536).split(b" ")[1])

    def chunk(self, data: bytes) -> None:
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))


@pytest.fixture
def raw(idle: Idle) -> Iterator[Raw]:
    raw = Raw(idle.url)
    yield raw
    raw.socket.close()


def uploads(idle: Idle) -> set[Path]:
    return {path for path in idle.store.folder.rglob("*") if path.is_file()}


def upload(idle: Idle, *sizes: int, **headers: str) -> httpx.Response:
    files = [("files", (f"{number}.png", os.urandom(size))) for number, size in enumerate(sizes)]
    return httpx.post(f"{idle.url}/gradio_api/upload", files=files, headers=headers, timeout=60)


@pytest.mark.parametrize("route", ["cancel", "queue/join", "run/predict", "call/stylize", "reset"])
def test_a_large_body_is_refused_before_it_comes(raw: Raw, route: str) -> None:
    raw.head(f"/gradio_api/{route}", JSON, f"Content-Length: {10**7}")
    raw.socket.sendall(b"[],")
    assert raw.status() == 413


def test_a_large_body_that_does_not_say_so_is_not_read_whole(raw: Raw) -> None:
    raw.head("/gradio_api/cancel", JSON, "Transfer-Encoding: chunked")
    for _ in range(MAX_JSON // 10_000 + 1):
        raw.chunk(b"[]," + b" " * 9_997)
    assert raw.status() == 413  # and it has no end


@pytest.mark.parametrize("length", ["-1", "1e9", "1, 2", "x"])
def test_lengths_are_numbers(raw: Raw, length: str) -> None:
    raw.head("/gradio_api/cancel", JSON, f"Content-Length: {length}")
    assert raw.status() in (400, 413)


def test_bodies_that_are_not_too_large_come_through(idle: Idle) -> None:
    sent = {"session_hash": "x", "fn_index": 0, "event_id": "x" * (MAX_JSON - 100)}
    answer = httpx.post(f"{idle.url}/gradio_api/cancel", json=sent)
    assert answer.json() == {"success": True}


def test_what_is_malformed_is_not_repeated(idle: Idle) -> None:
    """To repeat it took FastAPI a second for each 50 kB."""
    for sent in ([[]] * (MAX_JSON // 5), {"data": {"a": 1}}, {}):
        answer = httpx.post(f"{idle.url}/gradio_api/call/stylize", json=sent)
        assert answer.status_code == 422
        assert answer.json() == {"detail": "This is not what can be asked for here."}


@pytest.mark.parametrize("begun", [b"", b"G", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: "])
def test_half_a_head_ends(idle: Idle, monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(serving, "SECONDS", 0.2)
    raw = Raw(idle.url)
    raw.socket.sendall(begun)
    assert raw.socket.recv(1) == b""


def test_half_a_second_head_ends(idle: Idle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SECONDS", 0.2)
    raw = Raw(idle.url)
    raw.head("/robots.txt", method="GET")
    assert raw.status() == 200
    raw.socket.sendall(b"GET /")
    while raw.socket.recv(65536):
        pass


def test_what_is_refused_and_sent_on_ends(idle: Idle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SECONDS", 0.2)
    raw = Raw(idle.url)
    raw.head("/gradio_api/cancel", JSON, f"Content-Length: {10**7}")
    raw.socket.sendall(b"[")
    assert raw.status() == 413
    while raw.socket.recv(65536):
        pass


def test_what_nobody_takes_ends(idle: Idle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "UNREAD_SECONDS", 0.2)
    (path,) = upload(idle, 30_000_000).json()  # more than the system's buffers hold
    raw = Raw(idle.url)
    raw.head(f"/gradio_api/file={path}", method="GET")
    with pytest.raises(ConnectionError):
        knock(raw)


def knock(raw: Raw) -> None:
    """Until somebody hangs up."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        raw.socket.sendall(b"\r\n")
        time.sleep(0.05)


def test_half_a_body_ends(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_filter, "SECONDS", 0.2)
    raw.head("/gradio_api/cancel", JSON, "Content-Length: 100")
    raw.socket.sendall(b"{")
    assert raw.status() == 408


def test_half_an_upload_ends_and_is_deleted(
    idle: Idle, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_filter, "SECONDS", 0.2)
    before = uploads(idle)
    raw.head("/gradio_api/upload", FORM, "Content-Length: 1000000")
    raw.socket.sendall(FILE + bytes(100_000))
    assert raw.status() == 400
    assert uploads(idle) == before


def test_an_upload_that_breaks_off_is_deleted_at_once(idle: Idle, raw: Raw) -> None:
    before = uploads(idle)
    raw.head("/gradio_api/upload", FORM, "Content-Length: 1000000")
    raw.socket.sendall(FILE + bytes(100_000))
    while uploads(idle) == before:
        time.sleep(0.01)
    raw.socket.close()
    deadline = time.monotonic() + PATIENCE
    while uploads(idle) != before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_many_files_in_one_request_are_no_more_than_one(idle: Idle) -> None:
    assert upload(idle, 1000, 1000).status_code == 200
    before = uploads(idle)
    assert upload(idle, *6 * [MAX_BYTES // 5]).status_code == 413
    assert uploads(idle) == before


def test_a_request_does_not_understate_its_files(idle: Idle, raw: Raw) -> None:
    before = uploads(idle)
    raw.head("/gradio_api/upload", FORM, "Transfer-Encoding: chunked")
    raw.chunk(FILE)
    part = bytes(5_000_000)
    for _ in range(MAX_BYTES // len(part)):
        raw.chunk(part)
        raw.chunk(END.removesuffix(b"--\r\n") + b"\r\n" + FILE.removeprefix(b"--x\r\n"))
    raw.chunk(bytes(request_filter.AROUND_A_FILE))
    assert raw.status() == 413
    assert uploads(idle) == before


def test_uploads_that_stand_still_leave_room_for_others(idle: Idle) -> None:
    standing = [Raw(idle.url) for _ in range(UPLOADS_AT_ONCE.of_a_client)]
    before = uploads(idle)
    for raw in standing:
        raw.head(
            "/gradio_api/upload", FORM, "Content-Length: 1000", "X-Forwarded-For: 203.0.113.60"
        )
        raw.socket.sendall(FILE + b"a")
    while len(uploads(idle) - before) < len(standing):
        time.sleep(0.01)
    assert upload(idle, 10, **{"x-forwarded-for": "203.0.113.60"}).status_code == 429
    assert upload(idle, 10, **{"x-forwarded-for": "203.0.113.61"}).status_code == 200
    for raw in standing:
        raw.socket.close()


def test_the_oldest_go_when_there_is_too_much(tmp_path: Path) -> None:
    paths = [tmp_path / str(number) / "photo.png" for number in range(4)]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        path.write_bytes(bytes(10_000))
        os.utime(path, (number, number))
    make_room(tmp_path, [str(paths[0])], 20_000)
    assert [path.exists() for path in paths] == [True, False, True, True]
    make_room(tmp_path, [str(paths[0])], 19_999)
    assert [path.exists() for path in paths] == [True, False, False, True]


def test_the_smallest_file_takes_its_place_on_the_disk(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / str(number)).touch()
    make_room(tmp_path, [], 5 * SMALLEST)
    assert len(list(tmp_path.iterdir())) == 5
