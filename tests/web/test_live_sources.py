"""What the tab "Live" shows and gives to keep; networks that change nothing show what arrives."""

from __future__ import annotations

import base64
import io
import re
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.browser import Page, canvas, expect, open_live, png, sync_api, visiting
from tests.helpers import encoded, random_picture
from tests.web.conftest import Idle
from tests.web.test_device_page import A_GPU, DEVICES, SOCKETS, networks_loaded, on_device

pytestmark = pytest.mark.slow

RED, BLUE = (200, 0, 0), (0, 0, 200)
TURN, TURN_NOT = (  # clockwise, as MP4s have it in their heads
    (np.array([*turn, 1 << 14]) << 16).astype(">i4")
    for turn in ([0, 1, 0, -1, 0, 0, 60, 0], [1, 0, 0, 0, 1, 0, 0, 0])
)
# Something that moves: red on the left, blue on the right.
DRAW = """() => {
    window.drawn = Object.assign(document.createElement("canvas"), { width: 100, height: 60 });
    const context = window.drawn.getContext("2d");
    setInterval(() => {
        context.fillStyle = "rgb(200 0 0)";
        context.fillRect(0, 0, 50, 60);
        context.fillStyle = `rgb(0 0 ${200 + (performance.now() % 9)})`;
        context.fillRect(50, 0, 50, 60);
    }, 50);
}"""
RECORD = """async () => {
    const settings = { mimeType: "video/mp4;codecs=vp9" };
    const recorder = new MediaRecorder(window.drawn.captureStream(), settings);
    const whole = new Promise((resolve) => (recorder.ondataavailable = resolve));
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    recorder.stop();
    const bytes = new Uint8Array(await (await whole).data.arrayBuffer());
    return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}"""
LOOPS = """() => {
    window.loops = 0;
    const { play } = HTMLMediaElement.prototype;
    HTMLMediaElement.prototype.play = function () {
        this.addEventListener("seeked", () => (window.loops += 1));
        return play.call(this);
    };
}"""
DROP = """text => {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt());
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "mine")); // of no type, as some systems give them
    const settings = { bubbles: true, cancelable: true, dataTransfer };
    document.body.dispatchEvent(new DragEvent("drop", settings));
}"""
TWO_CAMERAS = """() => {
    window.asked = [];
    window.cameras = [];
    const { mediaDevices } = navigator;
    mediaDevices.enumerateDevices = async () => [{ kind: "videoinput" }, { kind: "videoinput" }];
    mediaDevices.getUserMedia = async ({ video: { facingMode } }) => {
        const going = window.cameras.filter((one) => one.readyState === "live");
        window.asked.push([facingMode, going.length]);
        const stream = window.drawn.captureStream();
        const [track] = stream.getVideoTracks();
        track.getSettings = () => ({ facingMode });
        window.cameras.push(track);
        return stream;
    };
}"""
NO_RECORDER = "() => { delete window.MediaRecorder; }"
SHOWN = """expected => {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    return ["1", "2"].every((place) => {
        const shown = document.querySelector(`#live figure:nth-child(${place}) canvas`);
        [canvas.width, canvas.height] = [shown.width, shown.height];
        context.drawImage(shown, 0, 0);
        return expected.every(([x, y, colour]) => {
            const { data } = context.getImageData(x * canvas.width, y * canvas.height, 1, 1);
            return colour.every((value, index) => Math.abs(value - data[index]) < 40);
        });
    });
}"""
LEFT_RED, RIGHT_RED = ([[x, 0.5, RED], [1 - x, 0.5, BLUE]] for x in (0.2, 0.8))


@contextmanager
def live(browser: sync_api.Browser, url: str, *scripts: str, **context: object) -> Iterator[Page]:
    with visiting(browser, url, **context) as page:
        for script in (DRAW, *scripts):
            page.evaluate(script)
        open_live(page)
        yield page


def video(page: Page, matrix: np.ndarray = TURN_NOT) -> bytes:
    """An MP4 of what is drawn, 100×60 px, that players turn as the matrix says."""
    content = base64.b64decode(page.evaluate(RECORD))
    start = content.index(TURN_NOT.tobytes(), content.index(b"tkhd"))
    return content[:start] + matrix.tobytes() + content[start + matrix.nbytes :]


def choose(page: Page, content: bytes, name: str = "mine.mp4") -> None:
    file = {"name": name, "mimeType": "video/mp4", "buffer": content}
    page.locator("#live input[type=file]").set_input_files(file)


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop", exact=True).click()


def test_a_video_is_played_turned_and_begins_again(browser: sync_api.Browser, idle: Idle) -> None:
    with live(browser, idle.url, LOOPS) as page:
        sent = []
        page.on("request", lambda request: sent.append(request.method))
        choose(page, video(page, TURN))
        page.wait_for_function(SHOWN, arg=[[0.5, 0.2, RED], [0.5, 0.8, BLUE]])
        assert canvas(page, "#live canvas").shape == (100, 60, 3)
        expect(page.get_by_role("checkbox", name="Mirrored")).to_be_hidden()
        page.wait_for_function("window.loops > 0")
        stop(page)
        page.evaluate(DROP, base64.b64encode(video(page)).decode())
        page.wait_for_function(SHOWN, arg=LEFT_RED)
        assert canvas(page, "#live canvas").shape == (60, 100, 3)
        assert "POST" not in sent  # the file itself stays here
        stop(page)


