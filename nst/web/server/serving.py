"""The page's HTTP server: uvicorn in a thread, with bounds on those who are slow."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from socket import socket

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from nst.web.server.clients import trusted_proxies

SECONDS = 10  # in which the head of a request comes, and what nobody reads of the one before
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
    """HTTP, on such a connection, which ends also when no head of a request comes.

    uvicorn's own clock for that begins after the first answer, and stops at any byte.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.timeout_keep_alive = SECONDS
        self.timeout_keep_alive_task = self.loop.call_later(
            SECONDS, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        self.conn.receive_data(data)
        self.handle_events()  # which stops the clock at a whole head


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
