"""Only what the page needs of Gradio is open, under the page's own names, to its own pages."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.testclient import TestClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from nst.web.live.socket import ROUTE
from nst.web.server import clients, request_filter
from nst.web.server.clients import Places, client_of
from nst.web.server.request_filter import RequestFilter
from nst.web.server.store import PictureStore
from tests.helpers import run_in_thread
from tests.web.conftest import Idle

# What somebody has looked at, of the routes that Gradio serves.
NEEDED = """
GET /  HEAD /  GET /config  GET /theme.css  GET /robots.txt  GET /favicon.ico  GET /manifest.json
GET /static/{}  GET /assets/{}  GET /gradio_api/info  GET /gradio_api/file={}
HEAD /gradio_api/file={}  GET /gradio_api/heartbeat/{}  GET /gradio_api/queue/data
GET /gradio_api/call/{}/{}  GET /gradio_api/call/v2/{}/{}  GET /gradio_api/upload_progress
POST /gradio_api/call/{}  POST /gradio_api/call/{}/  POST /gradio_api/call/v2/{}
POST /gradio_api/call/v2/{}/  POST /gradio_api/cancel  POST /gradio_api/queue/join
POST /gradio_api/reset  POST /gradio_api/upload
"""
CLOSED = """
POST /login  POST /login/  GET /logout  GET /config/  GET /svelte/{}  GET /pwa_icon
GET /pwa_icon/{}  GET /openapi.json  HEAD /openapi.json  GET /monitoring  GET /monitoring/summary
GET /monitoring/{}  GET /gradio_api/deep_link  GET /gradio_api/user  GET /gradio_api/user/
GET /gradio_api/login_check  GET /gradio_api/login_check/  GET /gradio_api/token
GET /gradio_api/token/  GET /gradio_api/app_id  GET /gradio_api/app_id/  GET /gradio_api/dev/reload
GET /gradio_api/runs  GET /gradio_api/runs/  POST /gradio_api/run-history/connect
GET /gradio_api/run-history/buckets  GET /gradio_api/run-history/records
GET /gradio_api/run-history/records/{}/{}/assets/{}  GET /gradio_api/info/
GET /gradio_api/openapi.json  GET /gradio_api/custom_component/{}/{}/{}/{}
GET /gradio_api/proxy={}  HEAD /gradio_api/proxy={}  POST /gradio_api/stream/{}
POST /gradio_api/stream/{}/close  GET /gradio_api/stream/{}/{}/{}/playlist.m3u8
GET /gradio_api/stream/{}/{}/{}/{}.{}  GET /gradio_api/stream/{}/{}/{}/playlist-file
GET /gradio_api/file/{}  POST /gradio_api/reset/  POST /gradio_api/api/{}
POST /gradio_api/api/{}/  POST /gradio_api/run/{}  POST /gradio_api/run/{}/
POST /gradio_api/component_server  POST /gradio_api/component_server/
GET /gradio_api/queue/status  GET /gradio_api/startup-events  GET /gradio_api/theme.css
POST /gradio_api/process_recording  POST /gradio_api/vibe-edit  POST /gradio_api/vibe-edit/
POST /gradio_api/undo-vibe-edit  POST /gradio_api/undo-vibe-edit/  GET /gradio_api/vibe-code
GET /gradio_api/vibe-code/  POST /gradio_api/vibe-code  POST /gradio_api/vibe-code/
POST /gradio_api/vibe-starter-queries  POST /gradio_api/vibe-starter-queries/
"""
EVERYTHING = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def listed(text: str) -> set[tuple[str, str]]:
    """Methods and paths."""
    words = text.split()
    return set(zip(words[::2], words[1::2], strict=True))


def without_names(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path)


def walk(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if router := getattr(route, "original_router", None):  # FastAPI's, within another
            yield from walk(router.routes)
            continue
        for method in getattr(route, "methods", None) or EVERYTHING:
            yield method, without_names(route.path)


@pytest.fixture(scope="module")
def served() -> set[tuple[str, str]]:
    """Every route of the Gradio that is installed."""
    with gr.Blocks() as demo:
        gr.HTML("words")
    mounted = gr.mount_gradio_app(Starlette(), demo, path="/").routes[0].app
    described = {
        (method.upper(), without_names(path))
        for path, methods in mounted.openapi()["paths"].items()
        for method in methods
    }
    return described | set(walk(mounted.routes))


def test_every_route_is_needed_or_closed(served: set[tuple[str, str]]) -> None:
    """If it fails with a new Gradio: read what the route does before you write it down."""
    assert served - listed(NEEDED) - listed(CLOSED) == set()
    assert listed(NEEDED) - served == set()


def test_what_is_needed_is_open_and_nothing_else(idle: Idle) -> None:
    with httpx.Client(base_url=idle.url) as client:
        for method, path in sorted(listed(CLOSED)):
            answer = client.request(method, path.replace("{}", "x"))
            assert answer.status_code == 404, path
            assert answer.text == ("" if method == "HEAD" else "Not found."), path
        for path in ("/", "/config", "/gradio_api/info?all_endpoints=True", "/preview.jpg"):
            assert client.get(path).status_code == 200, path
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADE-UP"):
            assert client.request(method, "/").status_code == 404
        for path in ("/Config", "/gradio_api/queue/join", "/x"):
            assert client.get(path).status_code == 404, path
    scopes = ({"type": "http", "method": method, "path": path.replace("{}", "x")}
              for method, path in listed(NEEDED))  # fmt: skip
    only = RequestFilter(PlainTextResponse("here"), idle.store)
    assert all(only.is_open(scope) for scope in scopes)


def test_sockets_are_open_where_the_camera_is(idle: Idle) -> None:
    address = idle.url.replace("http", "ws")
    with connect(address + ROUTE, origin=idle.url) as visit:
        assert "go" in visit.recv(timeout=20)
    for path in ("/", "/gradio_api/queue/join", "/live/"):
        with pytest.raises(InvalidStatus, match="403"):
            connect(address + path, origin=idle.url)


@pytest.fixture
def behind(tmp_path: Path) -> TestClient:
    """Something behind the filter, which answers whatever comes through."""
    return TestClient(RequestFilter(PlainTextResponse("here"), PictureStore(tmp_path)))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine called atelier."""
    monkeypatch.setattr(socket, "gethostname", lambda: "Atelier")


