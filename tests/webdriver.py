"""Firefox and WebKitGTK as Debian has them, which Playwright cannot drive.

Both understand the W3C's WebDriver: WebKit through a server of its own, Firefox by Marionette,
which takes the same commands from a socket.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from tests.load import free_port

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's key of an element
MINI_BROWSER = Path("/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser")
FIREFOX = ("--headless", "--marionette", "--remote-allow-system-access")
PATHS = {
    "Navigate": "url",
    "ExecuteAsyncScript": "execute/async",
    "PerformActions": "actions",
    "FindElement": "element",
    "ElementSendKeys": "element/{id}/value",
    "SetWindowRect": "window/rect",
    "SetTimeouts": "timeouts",
    "TakeScreenshot": "screenshot",
}
PROGRAM = """
const [program, given, done] = arguments;
const run = Object.getPrototypeOf(async () => {}).constructor("given", program);
run(given).then((value) => done({ value }), (error) => done({ error: `${error} ${error.stack}` }));
"""

Send = Callable[..., object]  # a command with its parameters


class Driver:
    """A window of a browser."""

    def __init__(self, send: Send) -> None:
        self.send = send
        send("SetTimeouts", script=60_000)

    def open(self, url: str) -> None:
        self.send("Navigate", url=url)

    def run(self, program: str, given: object = None) -> object:
        """What the body of an asynchronous function returns that has `given`."""
        answer = self.send("ExecuteAsyncScript", script=PROGRAM, args=[program, given])
        assert "error" not in answer, answer["error"]
        return answer.get("value")

    def wait_for(self, condition: str, given: object = None, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not self.run(f"return Boolean({condition})", given):
            assert time.monotonic() < end, f"never: {condition}"
            time.sleep(0.1)

    def press(self, *keys: str) -> None:
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._perform({"type": "key", "id": "keys", "actions": actions})

    def press_at(self, kind: str, x: float, y: float, times: int = 1) -> None:
        """By "mouse" or "touch"; the place in CSS px."""
        move = {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
        click = [{"type": f"pointer{which}", "button": 0} for which in ("Down", "Up")]
        pointer = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}}
        self._perform({**pointer, "actions": [move, *times * click]})

    def screen(self) -> Image.Image:
        """What the window shows."""
        png = base64.b64decode(self.send("TakeScreenshot", full=False))
        return Image.open(io.BytesIO(png)).convert("RGB")

    def choose(self, selector: str, path: Path) -> None:
        """A file."""
        element = self.send("FindElement", using="css selector", value=selector)[ELEMENT]
        self.send("ElementSendKeys", id=element, text=str(path))

    def _perform(self, source: dict[str, object]) -> None:
        self.send("PerformActions", actions=[source])


@contextmanager
def running(*command: str | Path, **environment: str) -> Iterator[None]:
    """A program; it and what it has started end with the block."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def patiently(attempt: Callable[[], object], seconds: float = 60) -> object:
    """Until a program that starts listens."""
    end = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except (ConnectionError, urllib.error.URLError):
            assert time.monotonic() < end, "it does not listen"
            time.sleep(0.2)


@contextmanager
def firefox(**settings: bool | int | str) -> Iterator[Driver | None]:
    """With settings of about:config; None where there is none."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if not program:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        settings = {**settings, "marionette.port": port}
        lines = [f"user_pref({json.dumps(one)}, {json.dumps(it)});" for one, it in settings.items()]
        Path(profile, "user.js").write_text("\n".join(lines))
        with (
            running(program, *FIREFOX, "--profile", profile, HOME=profile),
            patiently(lambda: socket.create_connection(("127.0.0.1", port))) as connection,
        ):
            yield Driver(marionette(connection))


def marionette(connection: socket.socket) -> Send:
    """Messages are `length:[kind, number, ...]`."""
    stream = connection.makefile("rb")

    def receive() -> object:
        length = b""
        while not length.endswith(b":"):
            length += stream.read(1)
        return json.loads(stream.read(int(length[:-1])))

    def send(command: str, **body: object) -> object:
        name = command if ":" in command else f"WebDriver:{command}"
        message = json.dumps([0, 1, name, body]).encode()
        connection.sendall(b"%d:%s" % (len(message), message))
        _, _, error, value = receive()
        assert not error, f"{command}: {error}"
        return value["value"] if list(value or ()) == ["value"] else value

    receive()  # who it is
    send("NewSession")
    return send


def set_preference(firefox: Driver, name: str, value: str) -> None:
    """Of about:config, while it runs."""
    firefox.send("Marionette:SetContext", value="chrome")
    script = "Services.prefs.setCharPref(...arguments)"
    firefox.send("ExecuteScript", script=script, args=[name, value])
    firefox.send("Marionette:SetContext", value="content")


@contextmanager
def webkit() -> Iterator[Driver | None]:
    """None where there is none, or no screen in memory for it."""
    programs = shutil.which("xvfb-run"), shutil.which("WebKitWebDriver")
    if not all(programs) or not MINI_BROWSER.exists():
        yield None
        return
    port = free_port()
    screen = "--server-args=-screen 0 1600x1200x24"
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        running(programs[0], "-a", screen, programs[1], f"--port={port}", HOME=home),
    ):
        yield Driver(web_driver(f"http://127.0.0.1:{port}/session"))


def web_driver(address: str) -> Send:
    def ask(path: str, body: object = None) -> object:
        content = json.dumps(body).encode() if body else None
        request = urllib.request.Request(
            address + path, content, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from None

    options = {"binary": str(MINI_BROWSER), "args": ["--automation"]}
    wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
    session = patiently(lambda: ask("", {"capabilities": wanted}))["sessionId"]

    def send(command: str, **body: object) -> object:
        path = f"/{session}/{PATHS[command].format(**body)}"
        return ask(path, None if command == "TakeScreenshot" else body)

    return send
