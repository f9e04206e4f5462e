"""The latency table of the visitor's device, in a real browser, without a measurement.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

from nst.web.page.static import address
from tests.browser import Page

TEXT = """async ([address, rows]) => {
    const { textOf } = await import(new URL(address, document.baseURI));
    const times = Object.fromEntries(rows.map(({ name, here }) => [name, here]));
    return textOf(rows, { device: { name: "a GPU" }, side: 256, times, ways: [] });
}"""


def test_a_busy_device_is_said_beside_its_speed_ups(page: Page) -> None:
    def text(quartiles: list[float]) -> list[str]:
        rows = [{"name": "baseline", "here": [9, 10, 11]}, {"name": "v4", "here": quartiles}]
        return page.evaluate(TEXT, [address("latency/times.js"), rows]).splitlines()

    assert "≈" not in "".join(text([4.5, 5, 5.5]))
    _, baseline, v4, _, note = text([4, 5, 6])
    assert " 1.00×" in baseline
    assert "≈ 2.00×" in v4
    assert "≈" not in baseline
    assert note.startswith("≈: this device was busy")
