"""The page's scripts as files that a browser keeps for ever.

The address has a hash of all of them in it, so that a changed script is another file, and scripts
find each other beside themselves.
"""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nst.paths import ASSETS

TYPES = {".js": "text/javascript", ".css": "text/css"}
FOLDER = "page-files"
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def files() -> dict[str, bytes]:
    """What is served, by its path in assets/."""
    paths = sorted(path for path in ASSETS.rglob("*") if path.suffix in TYPES)
    return {path.relative_to(ASSETS).as_posix(): path.read_bytes() for path in paths}


@cache
def _version() -> str:
    named = (f"{name} {sha256(content).hexdigest()}\n" for name, content in files().items())
    return sha256("".join(named).encode()).hexdigest()[:16]


def address(name: str) -> str:
    """Where a file of assets/ lies, seen from the page."""
    return f"{FOLDER}/{_version()}/{name}"


def static_route() -> Route:
    """Where the files lie; others are not there."""
    return Route(f"/{FOLDER}/{{version}}/{{name:path}}", _serve)


def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    if request.path_params["version"] != _version() or name not in files():
        return Response(status_code=404)
    media_type = TYPES[name[name.rindex(".") :]]
    return kept_for_ever(request, files()[name], media_type)


_compressed = cache(gzip.compress)  # each once, when it is first asked for


def kept_for_ever(request: Request, content: bytes, media_type: str) -> Response:
    """What never changes at its address; as gzip where the browser takes that."""
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(content, headers=headers, media_type=media_type)
    headers["Content-Encoding"] = "gzip"
    return Response(_compressed(content), headers=headers, media_type=media_type)
