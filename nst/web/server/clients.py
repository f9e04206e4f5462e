"""Who asks, and from which page: what a request's address and headers say about it."""

from __future__ import annotations

import contextlib
import os
import socket
from collections import Counter
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("127.0.0.0/8", "::1")
INSIDE_A_SPACE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")  # proxies of Hugging Face
IPV6_LINE = 64  # bits of an address that belong to one visitor


def trusted_proxies() -> str:
    """Addresses of proxies whose `X-Forwarded-For` is believed, as uvicorn takes them."""
    return os.environ.get("FORWARDED_ALLOW_IPS") or ",".join(_proxies())


def _proxies() -> tuple[str, ...]:
    return (*LOOPBACK, *INSIDE_A_SPACE) if on_a_space() else LOOPBACK


def on_a_space() -> bool:
    """Whether Hugging Face runs this page."""
    return bool(os.environ.get("SPACE_ID"))


def client_of(scope: Scope) -> str | None:
    """Whom a request's bounds are for: an address, of IPv6 the part that is one visitor's.

    None: nobody in particular.  From this machine comes what its own user asks, and what a proxy
    passes on without saying for whom; only the bounds for all together hold for that.
    """
    try:
        address = ip_address(scope["client"][0])
    except (KeyError, TypeError, ValueError):  # no network
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    if any(address in ip_network(proxy) for proxy in _proxies()):
        return None
    return str(address if address.version == 4 else ip_network((address, IPV6_LINE), strict=False))


class OwnersOnly:
    """Middleware: refuses whom a proxy brings, and what another site's page asks for.

    For routes of a page that is one's own: it listens on this machine only, but a tunnel or proxy
    may lead there that nobody has declared.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stranger = client_of(scope) and not os.environ.get("NST_OWN")
        if is_stranger or is_from_another_site(Headers(scope=scope)):
            answer = PlainTextResponse("Only the owner of this page may do that.", 403)
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Places(NamedTuple):
    """How many of something there may be at once."""

    of_all: int
    of_a_client: int

    def full(self, taken: Counter[str | None], client: str | None) -> str | None:
        """Why a client gets none now, in words."""
        if taken.total() >= self.of_all:
            return f"There are {taken.total()} already. Please try again later."
        if client and taken[client] >= self.of_a_client:
            return f"There are {taken[client]} of your address already. Please try again later."
        return None


def is_own_name(host: str) -> bool:
    """Whether a `Host` header names this page, and not a site that leads here.

    A stranger's site can have its name point to this machine, and its scripts could then read
    what only this machine's user may (DNS rebinding).  An IP address in place of a name is
    nobody's trick.  On a Space, and behind a proxy that is declared without its name, everybody
    may read the page, so every name is right.
    """
    root = os.environ.get("GRADIO_ROOT_PATH", "")
    declared = urlsplit(root).hostname
    if on_a_space() or (root and not declared):
        return True
    own, bound = socket.gethostname().lower(), os.environ.get("GRADIO_SERVER_NAME", "").lower()
    with contextlib.suppress(ValueError):
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        if name and name in ("localhost", declared, own, f"{own}.local", bound):
            return True
        return bool(ip_address(name))
    return False


def has_own_origin(headers: Headers) -> bool:
    """Whether a page of this server sends the request, as browsers say in `Origin`."""
    hosts = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")]
    hosts.append(urlsplit(os.environ.get("GRADIO_ROOT_PATH", "")).netloc)  # if it is a whole URL
    with contextlib.suppress(ValueError):  # no address at all
        host = urlsplit(headers.get("origin", "")).netloc
        return bool(host) and host in [host.strip() for host in hosts]
    return False


def is_from_another_site(headers: Headers) -> bool:
    """Whether a browser sends the request for another site's page; programs say nothing of it."""
    if site := headers.get("sec-fetch-site"):  # right also behind a proxy that changes `Host`
        return site not in ("same-origin", "none")
    return "origin" in headers and not has_own_origin(headers)
