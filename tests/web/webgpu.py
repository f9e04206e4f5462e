"""The engine for a visitor's own device on an empty page, and pictures for it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import urlsplit

import numpy as np
import torch

from nst.device_program import IN_HALF, device_program
from nst.models import TransformerNet
from nst.paths import ASSETS
from tests.browser import FLAGS, Page, sync_api

WITH_WEBGPU = [flag for flag in FLAGS if flag != "--disable-gpu"] + ["--enable-unsafe-webgpu"]
ADDRESS = "http://localhost/"
HTML = """<!doctype html><link rel="icon" href="data:,"><script type="module">
    import { Engine } from "/engine.js";
    const ask = globalThis.GPUAdapter?.prototype.requestDevice;
    globalThis.devices = [];
    if (ask) GPUAdapter.prototype.requestDevice = async function (wish) {
        const device = await ask.call(this, wish);
        devices.push(device);
        return device;
    };
    globalThis.Engine = Engine;
    globalThis.pictureOf = (text, width, height) => {
        const bytes = Uint8ClampedArray.from(atob(text), (sign) => sign.charCodeAt());
        return new ImageData(bytes, width, height);
    };
    globalThis.textOf = ({ data }) =>
        btoa(data.reduce((text, byte) => text + String.fromCharCode(byte), ""));
    globalThis.failure = async (work) => {
        try { return [null, await work()]; } catch (error) { return [error.reason, error.message]; }
    };
</script>"""
STYLIZE = """async ({ name, merged, pictures }) => {
    const engine = await Engine.open(`/${name}.nst`, merged);
    const painted = await Promise.all(pictures.map((one) => engine.stylize(pictureOf(...one))));
    await engine.close();
    return painted.map(textOf);
}"""


def engine_pages(
    chromium: sync_api.Browser, networks: dict[str, TransformerNet]
) -> Callable[..., Page]:
    """What opens a page that has the engine and can load the networks."""
    program = {
        f"/{name}.nst": device_program(network, half=name in IN_HALF).to_bytes()
        for name, network in networks.items()
    }

    def answer(route: sync_api.Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/":
            route.fulfill(body=HTML, content_type="text/html")
        elif path in program:
            route.fulfill(body=program[path], content_type="application/octet-stream")
        else:
            file = ASSETS / "device" / path[1:]
            route.fulfill(body=file.read_bytes(), content_type="text/javascript")

    def open_page(address: str = ADDRESS, before: str = "") -> Page:
        page = chromium.new_page()
        page.route("**/*", answer)
        page.add_init_script(before)
        page.goto(address)
        page.wait_for_function("Boolean(globalThis.Engine)")
        return page

    return open_page


def colourful(width: int, height: int, *, alpha: bool = False) -> np.ndarray:
    """(H, W, 4), all colours, with edges and noise."""
    random = np.random.default_rng(width)
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / 5), np.cos(columns / 7), np.sign(np.sin((rows + columns) / 9))]
    picture = np.stack([*waves, np.full((height, width), 9.0)], 2) * 90 + 128
    picture += random.normal(0, 20, picture.shape)
    if alpha:
        picture[..., 3] = random.integers(0, 256, (height, width))
    return picture.clip(0, 255).astype(np.uint8)


def sent(picture: np.ndarray) -> tuple[str, int, int]:
    height, width, _ = picture.shape
    return base64.b64encode(picture.tobytes()).decode(), width, height


def eager(network: TransformerNet, picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) in levels, not rounded."""
    levels, alpha = picture[..., :3].astype(np.float32) / 255, picture[..., 3:] / np.float32(255)
    on_white = levels * alpha + 1 - alpha
    with torch.inference_mode():
        painted = network(torch.from_numpy(on_white).permute(2, 0, 1)[None])
    return painted[0].permute(1, 2, 0).numpy().clip(0, 1) * 255


def received(text: str, like: np.ndarray) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(like.shape)


def check_equal(
    page: Page, name: str, network: TransformerNet, pictures: list[np.ndarray], **how: bool
) -> None:
    wish = {"name": name, "pictures": [sent(one) for one in pictures], **how}
    for picture, text in zip(pictures, page.evaluate(STYLIZE, wish), strict=True):
        painted = received(text, picture)
        assert (painted[..., 3] == 255).all()
        assert np.abs(painted[..., :3] - eager(network, picture)).max() <= 1, picture.shape
