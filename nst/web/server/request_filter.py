"""What the page needs of Gradio's routes is open, and nothing else.

Gradio serves some seventy routes.  Several use this machine's account at Hugging Face, start
programs, or create state for whoever asks, and each version brings new ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from nst.web.server.clients import client_of, is_from_another_site, is_own_name

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
    "/gradio_api/upload",
)
OPEN = {"GET": READ, "HEAD": READ, "POST": SENT_TO}
MAX_AT_ONCE = 100  # requests of one client; a page holds two for as long as it is open


class RequestFilter:
    """Middleware: refuses what the page does not need, before anything of it is read.

    Args:
        routes: our own, which are open, too.
        root_path: what stands before our paths where a proxy does not take it away.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], root_path: str = "") -> None:
        self.app, self.routes, self.root_path = app, routes, root_path
        self._at_once: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif refusal := self.refusal(scope):
            if scope["type"] == "websocket":  # one that is not accepted is HTTP's 403
                await receive()
                await send({"type": "websocket.close"})
            else:
                await refusal(scope, receive, send)
        else:
            await self._pass_on(scope, receive, send)

    def refusal(self, scope: Scope) -> PlainTextResponse | None:
        """What a request is answered that goes no further."""
        headers = Headers(scope=scope)
        if not is_own_name(headers.get("host", "127.0.0.1")):
            words = "This page has another name. GRADIO_ROOT_PATH sets its address behind a proxy."
            return PlainTextResponse(words, 421)
        if not self.is_open(scope):
            return PlainTextResponse("Not found.", 404)
        if scope.get("method") == "POST" and is_from_another_site(headers):
            return PlainTextResponse("Another site’s page may send nothing here.", 403)
        if self._at_once[client_of(scope) or ""] >= MAX_AT_ONCE:
            return PlainTextResponse("Too many requests at once from your address.", 429)
        return None

    def is_open(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(self.root_path)
        own = {**scope, "path": path}
        if any(route.matches(own)[0] == Match.FULL for route in self.routes):
            return True
        return any(fnmatchcase(path, pattern) for pattern in OPEN.get(scope.get("method"), ()))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = client_of(scope)
        if client is None:
            await self.app(scope, receive, send)
            return
        self._at_once[client] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._at_once[client] -= 1
            if not self._at_once[client]:
                del self._at_once[client]
