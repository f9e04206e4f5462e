"""The page's HTTP server: uvicorn in a thread, with bounds of our own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from socket import socket

import uvicorn
from h11 import DONE, IDLE, SEND_BODY
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from nst.web.server.clients import trusted_proxies

SECONDS = 10  # in which the head of a request comes, and what nobody reads of one
UNWANTED_RATE = 10_000_000  # bytes a second that are read of a request after it was refused
UNREAD_SECONDS = 60  # until 48 kB have been taken of what waits to be sent
MAX_CONNECTIONS = 600  # a system's usual bound on open files is 1024


class _TakenInTime(asyncio.Protocol):
    """A connection that ends when what is sent waits too long to be taken."""

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    _unread: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        if self._unread:
            self._unread.cancel()
        super().resume_writing()


class PromptSocket(_TakenInTime, WebSocketsSansIOProtocol):
    """WebSockets, on such a connection."""


class PromptProtocol(_TakenInTime, H11Protocol):
    """HTTP, on such a connection, which ends also when a request's head is begun and not ended."""

    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._set_clock()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._set_clock()
        if self._is_refused():  # who sends on hears why, but costs little
            self.transport.pause_reading()
            self.loop.call_later(len(data) / UNWANTED_RATE, self.transport.resume_reading)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def _set_clock(self) -> None:
        if self.conn.their_state is not IDLE and not self._is_refused():
            self._stop_clock()
        elif self._clock is None:
            self._clock = self.loop.call_later(SECONDS, self.transport.close)

    def _is_refused(self) -> bool:
        """Whether a request has been answered before its end."""
        return self.conn.our_state is DONE and self.conn.their_state is SEND_BODY

    def _stop_clock(self) -> None:
        if self._clock:
            self._clock.cancel()
            self._clock = None


class Server:
    """An application on sockets that listen already, from here to the end of the process.

    Args:
        max_message: bytes of a message that comes over a WebSocket.
    """

    def __init__(self, app: ASGIApp, sockets: Sequence[socket], max_message: int) -> None:
        self.uvicorn = uvicorn.Server(
            uvicorn.Config(
                app,
                http=PromptProtocol,
                ws=PromptSocket,
                log_level="warning",
                limit_concurrency=MAX_CONNECTIONS,
                timeout_graceful_shutdown=1,
                forwarded_allow_ips=trusted_proxies(),
                ws_max_size=max_message,
                ws_per_message_deflate=False,  # of JPEG it makes nothing smaller
            )
        )
        # Not the main one: uvicorn would take the signals, and wait for whoever is looking.
        self._thread = threading.Thread(
            target=self.uvicorn.run, args=(list(sockets),), name="serves the page", daemon=True
        )
        self._thread.start()
        while self._thread.is_alive() and not self.uvicorn.started:
            time.sleep(0.01)

    def wait(self) -> None:
        """Until it ends."""
        while self._thread.is_alive():
            self._thread.join(1)  # signals come in between, on every system
