"""What is sent here has a largest size and comes within a time, or is not taken.

Gradio parses a body of any size, for minutes on its one event loop, and waits for the rest of one
for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter, deque

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.web.server.clients import client_of
from nst.web.server.session_limits import SessionLimits
from nst.web.server.store import PictureStore
from nst.web.server.temporary_files import MAX_BYTES, make_room

UPLOAD, RUN = "/gradio_api/upload", "/gradio_api/run/predict"
MAX_JSON = 100_000  # bytes
AROUND_A_FILE = 10_000  # bytes, of the form that an upload comes in
SECONDS = 20  # for JSON, and for each part of an upload
UPLOAD_SECONDS = 600
MAX_AT_ONCE, MAX_OF_A_CLIENT = 20, 4  # uploads; parts that are no files lie in memory
MAX_PER_CLIENT = 500_000_000  # bytes of uploads in
CLIENT_SECONDS = 600


class BodyLimits:
    """Middleware.

    Args:
        store: where results lie, and uploads.
        sessions: of which those are told that do not come through the queue.
        max_upload: bytes of a file, or of several that come in one request.
    """

    def __init__(
        self, app: ASGIApp, store: PictureStore, sessions: SessionLimits, max_upload: int
    ) -> None:
        self.sessions = sessions
        self.app, self.store, self.max_upload = app, store, max_upload + AROUND_A_FILE
        self._at_once: Counter[str | None] = Counter()  # uploads, by client
        self._uploads: deque[tuple[float, str | None, int]] = deque()  # when, from whom, bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        is_upload = scope["path"].endswith(UPLOAD)
        most = self.max_upload if is_upload else MAX_JSON
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > most:
            await PlainTextResponse(_too_large(most), 413)(scope, receive, send)
        elif is_upload:
            await self._upload(scope, receive, send)
        else:
            await self._json(scope, receive, send)

    async def _json(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take it whole, and only then pass it on."""
        try:
            async with asyncio.timeout(SECONDS):
                body = await _read(receive)
        except TimeoutError:
            await PlainTextResponse("The request did not come in time.", 408)(scope, receive, send)
            return
        if body is None:
            return
        if len(body) > MAX_JSON:
            await PlainTextResponse(_too_large(MAX_JSON), 413)(scope, receive, send)
            return
        if scope["path"].endswith(RUN):
            self.sessions.note(_session_in(body), scope)
        messages: list[Message] = [{"type": "http.request", "body": body}]

        async def again() -> Message:
            return messages.pop() if messages else await receive()

        await self.app(scope, again, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on part by part.

        The parser of the form deletes what has come of it at a `MultiPartException`, and only
        then.
        """
        client, taken = client_of(scope), 0
        if refusal := self._refusal(client):
            await refusal(scope, receive, send)
            return
        await asyncio.to_thread(
            make_room, self.store.folder, self.store.kept, MAX_BYTES - self.max_upload
        )
        deadline = asyncio.get_running_loop().time() + UPLOAD_SECONDS

        async def bounded() -> Message:
            nonlocal taken
            try:
                now = asyncio.get_running_loop().time()
                async with asyncio.timeout_at(min(deadline, now + SECONDS)):
                    message = await receive()
            except TimeoutError:
                raise MultiPartException("The upload did not come in time.") from None
            if message["type"] == "http.disconnect":
                raise MultiPartException("The upload broke off.")
            taken += len(message.get("body", b""))
            if taken > self.max_upload:
                raise MultiPartException(_too_large(self.max_upload))
            return message

        self._at_once[client] += 1
        try:
            await self.app(scope, bounded, send)
        finally:
            self._at_once[client] -= 1
            self._at_once += Counter()  # forgets those with none
            self._uploads.append((time.monotonic(), client, taken))

    def _refusal(self, client: str | None) -> PlainTextResponse | None:
        """What an upload is answered that has to wait."""
        if self._at_once.total() >= MAX_AT_ONCE:
            return PlainTextResponse("Many upload right now. Please try again.", 503)
        if client is None:
            return None
        while self._uploads and self._uploads[0][0] < time.monotonic() - CLIENT_SECONDS:
            self._uploads.popleft()
        of_late = sum(size for _, other, size in self._uploads if other == client)
        if self._at_once[client] < MAX_OF_A_CLIENT and of_late < MAX_PER_CLIENT:
            return None
        words = "Your address has sent much already. Please try again in ten minutes."
        return PlainTextResponse(words, 429)


async def _read(receive: Receive) -> bytes | None:
    """A body, or the beginning of one that is too large; None: the client has left."""
    body, more = b"", True
    while more and len(body) <= MAX_JSON:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _session_in(body: bytes) -> object:
    """The name of a session, if it is a request with one."""
    with contextlib.suppress(ValueError, RecursionError):
        asked = json.loads(body)
        return asked.get("session_hash") if isinstance(asked, dict) else None
    return None


async def refuse_malformed(request: Request, error: Exception) -> JSONResponse:
    """One sentence in place of FastAPI's answer, which repeats what was sent, for seconds."""
    return JSONResponse({"detail": "This is not what can be asked for here."}, 422)


def _too_large(most: int) -> str:  # Gradio's form of it, which it answers with 413
    return f"The request exceeded the maximum allowed size of {most} bytes."
