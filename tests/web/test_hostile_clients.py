"""Programs that send the page something else than an uploaded file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
import safehttpx

from tests.helpers import random_picture
from tests.web.conftest import Idle

META = {"_type": "gradio.FileData"}
WISHES = [256, ["v3"], "eager", 100, False]


class Untouched(BaseHTTPRequestHandler):
    """A site nearby that counts who asks it."""

    asked = 0

    def do_GET(self) -> None:
        Untouched.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"secret")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Untouched)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/picture.png"
    server.shutdown()
    server.server_close()


@pytest.fixture
def address(idle: Idle) -> str:
    """Of its API."""
    return f"{idle.url}/gradio_api"


def call(address: str, *data: Any) -> str:
    """What the page's answers to a program are, as text."""
    started = httpx.post(f"{address}/call/stylize", json={"data": list(data)})
    return httpx.get(f"{address}/call/stylize/{started.json()['event_id']}", timeout=60).text


@pytest.mark.parametrize(
    "kind", [{}, {"meta": META}, {"meta": {"_type": "x"}}, {"meta": META, "is_stream": True}]
)
def test_a_picture_on_the_server_is_not_read(address: str, tmp_path: Path, kind: dict) -> None:
    random_picture(40, 30).save(tmp_path / "secret.png")
    for path in (f"{tmp_path}/secret.png", f"{gr.Image().GRADIO_CACHE}/../..{tmp_path}/secret.png"):
        answer = call(address, {"path": path, **kind}, *WISHES)
        assert "event: error" in answer
        assert "files" not in answer
        assert "secret" not in answer


def test_the_pages_own_bar_reads_no_file_of_the_server(address: str, tmp_path: Path) -> None:
    random_picture(40, 30).save(tmp_path / "secret.png")
    config = httpx.get(f"{address.removesuffix('gradio_api')}config").json()
    (bar,) = (part["id"] for part in config["components"] if part["props"].get("elem_id") == "bar")
    runs = [event["id"] for event in config["dependencies"] if [bar, "run"] in event["targets"]]
    wishes = {"number": 1, "networks": ["v3"], "engine": "eager", "side": 64}
    for kind in ({}, {"meta": META}, {"meta": META, "is_stream": True}):
        photo = {"path": f"{tmp_path}/secret.png", **kind}
        for run in runs:
            asked = {"data": [{**wishes, "photo": photo}, None], "fn_index": run}
            visitor = {"session_hash": f"visitor{run}"}
            joined = httpx.post(f"{address}/queue/join", json=asked | visitor)
            answer = joined.text
            if joined.status_code == 200:
                answer = httpx.get(f"{address}/queue/data", params=visitor, timeout=60).text
            assert "secret-v3" not in answer
            assert joined.status_code != 200 or '"success":false' in answer


def test_addresses_are_not_fetched(
    address: str, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def public(hostname: str) -> str:
        return "127.0.0.1"

    # Gradio itself refuses private addresses, so let this one pass for a public one.
    monkeypatch.setattr(safehttpx, "async_validate_url", public)
    sent = {"path": site, "meta": META}
    assert "not its address" in call(address, sent, *WISHES)
    assert "not its address" in call(address, None, sent, *WISHES[1:])  # any input will do
    assert "was uploaded" in call(address, {**sent, "is_stream": True}, *WISHES)
    passed_on = httpx.get(f"{address}/file={site}")
    assert passed_on.status_code == 403
    assert "secret" not in passed_on.text
    assert Untouched.asked == 0


def test_nobody_passes_the_queue(idle: Idle, address: str) -> None:
    wishes = {"data": [None, *WISHES]}
    for way in ("run", "api"):
        assert httpx.post(f"{address}/{way}/stylize", json=wishes).status_code == 404
    functions = httpx.get(f"{idle.url}/config").json()["dependencies"]
    (stylize,) = (each["id"] for each in functions if each["api_name"] == "stylize")
    answer = httpx.post(f"{address}/run/predict", json={**wishes, "fn_index": stylize})
    assert answer.status_code == 404
    assert "join the queue" in answer.text


def test_sessions_that_are_made_up_push_nobody_out(idle: Idle, address: str) -> None:
    config = httpx.get(f"{idle.url}/config").json()
    (bar,) = (part["id"] for part in config["components"] if part["props"].get("elem_id") == "bar")
    (ask,) = (
        event["id"]
        for event in config["dependencies"]
        if [bar, "run"] in event["targets"] and not event["queue"]
    )

    def come(client: httpx.Client, session: str) -> None:
        sent = {"fn_index": ask, "session_hash": session, "data": [{"number": 1}, None]}
        assert client.post(f"{address}/run/predict", json=sent).status_code == 200

    (mounted,) = idle.application.routes
    with httpx.Client() as client:
        come(client, "the victim's")
        for number in range(260):
            come(client, f"made up {number}")
    assert "the victim's" in mounted.app.state_holder.session_data
