"""The camera, stylized: frames come and go over a WebSocket, as JPEG; nothing is stored.

The route is `ROUTE` on the page's own server.  Only a page of this server may open it (its
`Origin`).  One visitor at a time is live; a few more may wait, of one address fewer.

The server says, as JSON with one of these keys and a sentence:
    wait    somebody else is live; "go" comes when they have left
    go      frames may be sent
    pause   a picture or a measurement goes first; results come later
    end     why it is over; the server closes then

A visitor sends frames, and nothing else: a head, then a baseline JPEG.  The head (`FRAME`) is the
frame's number and the positions of one or two networks in the order of the page, `NO_NETWORK` for
none.  For each of them, one after the other, comes a result: a head (`RESULT`) and a JPEG
of the same size.  That head is the frame's number, the network's position, milliseconds in the
network alone, and milliseconds that the frame had waited here.  All numbers are little-endian.

Two frames may be under way, so that one travels while one is stylized.  Who sends more waits: they
are not read.  Who reads nothing of what is sent has to leave.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import struct
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from nst.inference.engines import Engine
from nst.inference.picture import stylize
from nst.models import MIN_SIDE
from nst.web.server.clients import client_of, has_own_origin
from nst.web.server.priority_lock import Priority, PriorityLock

ROUTE = "/live"
FRAME = struct.Struct("<IBB")
RESULT = struct.Struct("<IBff")
NO_NETWORK = 255
MAX_SIDE = 640  # px
MAX_BYTES = 400_000  # of a frame; one of 640×480 with quality 90 has about 150,000
MAX_MESSAGE = FRAME.size + MAX_BYTES
MAX_SCANS = 3  # of a JPEG; each costs time and may be nearly empty
QUALITY = 85  # of results
MAX_WAITING = 8
MAX_OF_A_CLIENT = 2  # who are live or wait
LONGEST_TURN = 600  # s, when somebody waits
LONGEST_SILENCE = 15  # s without a frame
LONGEST_SEND = 10  # s until a result has been taken
PAUSED_AFTER = 0.5  # s

WAIT = "Somebody else is live. You are next, as soon as they leave."
WAIT_LONGER = "Somebody else is live, and others wait, too. This begins when it is your turn."
FULL = "Too many wait for the camera here. Please try again later."
TWICE = "Your address has the camera here, or waits for it, already."
GO = "Live."
PAUSE = "Paused: somebody’s photo is being stylized."
SILENT = "No picture came from the camera for a while."
UNREAD = "The pictures from here were not taken for a while."
TIME_IS_UP = "Others wait, and you have been live for ten minutes."
BAD_FRAME = "This is no frame that can be stylized here."
FAILED = "The frame could not be stylized."

_log = logging.getLogger(__name__)


class Frame(NamedTuple):
    number: int
    networks: list[int]  # positions
    jpeg: bytes
    arrived: float  # s, of the performance counter


class Over(Exception):  # noqa: N818 - it need not be an error
    """The visit is over; the message is for the visitor."""


class Live:
    """Everybody's cameras, one at a time.

    Args:
        networks: what runs each, by name, in the order of the page.
        lock: who has it runs a network.
    """

    def __init__(self, networks: Mapping[str, Engine], lock: PriorityLock) -> None:
        self.networks, self.lock = networks, lock  # others may join at the end
        self._seat = asyncio.Lock()  # first come, first served
        self._waiting = 0
        self._here: Counter[str | None] = Counter()  # by client, who are live or wait

    def route(self) -> WebSocketRoute:
        return WebSocketRoute(ROUTE, self.visit)

    async def visit(self, socket: WebSocket) -> None:
        """One connection, from its beginning to its end."""
        if not has_own_origin(socket.headers):
            # Another site's page could show its visitors' cameras through this server.
            await socket.close()  # before it is accepted: HTTP's 403
            return
        await socket.accept()
        client, frames = client_of(socket.scope), Frames(socket, len(self.networks))
        self._here[client] += 1
        try:
            if client and self._here[client] > MAX_OF_A_CLIENT:
                raise Over(TWICE)
            await self._take_seat(socket, frames)
            try:
                await self._stylize_frames(socket, frames)
            finally:
                self._seat.release()
        except Over as reason:
            with contextlib.suppress(WebSocketDisconnect, Over):
                await send(socket, {"end": str(reason)})
                await socket.close()
        except WebSocketDisconnect:
            pass
        finally:
            frames.close()
            self._here[client] -= 1
            if not self._here[client]:
                del self._here[client]

    async def _take_seat(self, socket: WebSocket, frames: Frames) -> None:
        """Wait until nobody else is live.

        Raises:
            Over: too many wait, or a frame came too early.
            WebSocketDisconnect: the visitor has left.
        """
        if self._seat.locked() or self._waiting:
            if self._waiting >= MAX_WAITING:
                raise Over(FULL)
            await send(socket, {"wait": WAIT_LONGER if self._waiting else WAIT})
        self._waiting += 1
        taking = asyncio.create_task(self._seat.acquire())
        try:
            await asyncio.wait({taking, frames.next}, return_when=asyncio.FIRST_COMPLETED)
            if frames.next.done():
                frames.next.result()
                raise Over(BAD_FRAME)
            await send(socket, {"go": GO})
        except BaseException:
            if taking.done():
                self._seat.release()
            taking.cancel()
            raise
        finally:
            self._waiting -= 1

    async def _stylize_frames(self, socket: WebSocket, frames: Frames) -> None:
        """Take frames and send results, until the visitor leaves or has to."""
        began = time.perf_counter()
        while True:
            frame = await frames.take()
            waited = time.perf_counter() - frame.arrived
            picture = await asyncio.to_thread(read_frame, frame.jpeg)
            for position in frame.networks:
                work = asyncio.create_task(asyncio.to_thread(self._stylize, position, picture))
                await asyncio.wait({work}, timeout=PAUSED_AFTER)
                if not work.done() and self.lock.is_behind(Priority.LIVE):
                    await send(socket, {"pause": PAUSE})
                seconds, jpeg = await work
                head = RESULT.pack(frame.number, position, 1000 * seconds, 1000 * waited)
                await send(socket, head + jpeg)
            if self._waiting and time.perf_counter() - began > LONGEST_TURN:
                raise Over(TIME_IS_UP)

    def _stylize(self, position: int, picture: Image.Image) -> tuple[float, bytes]:
        """Seconds in the network, and the result as JPEG.

        Raises:
            Over: the network failed.
        """
        try:
            with self.lock.turn(Priority.LIVE):
                result, seconds = stylize(list(self.networks.values())[position], picture)
        except Exception:  # for example, too little memory
            _log.exception("a frame could not be stylized")
            raise Over(FAILED) from None
        file = io.BytesIO()
        result.save(file, "JPEG", quality=QUALITY)
        return seconds, file.getvalue()


class Frames:
    """What a visitor sends, the next one being read ahead.

    Args:
        networks: how many there are.
    """

    def __init__(self, socket: WebSocket, networks: int) -> None:
        self._socket, self._networks = socket, networks
        self.next = asyncio.create_task(self._read())

    async def take(self) -> Frame:
        """The next one.

        Raises:
            Over: none came for a while, or something else did.
            WebSocketDisconnect: the visitor has left.
        """
        done, _ = await asyncio.wait({self.next}, timeout=LONGEST_SILENCE)
        if not done:
            raise Over(SILENT)
        frame = self.next.result()
        self.next = asyncio.create_task(self._read())
        return frame

    def close(self) -> None:
        self.next.cancel()

    async def _read(self) -> Frame:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        content = message.get("bytes") or b""
        if not FRAME.size < len(content) <= FRAME.size + MAX_BYTES:
            raise Over(BAD_FRAME)
        number, *wanted = FRAME.unpack_from(content)
        networks = [position for position in wanted if position != NO_NETWORK]
        if not networks or max(networks) >= self._networks:
            raise Over(BAD_FRAME)
        return Frame(number, networks, content[FRAME.size :], time.perf_counter())


def read_frame(jpeg: bytes) -> Image.Image:
    """A JPEG of bounded size as an RGB picture.

    Raises:
        Over: it is something else, or would take long to decode.
    """
    try:
        if jpeg.count(b"\xff\xda") > MAX_SCANS:
            raise ValueError("a scan costs time, even where it is empty")
        with JpegImageFile(io.BytesIO(jpeg)) as picture:
            width, height = picture.size
            if not MIN_SIDE <= min(width, height) <= max(width, height) <= MAX_SIDE:
                raise ValueError(f"{width}×{height} px")
            return picture.convert("RGB")
    except Exception:  # decoders raise nearly everything on damaged files
        raise Over(BAD_FRAME) from None


async def send(socket: WebSocket, content: bytes | dict[str, Any]) -> None:
    """Send it, and see that it goes.

    Raises:
        Over: the visitor does not take what is sent.
    """
    sending = socket.send_bytes if isinstance(content, bytes) else socket.send_json
    try:
        async with asyncio.timeout(LONGEST_SEND):
            await sending(content)
    except TimeoutError:
        raise Over(UNREAD) from None