OWN = ["localhost:7860", "LOCALHOST", "localhost.", "127.0.0.1", "[::1]:7860", "192.168.1.5:7860",
       "atelier:7860", "atelier.local"]  # fmt: skip
FOREIGN = ["evil.example", "evil.example:7860", "localhost.evil.example", "127.0.0.1.evil.example",
           "a@evil.example", "[::1", ""]  # fmt: skip


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("hosts", "status"), [(OWN, 200), (FOREIGN, 421)])
def test_the_page_has_a_name(behind: TestClient, hosts: list[str], status: int) -> None:
    for host in hosts:
        assert behind.get("/", headers={"host": host}).status_code == status, host


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ({"GRADIO_ROOT_PATH": "https://demo.example/painter"}, "demo.example"),
        ({"GRADIO_ROOT_PATH": "/painter"}, "demo.example"),
        ({"GRADIO_SERVER_NAME": "studio.example"}, "studio.example:7860"),
        ({"SPACE_ID": "somebody/painter"}, "somebody-painter.hf.space"),
    ],
)
def test_the_page_may_be_given_names(
    behind: TestClient, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], host: str
) -> None:
    assert behind.get("/", headers={"host": host}).status_code == 421
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert behind.get("/", headers={"host": host}).status_code == 200


def test_a_site_that_leads_here_reads_nothing(idle: Idle) -> None:
    evil = {"host": "evil.example", "origin": "http://evil.example"}
    for path in ("/", "/config", "/gradio_api/info"):
        answer = httpx.get(idle.url + path, headers=evil)
        assert answer.status_code == 421
        assert "GRADIO_ROOT_PATH" in answer.text
    here = urlsplit(idle.url)
    evil_url = f"evil.example:{here.port}"
    with (
        socket.create_connection((here.hostname, here.port)) as way,
        pytest.raises(InvalidStatus, match="403"),
    ):
        connect(f"ws://{evil_url}{ROUTE}", origin=f"http://{evil_url}", sock=way)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"origin": "http://localhost:7860"}, 200),
        ({"origin": "http://localhost:3000"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost:3000"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://localhost:3000"}, 200),  # a proxy
        ({"origin": "https://demo.example", "x-forwarded-host": "demo.example, 10.0.0.1"}, 200),
    ],
)
def test_other_sites_send_nothing(behind: TestClient, headers: dict[str, str], status: int) -> None:
    headers = {"host": "localhost:7860", **headers}
    for path in ("/gradio_api/upload", "/gradio_api/queue/join"):
        assert behind.post(path, headers=headers).status_code == status
    assert behind.get("/", headers=headers).status_code == 200  # links lead here


def test_a_form_of_another_site_uploads_nothing(idle: Idle) -> None:
    answer = httpx.post(
        f"{idle.url}/gradio_api/upload",
        files={"files": ("photo.png", b"x")},
        headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("10.1.2.3", "10.1.2.3"),
        ("127.0.0.2", None),
        ("::1", None),
        ("a socket", None),
    ],
)
def test_clients_are_addresses(address: str, client: str | None) -> None:
    assert client_of({"client": (address, 1)}) == client
    assert client_of({"client": None}) is None


def test_the_proxies_of_a_space_are_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/painter")
    assert client_of({"client": ("10.1.2.3", 1)}) is None
    assert "10.0.0.0/8" in clients.trusted_proxies().split(",")


def test_one_client_asks_for_so_much_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(request_filter, "AT_ONCE", Places(of_all=9, of_a_client=3))

    async def ask(address: str, filter: RequestFilter) -> int:
        statuses = []

        async def send(message: dict) -> None:
            statuses.append(message.get("status"))

        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        await filter({**scope, "client": (address, 1)}, None, send)
        return statuses[0]

    async def scenario() -> None:
        opened = asyncio.Event()

        async def slow(scope: dict, receive: object, send: object) -> None:
            await opened.wait()
            await PlainTextResponse("here")(scope, receive, send)

        only = RequestFilter(slow, PictureStore(tmp_path))
        waiting = [asyncio.create_task(ask("203.0.113.7", only)) for _ in range(3)]
        await asyncio.sleep(0)
        assert await ask("203.0.113.7", only) == 429
        other = asyncio.create_task(ask("203.0.113.8", only))
        opened.set()
        assert await asyncio.gather(*waiting, other) == 4 * [200]
        assert await ask("203.0.113.7", only) == 200
        assert not only._requests

    run_in_thread(scenario())
