"""How the page looks where somebody posts a link to it: its own title, words and picture.

Gradio's page says "Gradio" there, with a picture from another site, and gets its title from a
script, which those who follow links do not run.
"""

from __future__ import annotations

import html
import re
from typing import Any

from gradio.route_utils import get_root_url
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.paths import ASSETS
from nst.web.page import texts

PICTURE, SIZE = ASSETS / "preview.jpg", (1200, 630)  # px
ROUTE = "/preview.jpg"
GRADIOS = re.compile(rb'<meta\s+(?:property="og:|name="(?:twitter:|description"))[^>]*>\s*')


def preview_route() -> Route:
    """Where the picture lies."""
    return Route(ROUTE, lambda request: FileResponse(PICTURE))


class Preview:
    """Middleware: the page itself comes with our words for links to it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_get = scope["type"] == "http" and scope["method"] == "GET"
        if not is_get or scope["path"].removeprefix(scope.get("root_path", "")) not in ("", "/"):
            await self.app(scope, receive, send)
            return
        request = Request(scope)  # the address is as visitors know it, proxies or not
        address = get_root_url(request, "/", request.app.root_path)
        start: dict[str, Any] = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            content = with_preview(bytes(body), address)
            headers = [header for header in start["headers"] if header[0] != b"content-length"]
            start["headers"] = [*headers, (b"content-length", str(len(content)).encode())]
            await send(start)
            await send({"type": "http.response.body", "body": content})

        await self.app(scope, receive, collect)


def with_preview(page: bytes, address: str) -> bytes:
    """The page's HTML with our words about it in place of Gradio's; nothing happens to others.

    Args:
        address: of the page, without a slash at its end.
    """
    before, head, after = page.partition(b"</head>")
    before, base, rest = before.partition(b"<base ")
    if not head or not base:
        return page
    return before + tags(address).encode() + base + GRADIOS.sub(b"", rest) + head + after


def tags(address: str) -> str:
    """What Facebook's Open Graph and Twitter's cards are told, and search engines."""
    width, height = SIZE
    named = {
        "description": texts.DESCRIPTION,
        "twitter:card": "summary_large_image",
        "twitter:title": texts.TITLE,
        "twitter:description": texts.DESCRIPTION,
        "twitter:image": f"{address}{ROUTE}",
        "twitter:image:alt": texts.PREVIEW,
    }
    properties = {
        "og:type": "website",
        "og:url": f"{address}/",
        "og:title": texts.TITLE,
        "og:description": texts.DESCRIPTION,
        "og:image": f"{address}{ROUTE}",
        "og:image:width": str(width),
        "og:image:height": str(height),
        "og:image:alt": texts.PREVIEW,
    }
    return f"<title>{html.escape(texts.TITLE)}</title>\n" + "".join(
        f'<meta {kind}="{name}" content="{html.escape(content)}" />\n'
        for kind, contents in (("name", named), ("property", properties))
        for name, content in contents.items()
    )
