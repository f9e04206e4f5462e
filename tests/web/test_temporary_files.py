"""Visitors' files are for the page alone, and gone when it ends or when they are old."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from gradio_client import Client, handle_file

from nst.web.page.texts import ABOUT
from nst.web.server.temporary_files import EVERY, OLD, PREFIX, STOPPED, sweep
from tests.helpers import ROOT, random_picture, run_python
from tests.load import page

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX's signals and permissions")
SIGNALS = {"SIGINT": 130, "SIGTERM": -signal.SIGTERM, "SIGHUP": -1}


def put(path: Path, age: float) -> Path:
    """A file of this age in seconds, in folders as old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a photo")
    for old in (path, path.parent, path.parent.parent):
        os.utime(old, (time.time() - age,) * 2)
    return path


def test_the_promise_is_kept() -> None:
    assert f"for at most {(OLD + EVERY) // 60} minutes" in ABOUT


def test_what_is_old_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / f"{PREFIX}mine"
    old, new = OLD + 10, OLD - 60
    kept = put(folder / "welcome" / "picture.png", old)
    stay = [
        put(folder / "photo" / "new.png", new),
        put(tmp_path / f"{PREFIX}other" / "photo" / "new.png", new),
        put(tmp_path / "gradio" / "photo" / "old.png", old),  # another program's
        put(tmp_path / "old.png", old),
    ]
    real = put(tmp_path / "elsewhere" / "photo" / "old.png", old)
    (tmp_path / f"{PREFIX}link").symlink_to(real.parent.parent)
    go = [
        put(folder / "tmp1" / "an upload that broke off", old),
        put(tmp_path / f"{PREFIX}dead" / "photo" / "old.png", old),
    ]
    half_dead = put(tmp_path / f"{PREFIX}other" / "photo2" / "old.png", old)
    sweep(folder, [str(kept)])
    assert all(path.exists() for path in [*stay, kept, real])
    assert not any(path.exists() for path in [*go, half_dead])
    assert not go[0].parent.exists()
    assert not (tmp_path / f"{PREFIX}dead").exists()
    assert kept.stat().st_mtime > time.time() - 60  # so that no other page takes it for old


WRITER = """
import threading, time
from nst.web.server.temporary_files import folder_for_visitors
folder = folder_for_visitors()
def write():
    for number in range(10**9):
        (folder / "uploads").mkdir(exist_ok=True, parents=True)
        (folder / "uploads" / str(number)).write_text("a photo")
        time.sleep(0.002)
for _ in range(3):
    threading.Thread(target=write, daemon=True).start()
while not list(folder.glob("*/*")):
    time.sleep(0.01)
print("ready", flush=True)
time.sleep(60)
"""


@contextmanager
def program(folder: Path) -> Iterator[subprocess.Popen]:
    """A process that writes visitors' files without end."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests may themselves run in the background, where it would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()


@pytest.mark.parametrize("name", SIGNALS)
def test_nothing_is_left_after_a_signal(name: str, tmp_path: Path) -> None:
    other = put(tmp_path / "mine.png", 0)
    with program(tmp_path) as process:
        process.send_signal(getattr(signal, name))
        _, errors = process.communicate(timeout=20)
    assert process.returncode == SIGNALS[name]
    assert errors == (f"{STOPPED}\n" if name == "SIGINT" else "")
    assert list(tmp_path.iterdir()) == [other]


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    text = (
        "from nst.web.server.temporary_files import folder_for_visitors;"
        "(folder_for_visitors() / 'a').touch(); 1 / 0"
    )
    assert "division by zero" in run_python("-c", text, GRADIO_TEMP_DIR=str(tmp_path)).stderr
    assert list(tmp_path.iterdir()) == []


# The page itself


class Started(NamedTuple):
    address: str
    process: subprocess.Popen
    temporary: Path  # GRADIO_TEMP_DIR

    def files(self) -> list[Path]:
        return [path for path in self.temporary.rglob("*") if path.is_file()]


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A page on IPv6, in a folder where another one was killed, among proxies that lead nowhere."""
    temporary = tmp_path_factory.mktemp("temporary")
    put(temporary / f"{PREFIX}dead" / "photo" / "old.png", OLD + 10)
    proxies = {"http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "socks5://127.0.0.1:9"}
    names = {"GRADIO_SERVER_NAME": "::"} if has_ipv6() else {}
    host = "[::1]" if names else "127.0.0.1"
    with page(host, GRADIO_TEMP_DIR=str(temporary), **proxies, **names) as (address, process):
        yield Started(address, process, temporary)


def stylize(started: Started, folder: Path, seed: int) -> dict[str, str]:
    random_picture(60, 40, seed=seed).save(folder / "photo.png")
    client = Client(started.address, verbose=False, download_files=folder / "downloads")
    job = client.submit(
        handle_file(folder / "photo.png"), 64, strength=50, engine="eager", api_name="/stylize"
    )
    files = job.result(timeout=120)["files"]
    return files


@pytest.mark.slow
def test_such_a_page_starts(started: Started) -> None:
    assert httpx.get(started.address).status_code == 200


@pytest.mark.slow
def test_files_of_visitors_are_for_the_page_alone(started: Started, tmp_path: Path) -> None:
    before = set(started.files())
    stylize(started, tmp_path, seed=1)
    assert len(set(started.files()) - before) > 11  # upload, results, mixed ones
    for path in started.temporary.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert not (started.temporary / f"{PREFIX}dead").exists()


@pytest.mark.slow
def test_the_folder_may_be_cleaned_while_the_page_runs(started: Started, tmp_path: Path) -> None:
    def pictures() -> list[bytes]:
        """What a new visitor sees."""
        parts = httpx.get(f"{started.address}/config").json()["components"]
        (viewer,) = (part for part in parts if part["props"].get("elem_id") == "viewer")
        panes = viewer["props"]["value"]["panes"]
        answers = [httpx.get(pane["picture"]["url"]) for pane in panes.values()]
        assert {answer.status_code for answer in answers} == {200}
        return [answer.content for answer in answers]

    before, files = pictures(), stylize(started, tmp_path, seed=2)
    shutil.rmtree(started.temporary, ignore_errors=True)  # while the page may be writing
    assert pictures() == before
    again = stylize(started, tmp_path, seed=2)
    for name, path in files.items():
        assert Path(path).read_bytes() == Path(again[name]).read_bytes()
    for path in started.temporary.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    figures = started.address + "/gradio_api/file=assets/figure-2-losses.png"
    assert httpx.get(figures).status_code == 200


@pytest.mark.slow
def test_a_stop_takes_this_pages_files_while_somebody_looks(
    started: Started, tmp_path: Path
) -> None:
    other = put(started.temporary / f"{PREFIX}other" / "photo" / "new.png", 0)
    stylize(started, tmp_path, seed=3)
    assert len(started.files()) > 20
    with httpx.stream(
        "GET", f"{started.address}/gradio_api/heartbeat/abc", timeout=20
    ) as open_page:
        next(open_page.iter_bytes())
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=20) == -signal.SIGTERM
    assert started.files() == [other]
