"""The GPU's own time of a picture, and where it is shown."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser import Page
from tests.web.webgpu import colourful, sent

TIMES = """async (picture) => {
    const engine = await Engine.open("/v4.nst");
    const start = performance.now();
    await engine.stylize(pictureOf(...picture));
    const all = performance.now() - start;
    await engine.close();
    return [engine.milliseconds, all];
}"""
NO_CLOCK = """
    const has = GPUSupportedFeatures.prototype.has;
    GPUSupportedFeatures.prototype.has = function (name) {
        return name !== "timestamp-query" && has.call(this, name);
    };"""


def test_the_gpus_clock_tells_a_part_of_all_time(engine_page: Page) -> None:
    milliseconds, all_time = engine_page.evaluate(TIMES, sent(colourful(64, 48)))
    assert 0 < milliseconds < all_time


def test_a_device_without_a_clock(open_engine: Callable[..., Page]) -> None:
    page = open_engine(before=NO_CLOCK)
    milliseconds, _ = page.evaluate(TIMES, sent(colourful(16, 16)))
    page.close()
    assert milliseconds is None
