"""One visitor who wants the page for themselves, for `tests.load`: on this machine, for a time."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from nst.web.live.socket import FRAME, NO_NETWORK, ROUTE
from nst.web.server.request_filter import MAX_JSON
from tests.helpers import ROOT, encoded, random_picture

ADDRESS = {"x-forwarded-for": "203.0.113.66"}  # as a proxy on this machine tells it
PAUSE = 0.05  # s, between two of one kind
PATIENCE = 5  # s, for an answer
LONGEST = 600  # s

Attack = Callable[[str], object]


def large_body(url: str) -> None:
    """10 MB of empty lists."""
    post(f"{url}/gradio_api/cancel", content=b"[" + b"[]," * 3_300_000 + b"[]]")


def full_body(url: str) -> None:
    """As much as is allowed."""
    post(f"{url}/gradio_api/cancel", content=b"[" + b"[]," * (MAX_JSON // 3 - 2) + b"[]]")


def many_uploads(url: str) -> None:
    files = [("files", (f"{number}.png", bytes(10_000_000))) for number in range(30)]
    post(f"{url}/gradio_api/upload", files=files)


def full_queue(url: str) -> None:
    """A job that nobody listens to."""
    post(f"{url}/gradio_api/call/measure", json={"data": [64, "eager"]})


def made_up_session(url: str) -> None:
    asked = {"data": [], "fn_index": 0, "session_hash": f"made up {random.random()}"}
    post(f"{url}/gradio_api/run/predict", json=asked)


@contextlib.contextmanager
def unread_stream(url: str) -> Iterator[None]:
    """The page itself, of which nothing is read."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as way:
        lines = ["GET / HTTP/1.1", f"Host: {address.netloc}", "X-Forwarded-For: 203.0.113.66"]
        way.sendall("\r\n".join([*lines, "", ""]).encode())
        yield


@contextlib.contextmanager
def half_a_request(url: str) -> Iterator[None]:
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as way:
        way.sendall(b"POST /gradio_api/cancel HTTP/1.1\r\nHost: 127")
        yield


def live(url: str) -> None:
    """Frames, and nobody looks at what is made of them."""
    jpeg = encoded(random_picture(640, 480), "JPEG")
    with connect(
        url.replace("http", "ws") + ROUTE, origin=url, additional_headers=ADDRESS, max_queue=1
    ) as visit:
        if "go" in visit.recv(timeout=PATIENCE):
            for number in range(100):
                visit.send(FRAME.pack(number, 0, NO_NETWORK) + jpeg)


def post(url: str, **sent: object) -> None:
    headers = {**ADDRESS, "content-type": "application/json"} if "content" in sent else ADDRESS
    httpx.post(url, headers=headers, timeout=PATIENCE, **sent)


def again_and_again(attack: Attack, url: str) -> None:
    while True:
        with contextlib.suppress(httpx.HTTPError, OSError, WebSocketException):
            attack(url)
        time.sleep(PAUSE)


def stand_still(attack: Callable[[str], contextlib.AbstractContextManager], url: str) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(attack(url))
        time.sleep(LONGEST)


def main(url: str) -> None:
    """All of this at once."""
    assert urlsplit(url).hostname == "127.0.0.1"
    kinds = {
        again_and_again: (large_body, full_body, many_uploads, full_queue, made_up_session, live),
        stand_still: (unread_stream, half_a_request),
    }
    for way, attacks in kinds.items():
        for attack in attacks:
            threading.Thread(target=way, args=(attack, url), daemon=True).start()
    time.sleep(LONGEST)


@contextlib.contextmanager
def hostile_visitor(url: str) -> Iterator[None]:
    """Somebody else's process, which does it while the block runs."""
    process = subprocess.Popen([sys.executable, "-m", "tests.hostile", url], cwd=ROOT)
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(sys.argv[1])
