"""What the engine for a visitor's device does where it cannot go on, and when it is closed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nst.models import TransformerNet
from tests.browser import Page
from tests.web.webgpu import ADDRESS, check_equal, colourful, eager, received, sent

FAILURE = """([code, width, height]) => failure(async () => {
    const engine = await Engine.open("/v4.nst");
    try {
        await new Function("engine", "picture", `return (async () => { ${code} })()`)(
            engine, new ImageData(width, height));
    } finally {
        await engine.close();
    }
})"""


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
    open_engine: Callable[..., Page], address: str, before: str, words: str
) -> None:
    page = open_engine(address, before)
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
    engine_page: Page, networks: dict[str, TransformerNet], reason: str
) -> None:
    """One sentence; the next picture is painted."""
    told, message = engine_page.evaluate(FAILURE, list(FAILURES[reason]))
    assert told == reason
    assert message.endswith(".")
    check_equal(engine_page, "v4", networks["v4"], [colourful(17, 23)])


def test_an_engine_goes_on_after_a_picture_that_was_too_large(
    engine_page: Page, networks: dict[str, TransformerNet]
) -> None:
    picture = colourful(20, 24)
    reason, text = engine_page.evaluate(
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
    open_engine: Callable[..., Page],
) -> None:
    page = open_engine()
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
