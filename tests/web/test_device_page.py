"""The page in a browser whose graphics device is a software adapter: what runs there, and how."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nst.models import VARIANTS
from nst.paper import LATENCY_MS
from tests.browser import Page, camera_is_off, canvas, expect, open_live, sync_api, visiting

pytestmark = pytest.mark.slow

SOFTWARE = re.compile("swiftshader.*a software adapter", re.IGNORECASE)
MEASURE_SMALL = """side =>
    document.dispatchEvent(new CustomEvent("measure-on-device", { detail: side }))"""
COPIES = """() => {
    navigator.clipboard.writeText = async (text) => {
        window.copied = text;
    };
}"""


@contextmanager
def on_device(browser: sync_api.Browser, url: str, **context: object) -> Iterator[Page]:
    """A visit; `page.loaded` is what it asks for of the engine and the networks."""
    with visiting(browser, url, **context) as page:
        page.loaded = loaded = []

        def note(request: sync_api.Request) -> None:
            loaded.append(request.url)

        page.on("request", note)
        yield page
        page.remove_listener("request", note)


def networks_loaded(page: Page) -> list[str]:
    return sorted(re.findall(r"device-files/\w{16}/(\w+)\.nst", " ".join(page.loaded)))


def test_nothing_for_the_device_is_loaded_before_somebody_asks(
    with_webgpu: sync_api.Browser, url: str
) -> None:
    with visiting(with_webgpu, url) as page:
        loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert any("latency.js" in address for address in loaded)
    assert not [address for address in loaded if "engine.js" in address or ".nst" in address]


def test_the_device_is_measured_beside_the_server(with_webgpu: sync_api.Browser, url: str) -> None:
    with on_device(with_webgpu, url) as page:
        page.evaluate(COPIES)
        page.evaluate(MEASURE_SMALL, 32)
        expect(page.locator("#latency .words")).to_have_text(SOFTWARE)
        assert networks_loaded(page) == sorted(VARIANTS)
        heads = page.locator("#latency thead th").all_inner_texts()
        assert heads[1] == "this device, 32×32"
        assert page.locator("#latency tbody th").all_inner_texts() == list(VARIANTS)
        times = page.locator("#latency tbody td:nth-child(2)").all_inner_texts()
        assert all(re.fullmatch(r"\d+\.\d ms", time) for time in times)
        assert page.locator("#latency .bars .track .here").count() == len(VARIANTS)
        assert page.locator("#latency .bars .track .paper").count() == 0  # of another size
        page.get_by_role("button", name="Copy as text").click()
        expect(page.locator("#latency .words")).to_have_text("Copied.")
        copied = page.evaluate("window.copied")
        assert [line.split()[0] for line in copied.splitlines()[1:6]] == list(VARIANTS)
        assert "32×32 px, by the GPU’s clock; the way there and back takes" in copied
        assert SOFTWARE.search(copied)
        medians = dict.fromkeys(VARIANTS, 12.0)
        page.evaluate(  # as when the server has measured the same size
            """measured => {
                const bars = document.querySelector("#server-latency .bars");
                bars.dataset.measured = measured;
                bars.append("");
            }""",
            json.dumps({"side": 32, "medians": medians}),
        )
        cells = page.locator("#latency tbody td:nth-child(5)")
        expect(cells).to_have_text(["12.0 ms"] * len(VARIANTS))


def test_a_measurement_says_where_it_is_and_can_be_stopped(
    with_webgpu: sync_api.Browser, url: str
) -> None:
    with on_device(with_webgpu, url) as page:
        page.get_by_role("button", name="Measure on this device").click()
        expect(page.locator("#latency .words")).to_contain_text("Measuring baseline, warming up")
        page.locator("#latency .stop").click()
        expect(page.locator("#latency .words")).to_have_text("Stopped.")
        expect(page.locator("#latency .stop")).to_be_hidden()
        assert page.locator("#latency .times").inner_text() == ""
        # what the server and the paper say stays
        assert page.locator("#server-latency .track .paper").count() == len(LATENCY_MS)


def test_a_browser_without_webgpu_says_so(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url) as page:
        page.evaluate("delete Navigator.prototype.gpu")
        page.get_by_role("button", name="Measure on this device").click()
        expect(page.locator("#latency .error")).to_have_text("This browser has no WebGPU.")
        expect(page.locator("#latency .stop")).to_be_hidden()
        assert page.locator("#server-latency .track .paper").count() == len(LATENCY_MS)


SMALL_CAMERA = """() => {
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    window.cameras = [];
    mediaDevices.getUserMedia = async () => {
        const camera = await ask({ video: { width: 64, height: 48 } }); // lies or stands
        window.cameras.push(...camera.getTracks());
        return camera;
    };
}"""
SOCKETS = """() => {
    window.sockets = 0;
    const Socket = window.WebSocket;
    window.WebSocket = function (address) {
        window.sockets += 1;
        return new Socket(address);
    };
    window.WebSocket.OPEN = Socket.OPEN;
}"""
RATES = re.compile(r"\d frames a second · network \d+ ms · round trip \d+ ms")
DEVICES = """
    window.devices = [];
    const ask = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (wish) {
        const device = await ask.call(this, wish);
        window.devices.push(device);
        return device;
    };"""
A_GPU = """
    const about = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, "info").get;
    Object.defineProperty(GPUAdapter.prototype, "info", {
        get() {
            const { vendor } = about.call(this);
            return { vendor, architecture: "one", description: "A GPU", isFallbackAdapter: false };
        },
    });"""


@contextmanager
def at_the_camera(
    browser: sync_api.Browser, url: str, before: str = "", own: bool = False
) -> Iterator[Page]:
    # Who wants less motion has an example that stands still.
    with on_device(browser, url, own=own, reduced_motion="reduce") as page:
        page.evaluate(SMALL_CAMERA)
        page.evaluate(SOCKETS)
        page.evaluate(f"() => {{ {before} }}")
        open_live(page)
        yield page


def where(page: Page) -> sync_api.Locator:
    return page.get_by_label("Where the frames are stylized")


def rates(page: Page) -> sync_api.Locator:
    return page.locator("#live figure:visible .rate")


def hint(page: Page) -> sync_api.Locator:
    return page.locator("#live [data-way]:visible")


def test_the_camera_is_stylized_on_the_device(with_webgpu: sync_api.Browser, url: str) -> None:
    with at_the_camera(with_webgpu, url) as page:
        expect(where(page)).to_have_value("server")  # a software adapter is no GPU
        where(page).select_option("This device")
        expect(hint(page)).to_contain_text("nothing of them leaves the device")
        assert networks_loaded(page) == []
        page.get_by_role("button", name="Start the camera").click()
        expect(rates(page)).to_have_text([RATES, RATES])
        expect(page.locator("#live .words")).to_have_text(re.compile("Live, on .*software adapter"))
        shown = [canvas(page, f"#live figure:nth-child({place}) canvas") for place in (1, 2)]
        assert [sorted(picture.shape) for picture in shown] == [[3, 48, 64]] * 2
        assert all(picture.std() > 10 for picture in shown)
        assert (shown[0] != shown[1]).any()
        assert networks_loaded(page) == ["baseline", "v4"]
        page.get_by_label("Second network").select_option("none")
        page.get_by_label("First network").select_option("v3")
        expect(page.locator("#live h3").first).to_have_text("v3")
        expect(rates(page)).to_have_text([RATES])
        assert networks_loaded(page) == ["baseline", "v3", "v4"]
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#live .words")).to_have_text("Stopped.")
        assert camera_is_off(page)
        assert page.evaluate("window.sockets") == 0


def test_the_visitor_chooses_the_server_while_live(with_webgpu: sync_api.Browser, url: str) -> None:
    with at_the_camera(with_webgpu, url, A_GPU) as page:
        expect(where(page)).to_have_value("device")
        page.get_by_label("Second network").select_option("none")
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live .words")).to_have_text("Live, on A GPU.")
        where(page).select_option("The server")
        expect(hint(page)).to_contain_text("go to the machine that runs this page")
        expect(page.locator("#live .words")).to_have_text("Live.")
        assert page.evaluate("window.sockets") == 1
        page.get_by_role("tab", name="Compare").click()
        page.wait_for_function("window.cameras.every((track) => track.readyState === 'ended')")


def test_a_device_that_is_lost_ends_the_visit_and_nothing_is_sent(
    with_webgpu: sync_api.Browser, url: str
) -> None:
    with at_the_camera(with_webgpu, url, DEVICES) as page:
        expect(where(page)).to_have_value("server")
        where(page).select_option("This device")
        page.get_by_label("Second network").select_option("none")
        page.get_by_label("First network").select_option("v4")
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live .words")).to_contain_text("Live, on")
        page.evaluate("window.devices.at(-1).destroy()")
        expect(page.locator("#live .error")).to_contain_text("The server can stylize it")
        expect(where(page)).to_have_value("server")
        assert camera_is_off(page)
        assert page.evaluate("window.sockets") == 0


def test_leaving_while_the_networks_load(with_webgpu: sync_api.Browser, url: str) -> None:
    # With nothing in its cache, or there would be no time to leave.
    with at_the_camera(with_webgpu, url, A_GPU + DEVICES, own=True) as page:
        expect(where(page)).to_have_value("device")
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live .words")).to_have_text("Loading baseline …")
        page.get_by_role("button", name="Stop").click()
        page.wait_for_function("window.devices.length === 2")  # one has said what it is
        page.evaluate("window.devices[1].lost.then(() => true)")  # everything has left the GPU
        expect(page.locator("#live .words")).to_have_text("Stopped.")
        assert networks_loaded(page) == ["baseline"]


def test_where_the_device_cannot_there_is_a_sentence_and_the_server_can(
    browser: sync_api.Browser, url: str
) -> None:
    with at_the_camera(browser, url, "delete Navigator.prototype.gpu;") as page:
        expect(where(page)).to_have_value("server")
        where(page).select_option("This device")
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live .error")).to_contain_text("This browser has no WebGPU.")
        assert camera_is_off(page)
        assert page.evaluate("window.sockets") == 0  # not before the visitor wants it
        expect(where(page)).to_have_value("server")
        page.get_by_role("button", name="Start again").click()
        expect(page.locator("#live .words")).to_have_text("Live.")
        page.get_by_role("button", name="Stop").click()


def test_a_browser_that_never_says_whether_there_is_a_gpu(
    browser: sync_api.Browser, url: str
) -> None:
    never = "GPU.prototype.requestAdapter = () => new Promise(() => {});"
    with at_the_camera(browser, url, never) as page:
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live .words")).to_have_text("Live.")
        page.get_by_role("button", name="Stop").click()
