"""The networks as files for visitors' devices."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from nst.device_program import IN_HALF, device_program
from nst.models import build_model
from nst.web.page.device_files import FOLDER, DeviceFiles

NETWORKS = {name: build_model(name) for name in ("v3", "v4")}
FILES = DeviceFiles(NETWORKS)


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[FILES.route()]))


@pytest.mark.parametrize("name", NETWORKS)
def test_browsers_keep_a_network_for_ever(client: TestClient, name: str) -> None:
    answer = client.get(FILES.addresses[name])
    assert answer.content == device_program(NETWORKS[name], half=name in IN_HALF).to_bytes()
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get(FILES.addresses[name], headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content


def test_another_network_lies_at_another_address() -> None:
    other = DeviceFiles({"v4": build_model("v4")})  # with other random weights
    assert other.addresses["v4"] != FILES.addresses["v4"]
    assert DeviceFiles(NETWORKS).addresses == FILES.addresses


@pytest.mark.parametrize(
    "path",
    [
        "0123456789abcdef/v4.nst",
        "{v4}/v3.nst",
        "",
        "%2e%2e/app.py",
    ],
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    hash_of_v4 = FILES.addresses["v4"].split("/")[1]
    assert client.get(f"{FOLDER}/{path.format(v4=hash_of_v4)}").status_code == 404
