"""The camera on the device for a long time: the browser holds no more than after a minute.

Only where somebody asks for it (Linux): NST_LIVE_MINUTES=10 python -m pytest -n 0 -s <this file>
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.browser import expect, open_live, sync_api, visiting
from tests.web.test_device_page import SMALL_CAMERA, rates

MINUTES = int(os.environ.get("NST_LIVE_MINUTES", "0"))
MORE = 1.03  # times, which are noise: a minute of memory that is not freed would be far more


def megabytes(browser: sync_api.Browser, page: sync_api.Page) -> tuple[float, float]:
    """Of all of the browser's processes, and of the page's own objects, without garbage."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    heap = devtools.send("Runtime.getHeapUsage")["usedSize"]
    devtools.detach()
    whole = browser.new_browser_cdp_session()
    processes = whole.send("SystemInfo.getProcessInfo")["processInfo"]
    whole.detach()
    parts = (Path(f"/proc/{one['id']}/smaps_rollup") for one in processes)
    held = (re.search(r"^Pss:\s+(\d+) kB", part.read_text(), re.MULTILINE) for part in parts)
    return sum(int(found[1]) for found in held) / 1024, heap / 2**20


@pytest.mark.skipif(not MINUTES, reason="NST_LIVE_MINUTES says for how long")
def test_memory_stays(with_webgpu: sync_api.Browser, url: str) -> None:
    with visiting(with_webgpu, url, own=True) as page:
        page.evaluate(SMALL_CAMERA)
        open_live(page)
        page.get_by_label("Where the frames are stylized").select_option("This device")
        page.get_by_role("button", name="Start the camera").click()
        expect(rates(page).last).to_contain_text("frames a second")
        held = []
        for minute in range(1, MINUTES + 1):
            page.wait_for_timeout(60_000)
            held.append(megabytes(with_webgpu, page))
            shown = " | ".join(rates(page).all_inner_texts())
            print(f"{minute:3} min: {held[-1][0]:.0f} MB, objects {held[-1][1]:.1f} MB; {shown}")
        assert all(last <= MORE * first for first, last in zip(held[0], held[-1], strict=True))
