"""The tab with the camera in a real browser, whose camera is a made-up one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.client import connect

from nst.web.live.socket import ROUTE
from tests.browser import Page, camera_is_off, canvas, expect, open_live, sync_api, visiting

pytestmark = pytest.mark.slow

RATES = re.compile(r"\d frames a second · network \d+ ms · round trip \d+ ms")
NO_CAMERA = """() => {
    const fail = () => Promise.reject(new DOMException("", "NotAllowedError"));
    navigator.mediaDevices.getUserMedia = fail;
}"""
CAMERAS = """() => {
    window.cameras = [];
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wish) => {
        const camera = await ask(wish);
        window.cameras.push(...camera.getTracks());
        return camera;
    };
}"""


@contextmanager
def at_the_camera(browser: sync_api.Browser, url: str, **context: object) -> Iterator[Page]:
    with visiting(browser, url, **context) as page:
        page.evaluate(CAMERAS)
        open_live(page)
        yield page


def rates(page: Page) -> sync_api.Locator:
    return page.locator("#live figure:visible .rate")


def test_two_networks_paint_the_camera(browser: sync_api.Browser, url: str) -> None:
    with at_the_camera(browser, url) as page:
        page.get_by_role("button", name="Start the camera").click()
        expect(rates(page)).to_have_text([RATES, RATES])
        expect(page.locator("#live h3")).to_have_text(["baseline", "v4"])
        shown = [canvas(page, f"#live figure:nth-child({place}) canvas") for place in (1, 2)]
        assert [picture.shape for picture in shown] == [(288, 384, 3)] * 2
        assert all(picture.std() > 10 for picture in shown)
        assert (shown[0] != shown[1]).any()
        # the same twice shows nothing, so that they change places
        page.get_by_label("First network").select_option("v4")
        expect(page.locator("#live h3")).to_have_text(["v4", "baseline"])
        page.get_by_label("Second network").select_option("none")
        page.get_by_label("Longer side of the frames").select_option("512 px")
        expect(rates(page)).to_have_text([RATES])
        page.wait_for_function("document.querySelector('#live canvas').width === 512")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#live .words")).to_have_text("Stopped.")
        assert camera_is_off(page)


def test_the_camera_stops_when_the_tab_is_left(browser: sync_api.Browser, url: str) -> None:
    with at_the_camera(browser, url) as page:
        page.get_by_role("button", name="Start the camera").press("Enter")
        expect(page.get_by_role("button", name="Stop")).to_be_focused()
        expect(page.locator("#live .words")).to_have_text("Live.")
        page.get_by_role("tab", name="Compare").click()
        page.wait_for_function('window.cameras.every((track) => track.readyState === "ended")')
        page.get_by_role("tab", name="Live").click()
        expect(page.locator("#live .words")).to_contain_text("Stopped")
        with connect(url.replace("http", "ws") + ROUTE, origin=url) as next_one:
            while "go" not in next_one.recv(timeout=60):  # the last frame is being painted
                pass
            # who comes meanwhile is told, and gets in when that one leaves
            page.get_by_role("button", name="Start the camera").click()
            expect(page.locator("#live .words")).to_contain_text("Somebody else is live")
        expect(rates(page)).to_have_text([RATES, RATES])


def test_without_a_camera_there_is_a_sentence(browser: sync_api.Browser, url: str) -> None:
    with at_the_camera(browser, url) as page:
        page.evaluate(NO_CAMERA)
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live .error")).to_contain_text("The camera is not allowed here")
        page.get_by_role("tab", name="Compare").click()


def test_a_broken_connection_is_said_and_can_be_made_again(
    browser: sync_api.Browser, url: str
) -> None:
    with at_the_camera(browser, url) as page:
        page.evaluate("""() => {
            const Socket = window.WebSocket;
            window.WebSocket = function (address) {
                return (window.socket = new Socket(address));
            };
            window.WebSocket.OPEN = Socket.OPEN;
        }""")
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live .words")).to_have_text("Live.")
        page.evaluate("window.socket.close()")
        expect(page.locator("#live .error")).to_contain_text("connection to the server is lost")
        assert camera_is_off(page)
        page.get_by_role("button", name="Start again").click()
        expect(rates(page)).to_have_text([RATES, RATES])
        page.get_by_role("button", name="Stop").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_camera_on_a_phone(browser: sync_api.Browser, url: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    with at_the_camera(browser, url, color_scheme=scheme, **phone) as page:
        page.get_by_role("button", name="Start the camera").tap()
        expect(rates(page)).to_have_text([RATES, RATES])
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert axe.run(page).response["violations"] == []
        page.get_by_role("button", name="Stop").tap()
        assert camera_is_off(page)