def test_a_file_that_is_no_video(browser: sync_api.Browser, idle: Idle) -> None:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", None))
        file.writeframes(bytes(8000))
    with live(browser, idle.url, SOCKETS) as page:
        for content in (b"no video", encoded(random_picture(30, 20)), sound.getvalue()):
            choose(page, content)
            expect(page.locator("#live .error")).to_have_text(
                "This browser cannot play this file as a video."
            )
            expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
            page.evaluate("document.querySelector('#live .error').textContent = ''")
        assert page.evaluate("window.sockets") == 0


def test_the_other_camera_is_not_mirrored(browser: sync_api.Browser, idle: Idle) -> None:
    with live(browser, idle.url, TWO_CAMERAS) as page:
        expect(page.get_by_role("button", name="Rear camera")).to_be_hidden()
        page.get_by_role("button", name="Start the camera").click()
        page.wait_for_function(SHOWN, arg=RIGHT_RED)
        page.get_by_role("button", name="Rear camera").click()
        page.wait_for_function(SHOWN, arg=LEFT_RED)
        expect(page.get_by_role("checkbox", name="Mirrored")).to_be_hidden()
        page.get_by_role("button", name="Front camera").click()
        page.wait_for_function(SHOWN, arg=RIGHT_RED)
        asked = page.evaluate("window.asked")
        assert asked == [["user", 0], ["environment", 0], ["user", 0]]  # never two at once
        stop(page)


def test_what_is_seen_can_be_kept(browser: sync_api.Browser, idle: Idle) -> None:
    with live(browser, idle.url) as page:
        expect(page.get_by_role("button", name="Save picture")).to_be_hidden()
        choose(page, video(page))
        page.wait_for_function(SHOWN, arg=LEFT_RED)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save picture").click()
        name = download.value.suggested_filename
        assert re.fullmatch(r"live-baseline-v4-20\d\d-\d\d-\d\d(-\d\d){3}\.png", name)
        saved = png(Path(download.value.path()).read_bytes())
        assert saved.shape == (92, 200, 3)
        for x, colour in enumerate((RED, BLUE, RED, BLUE)):
            assert np.abs(saved[30, 50 * x + 25].astype(int) - colour).max() < 40
        page.get_by_role("button", name="Record").click()
        page.wait_for_timeout(1000)
        with page.expect_download() as download:
            stop(page)  # ends and keeps it
        name = download.value.suggested_filename
        assert re.fullmatch(r"live-baseline-v4-[-\d]{19}\.(mp4|webm)", name)
        choose(page, Path(download.value.path()).read_bytes(), name)
        page.wait_for_function(
            SHOWN, arg=[[x, 0.3, colour] for x, colour in zip((0.1, 0.4), (RED, BLUE), strict=True)]
        )
        assert canvas(page, "#live canvas").shape == (92, 200, 3)
        stop(page)


def test_an_example_is_there_before(browser: sync_api.Browser, idle: Idle) -> None:
    with live(browser, idle.url, NO_RECORDER, SOCKETS, TWO_CAMERAS) as page:
        expect(page.locator("#live .words")).to_contain_text("painted by the server")
        page.wait_for_function("document.querySelector('#live canvas').width === 512")
        assert canvas(page, "#live canvas").std() > 10
        assert page.evaluate("window.sockets") == 0
        page.get_by_role("button", name="Start the camera").click()
        expect(page.get_by_role("button", name="Save picture")).to_be_visible()
        expect(page.locator("#live .record")).to_be_hidden()
        stop(page)
        expect(page.locator("#live .words")).to_have_text("Stopped.")
        page.get_by_label("First network").select_option("v1")  # which has painted nothing of it
        expect(page.locator("#live .words")).to_contain_text("painted by the server")


def test_the_example_moves_on_a_gpu(with_webgpu: sync_api.Browser, idle: Idle) -> None:
    photo = encoded(random_picture(64, 48))
    with on_device(with_webgpu, idle.url) as page:
        page.evaluate(f"() => {{ {A_GPU} {DEVICES} }}")
        page.route("**/*-original.png", lambda route: route.fulfill(body=photo))
        open_live(page)
        page.get_by_label("First network").select_option("v4")  # and no other, for speed
        page.get_by_label("Second network").select_option("none")
        expect(page.locator("#live .words")).to_contain_text("painted on this device")
        assert "v4" in networks_loaded(page)
        assert canvas(page, "#live canvas").shape == (30, 40, 3)  # a part of the photo
        page.wait_for_function(
            "before => document.querySelector('#live canvas').toDataURL() !== before",
            arg=page.evaluate("document.querySelector('#live canvas').toDataURL()"),
        )
        page.get_by_role("tab", name="Compare").click()
        page.evaluate("window.devices.at(-1).lost.then(() => true)")  # nothing goes on there
