"""The networks on a visitor's own device, by WebGPU, which Chromium has without a GPU too."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch

from nst.checkpoint import load_networks
from nst.device_program import IN_HALF, device_program
from nst.models import VARIANTS, TransformerNet
from nst.paths import ASSETS
from tests.browser import FLAGS, Page, executable, sync_api

WITH_WEBGPU = [flag for flag in FLAGS if flag != "--disable-gpu"] + ["--enable-unsafe-webgpu"]
SIZES = [(17, 23), (64, 48)]  # width, height
LARGER = [(16, 16), (131, 97), (256, 192)]
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
FAILURE = """([code, width, height]) => failure(async () => {
    const engine = await Engine.open("/v4.nst");
    try {
        await new Function("engine", "picture", `return (async () => { ${code} })()`)(
            engine, new ImageData(width, height));
    } finally {
        await engine.close();
    }
})"""


@pytest.fixture(scope="module")
def networks() -> dict[str, TransformerNet]:
    return load_networks()


@pytest.fixture(scope="module")
def visit(
    browser: sync_api.Browser, networks: dict[str, TransformerNet]
) -> Iterator[Callable[..., Page]]:
    """Opens a page that has the engine, in a Chromium with WebGPU."""
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

    with browser.browser_type.launch(executable_path=executable(), args=WITH_WEBGPU) as chromium:

        def open_page(address: str = ADDRESS, before: str = "") -> Page:
            page = chromium.new_page()
            page.route("**/*", answer)
            page.add_init_script(before)
            page.goto(address)
            page.wait_for_function("Boolean(globalThis.Engine)")
            return page

        page = open_page()
        if not page.evaluate("navigator.gpu?.requestAdapter().then(Boolean)"):
            pytest.skip("this Chromium has no WebGPU")
        page.close()
        yield open_page


@pytest.fixture(scope="module")
def page(visit: Callable[..., Page]) -> Page:
    """A page on which one network stays open, so that kernels are compiled once."""
    page = visit()
    page.evaluate('async () => { globalThis.open = await Engine.open("/v4.nst"); }')
    return page


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


@pytest.mark.parametrize("name", VARIANTS)
def test_paints_what_pytorch_paints(
    page: Page, networks: dict[str, TransformerNet], name: str
) -> None:
    pictures = [colourful(*size) for size in SIZES]
    check_equal(page, name, networks[name], pictures)


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_paints_what_pytorch_paints_in_larger_sizes(
    page: Page, networks: dict[str, TransformerNet], name: str
) -> None:
    check_equal(page, name, networks[name], [colourful(*size) for size in LARGER])


@pytest.mark.parametrize("name", ["v1", "v4"])
def test_statistics_as_gpus_add_them_up(
    page: Page, networks: dict[str, TransformerNet], name: str
) -> None:
    """A software adapter adds them up in another way by itself."""
    pictures = [colourful(17, 23), colourful(48, 80)]
    check_equal(page, name, networks[name], pictures, merged=True)


def test_transparent_pictures_are_on_white(page: Page, networks: dict[str, TransformerNet]) -> None:
    check_equal(page, "v4", networks["v4"], [colourful(30, 41, alpha=True)])


def test_norms_of_nearly_uniform_pictures_keep_their_digits(
    page: Page, networks: dict[str, TransformerNet]
) -> None:
    picture = colourful(96, 80)
    picture[..., :3] = 250 + picture[..., :3] // 64
    check_equal(page, "v4", networks["v4"], [picture])


@pytest.mark.parametrize("source", ["ImageBitmap", "canvas"])
def test_paints_what_pages_have_pictures_in(
    page: Page, networks: dict[str, TransformerNet], source: str
) -> None:
    picture = colourful(40, 26)
    text = page.evaluate(
        """async ([kind, picture]) => {
            const data = pictureOf(...picture);
            const canvas = new OffscreenCanvas(data.width, data.height);
            canvas.getContext("2d").putImageData(data, 0, 0);
            const source = kind === "canvas" ? canvas : await createImageBitmap(data);
            const engine = await Engine.open("/v4.nst");
            const painted = await engine.stylize(source);
            await engine.close();
            return textOf(painted);
        }""",
        [source, sent(picture)],
    )
    painted = received(text, picture)[..., :3]
    assert np.abs(painted - eager(networks["v4"], picture)).max() <= 1


def test_says_what_it_runs_on(page: Page) -> None:
    name, software = page.evaluate(
        """async () => {
            const engine = await Engine.open("/v4.nst");
            const told = [engine.name, engine.software];
            await engine.close();
            return told;
        }"""
    )
    assert "swiftshader" in name.lower()
    assert software


@pytest.mark.parametrize(
    ("address", "before", "words"),
    [
        (ADDRESS, "delete Navigator.prototype.gpu", "This browser has no WebGPU"),
        ("http://example.test/", "", "only to pages with https"),
        (ADDRESS, "GPU.prototype.requestAdapter = async () => null", "finds no graphics device"),
        (ADDRESS, "GPUAdapter.prototype.requestDevice = () => Promise.reject()", "graphics device"),
    ],
    ids=["no-webgpu", "http", "no-adapter", "no-device"],
)
def test_a_browser_that_cannot(
    visit: Callable[..., Page], address: str, before: str, words: str
) -> None:
    page = visit(address, before)
    reason, message = page.evaluate(FAILURE, ["", 16, 16])
    page.close()
    assert reason == "unsupported"
    assert words in message


OUT_OF_MEMORY = """
    const pop = GPUDevice.prototype.popErrorScope;
    GPUDevice.prototype.popErrorScope = async function () {
        GPUDevice.prototype.popErrorScope = pop;
        await pop.call(this);
        return new GPUOutOfMemoryError("");
    };
    await engine.stylize(picture);"""
FAILURES = {
    "large": ("await engine.stylize(picture);", 100_000, 16),
    "memory": (OUT_OF_MEMORY, 32, 32),
    "failed": ("await engine.stylize({ width: 32, height: 32, data: 1 });", 32, 32),
    "lost": ("devices.at(-1).destroy(); await engine.stylize(picture);", 32, 32),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_a_picture_that_cannot_be_painted(
    page: Page, networks: dict[str, TransformerNet], reason: str
) -> None:
    """One sentence; the next picture is painted."""
    told, message = page.evaluate(FAILURE, list(FAILURES[reason]))
    assert told == reason
    assert message.endswith(".")
    check_equal(page, "v4", networks["v4"], [colourful(17, 23)])


def test_an_engine_goes_on_after_a_picture_that_was_too_large(
    page: Page, networks: dict[str, TransformerNet]
) -> None:
    picture = colourful(20, 24)
    reason, text = page.evaluate(
        """async (picture) => {
            const engine = await Engine.open("/v4.nst");
            const large = new ImageData(100_000, 16);
            const [reason] = await failure(() => engine.stylize(large));
            const painted = await engine.stylize(pictureOf(...picture));
            await engine.close();
            return [reason, textOf(painted)];
        }""",
        sent(picture),
    )
    assert reason == "large"
    painted = received(text, picture)[..., :3]
    assert np.abs(painted - eager(networks["v4"], picture)).max() <= 1


def test_networks_share_the_device_until_the_last_one_is_closed(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    shared, between, in_the_end = page.evaluate(
        """async () => {
            const before = devices.length;
            const [one, two] = await Promise.all(
                ["/v3.nst", "/v4.nst"].map((address) => Engine.open(address)));
            const device = devices.at(-1);
            const later = () => new Promise((done) => setTimeout(done, 100, false));
            const isLost = () => Promise.race([device.lost.then(() => true), later()]);
            await one.close();
            const between = await isLost();
            await two.close();
            return [devices.length - before, between, await isLost()];
        }"""
    )
    assert (shared, between, in_the_end) == (1, False, True)
