"""A machine that the page cannot start on is answered with a sentence; others do not disturb it."""

from __future__ import annotations

import os
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nst.web.server.environment import (
    PORT,
    Address,
    CannotStartError,
    listen,
    read_address,
    use_no_proxy,
)
from tests.helpers import run_python
from tests.load import free_port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("name", "port", "address", "written"),
    [
        ("", "", ("127.0.0.1", PORT), "127.0.0.1:7860"),
        ("0.0.0.0", "80", ("0.0.0.0", 80), "0.0.0.0:80"),
        ("::", "7860", ("::", 7860), "[::]:7860"),
        ("[::1]", "", ("::1", PORT), "[::1]:7860"),
        ("localhost", "65535", ("localhost", 65535), "localhost:65535"),
    ],
)
def test_an_address_is_read(name: str, port: str, address: tuple, written: str) -> None:
    read = read_address({"GRADIO_SERVER_NAME": name, "GRADIO_SERVER_PORT": port})
    assert read == address
    assert str(read) == written


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "80.5", " ", "٣"])
def test_what_is_no_port(port: str) -> None:
    with pytest.raises(CannotStartError, match="not a number from 1 to 65535"):
        read_address({"GRADIO_SERVER_PORT": port})


def test_a_port_is_free_or_not(taken: int) -> None:
    with pytest.raises(CannotStartError, match=f"127.0.0.1:{taken} .*in use"):
        listen(Address("127.0.0.1", taken))
    with pytest.raises(CannotStartError, match="in use"):
        listen(Address("0.0.0.0", taken))
    with pytest.raises(CannotStartError, match=r"cannot listen on 192\.0\.2\.1:"):
        listen(Address("192.0.2.1"))
    with pytest.raises(CannotStartError, match="cannot listen on"):
        listen(Address("a" * 70 + ".example"))


def test_a_port_is_held_from_then_on() -> None:
    (listener,) = listen(Address("127.0.0.1", free_port()))
    with listener, pytest.raises(CannotStartError, match="in use"):
        listen(Address(*listener.getsockname()))


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_no_proxy_is_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "example.org")
    environment = dict(os.environ)
    use_no_proxy(environment)
    for changed in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(changed, environment[changed])
    assert urllib.request.proxy_bypass("127.0.0.1")
    httpx.Client().close()  # it refuses some kinds of proxies even when it needs none


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"GRADIO_SERVER_PORT": "http"}, "GRADIO_SERVER_PORT is 'http', not a number"),
        ({"GRADIO_SERVER_NAME": "192.0.2.1"}, "cannot listen on 192.0.2.1:"),
        ({"GRADIO_TEMP_DIR": "{file}/folder"}, "pictures cannot be kept (Not a directory: {file}"),
        ({"GRADIO_TEMP_DIR": "/proc/folder"}, "pictures cannot be kept (No such file or directory"),
    ],
)
def test_a_page_that_cannot_start_says_why(
    environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    environment = {name: value.replace("{file}", str(file)) for name, value in environment.items()}
    done = run_python("app.py", **{"GRADIO_SERVER_PORT": str(free_port()), **environment})
    assert done.returncode == 1
    assert done.stderr.startswith(f"app.py: {sentence.replace('{file}', str(file))}")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="users are POSIX's")
def test_a_temporary_folder_of_another_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("the superuser may write everywhere")
    port = str(free_port())
    done = run_python("app.py", GRADIO_TEMP_DIR=str(tmp_path), GRADIO_SERVER_PORT=port)
    assert done.returncode == 1
    assert done.stderr.startswith("app.py: pictures cannot be kept (Permission denied")


def test_a_port_in_use(taken: int) -> None:
    done = run_python("app.py", GRADIO_SERVER_PORT=str(taken))
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="bounds are POSIX's")
def test_a_temporary_folder_that_is_full(tmp_path: Path) -> None:
    text = (
        "import resource; from nst.web.server.environment import prepare;"
        "prepared = prepare(); import app; from nst.models import VARIANTS;"
        "same = dict.fromkeys(VARIANTS, lambda photo: photo);"
        "networks = app.load_networks(); app.load_engines = lambda: (networks, {'eager': same});"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); app.main(*prepared)"
    )
    environment = {"GRADIO_TEMP_DIR": str(tmp_path), "GRADIO_SERVER_PORT": str(free_port())}
    done = run_python("-c", text, **environment)
    assert done.returncode == 1
    assert done.stderr.startswith("app.py: pictures cannot be kept (File too large")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
