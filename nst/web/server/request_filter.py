"""What the page needs of Gradio's routes is open, for requests of bounded size, and nothing else.

Gradio serves some seventy routes.  Several use this machine's account at Hugging Face, start
programs, or create state for whoever asks, and each version brings new ones.  It parses a body of
any size, for minutes on its one event loop, and waits for the rest of one for ever.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.web.server.clients import Places, client_of, is_from_another_site, is_own_name
from nst.web.server.store import PictureStore
from nst.web.server.temporary_files import MAX_BYTES, make_room

UPLOAD = "/gradio_api/upload"
# * is any text.  Those of the page, of `gradio_client` and of the recipe for curl.
READ = (
    "/",
    "/assets/*",
    "/config",
    "/favicon.ico",
    "/manifest.json",
    "/robots.txt",
    "/static/*",
    "/theme.css",
    "/gradio_api/call/*",
    "/gradio_api/file=*",
    "/gradio_api/heartbeat/*",
    "/gradio_api/info",
    "/gradio_api/queue/data",
    "/gradio_api/upload_progress",
)
SENT_TO = (
    "/gradio_api/call/*",
    "/gradio_api/cancel",
    "/gradio_api/queue/join",
    "/gradio_api/reset",
    "/gradio_api/run/predict",
    UPLOAD,
)
OPEN = {"GET": READ, "HEAD": READ, "POST": SENT_TO}
AT_ONCE = Places(of_all=600, of_a_client=100)  # requests; a page holds two while it is open
UPLOADS_AT_ONCE = Places(of_all=20, of_a_client=4)  # parts that are no files lie in memory
MAX_JSON = 20_000  # bytes; the page sends 2,000, and parsing 100,000 stops all others for 0.1 s
AROUND_A_FILE = 10_000  # bytes, of the form that an upload comes in
SECONDS = 20  # for each part of a body
BODY_SECONDS = 600


class Refused(MultiPartException):
    """A request goes no further; the message says why.

    At an error of this kind, and only then, Gradio's parser deletes what has come of an upload.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class RequestFilter:
    """Middleware: refuses what the page does not need, before it is read, and what is too much.

    Args:
        store: where uploads lie; its pictures that are kept are there for every request.
        routes: our own, which are open, too.
        max_upload: bytes of a file, or of several that come in one request.
        root_path: what stands before our paths where a proxy does not take it away.
    """

    def __init__(
        self,
        app: ASGIApp,
        store: PictureStore,
        routes: Sequence[BaseRoute] = (),
        max_upload: int = 0,
        root_path: str = "",
    ) -> None:
        self.app, self.store, self.routes, self.root_path = app, store, routes, root_path
        self.max_upload = max_upload + AROUND_A_FILE
        self._requests: Counter[str | None] = Counter()  # at once, by client
        self._uploads: Counter[str | None] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        with ExitStack() as places:
            try:
                self._check_head(scope)
                places.enter_context(_place(AT_ONCE, self._requests, client_of(scope)))
                if scope.get("method") == "POST":
                    receive = await self._body(scope, receive, places)
            except Refused as refusal:
                await _answer(refusal, scope, receive, send)
                return
            self.store.restore()
            await self.app(scope, receive, send)

    def _check_head(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if not is_own_name(headers.get("host", "127.0.0.1")):
            words = "This page has another name. GRADIO_ROOT_PATH sets its address behind a proxy."
            raise Refused(421, words)
        if not self.is_open(scope):
            raise Refused(404, "Not found.")
        if scope.get("method") == "POST" and is_from_another_site(headers):
            raise Refused(403, "Another site’s page may send nothing here.")

    def is_open(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(self.root_path)
        own = {**scope, "path": path}
        if any(route.matches(own)[0] == Match.FULL for route in self.routes):
            return True
        return any(fnmatchcase(path, pattern) for pattern in OPEN.get(scope.get("method"), ()))

    async def _body(self, scope: Scope, receive: Receive, places: ExitStack) -> Receive:
        """What gives a body of bounded size: JSON that is here already, or an upload in parts."""
        is_upload = scope["path"].endswith(UPLOAD)
        most = self.max_upload if is_upload else MAX_JSON
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > most:
            raise Refused(413, _too_large(most))
        bounded = _bounded(receive, most)
        if not is_upload:
            return await _whole(bounded)
        places.enter_context(_place(UPLOADS_AT_ONCE, self._uploads, client_of(scope)))
        room = MAX_BYTES - self.max_upload
        await asyncio.to_thread(make_room, self.store.folder, self.store.kept, room)
        return bounded


@contextmanager
def _place(places: Places, taken: Counter[str | None], client: str | None) -> Iterator[None]:
    """One of the places, meanwhile."""
    if words := places.full(taken, client):
        raise Refused(429, words)
    taken[client] += 1
    try:
        yield
    finally:
        taken.subtract([client])
        taken += Counter()  # forgets those with none


async def _answer(refusal: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":  # one that is not accepted is HTTP's 403
        await send({"type": "websocket.close"})
    else:
        await PlainTextResponse(refusal.message, refusal.status)(scope, receive, send)


def _bounded(receive: Receive, most: int) -> Receive:
    """`receive`, which raises `Refused` where a body is too large, too slow or breaks off."""
    deadline, taken, more = asyncio.get_running_loop().time() + BODY_SECONDS, 0, True

    async def receive_in_time() -> Message:
        nonlocal taken, more
        if not more:
            return await receive()
        end = min(deadline, asyncio.get_running_loop().time() + SECONDS)
        try:
            async with asyncio.timeout_at(end):
                message = await receive()
        except TimeoutError:
            raise Refused(408, "The request did not come in time.") from None
        if message["type"] == "http.disconnect":
            raise Refused(400, "The request broke off.")
        taken += len(message.get("body", b""))
        if taken > most:
            raise Refused(413, _too_large(most))
        more = message.get("more_body", False)
        return message

    return receive_in_time


async def _whole(receive: Receive) -> Receive:
    """What gives a body, which has come by then, at once."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    messages: list[Message] = [{"type": "http.request", "body": body}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


async def refuse_malformed(request: Request, error: Exception) -> JSONResponse:
    """One sentence in place of FastAPI's answer, which repeats what was sent, for seconds."""
    return JSONResponse({"detail": "This is not what can be asked for here."}, 422)


def _too_large(most: int) -> str:  # Gradio's form of it, which it answers with 413
    return f"The request exceeded the maximum allowed size of {most} bytes."
