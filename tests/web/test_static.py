"""The page's scripts as files: what is served and how, and how they import each other."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from posixpath import dirname, join, normpath

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from nst.web.page.static import FOLDER, address, files, static_route

IMPORT = re.compile(r'^import \{ (.*) \} from "(\..*)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:const|class|function) (\w+)", re.MULTILINE)
ENTRIES = {f"{part}/{part}.js" for part in ("bar", "latency", "live", "painting", "viewer")}
WHEN_ASKED_FOR = {"device/engine.js": {"Engine"}}
MODULES = {name: text.decode() for name, text in files().items() if b"\nexport " in text}


def imports(name: str) -> dict[str, set[str]]:
    """The names that a script imports from each other script."""
    found = IMPORT.findall(MODULES[name])
    assert len(found) == MODULES[name].count("\nimport ")
    return {normpath(join(dirname(name), path)): set(names.split(", ")) for names, path in found}


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[static_route()]))


def test_browsers_keep_a_script_for_ever(client: TestClient) -> None:
    answer = client.get(address("viewer/viewer.js"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get(address("viewer/viewer.js"), headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content == files()["viewer/viewer.js"]
    style = client.get(address("style.css"))
    assert style.headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        f"{FOLDER}/0123456789abcdef/viewer/viewer.js",  # of another version
        address("lamps.png"),
        address("viewer/viewer.html"),
        address("drawing/draw_face.py"),
        address("viewer"),
        address("viewer/../../app.py"),
        address("%2e%2e/app.py"),
        address("//etc/passwd"),
    ],
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_scripts_import_what_others_export_and_nothing_is_exported_for_nobody() -> None:
    exported = {name: set(EXPORT.findall(text)) for name, text in MODULES.items()}
    used = {name: {"start"} if name in ENTRIES else set() for name in MODULES}
    used |= WHEN_ASKED_FOR
    for name in MODULES:
        for other, names in imports(name).items():
            used[other] |= names
    assert used == exported


def test_scripts_import_each_other_without_circles() -> None:
    order = list(TopologicalSorter({name: imports(name) for name in MODULES}).static_order())
    assert set(order) == set(MODULES)
