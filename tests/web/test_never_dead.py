"""The page in a real browser when it has company, or the server does not answer as it should.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import re

from tests.browser import LOADED, NAMES, choose_size, expect, painted, sync_api, visiting


def test_seven_tabs_of_one_browser_work(browser: sync_api.Browser, url: str) -> None:
    with visiting(browser, url) as first:
        others = [first.context.new_page() for _ in range(6)]
        for page in others:
            page.goto(url)
            page.wait_for_function(LOADED, arg=len(NAMES))
        for page in (first, *others):
            choose_size(page, 256)
            expect(page.locator("#viewer .facts").first).to_contain_text(re.compile("lamps.*256"))
            painted(page)
