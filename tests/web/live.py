"""Visitors who show their camera to a server whose networks are quick."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager

import numpy as np
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession

from nst.web.live.socket import FRAME, NO_NETWORK, RESULT, ROUTE, Live
from nst.web.server.priority_lock import PriorityLock
from tests.helpers import encoded, random_picture

HERE = {"origin": "http://testserver"}  # the name of the test client's server


class Visitors(TestClient):
    """Everybody who comes to a server where one network copies and the other makes a negative."""

    def __init__(self, *networks: object) -> None:
        self.lock = PriorityLock()
        engines = dict(enumerate(networks or (lambda photo: photo, lambda photo: 1 - photo)))
        super().__init__(Starlette(routes=[Live(engines, self.lock).route()]))

    def visit(self, headers: dict[str, str] = HERE) -> AbstractContextManager[WebSocketTestSession]:
        return self.websocket_connect(ROUTE, headers=headers)


def frame(number: int = 7, first: int = 1, second: int = NO_NETWORK, jpeg: bytes = b"") -> bytes:
    jpeg = jpeg or encoded(random_picture(48, 36), "JPEG")
    return FRAME.pack(number, first, second) + jpeg


def said(visit: WebSocketTestSession) -> dict[str, str]:
    return visit.receive_json()


def picture_in(result: bytes) -> np.ndarray:
    """(H, W, 3), 0–255."""
    with Image.open(io.BytesIO(result[RESULT.size :]), formats=["JPEG"]) as picture:
        return np.asarray(picture, dtype=float)
