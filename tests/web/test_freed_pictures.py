"""Pictures that were given up on their way; skipped where there is no browser."""

from __future__ import annotations

from tests.browser import Page

ASK_GIVE_UP_ASK = """async () => {
    const { viewer } = document.querySelector("#viewer [data-mode]");
    const panes = viewer.parts.find((part) => part.fill);
    const sent = viewer.props.value.names.map((name) => viewer.props.value.panes[name]);
    const before = viewer.entries.map(({ address }) => address);
    const [fetch, asked] = [window.fetch, new Set()];
    window.fetch = (address) => { // a second time it never comes
        if (asked.has(address)) return new Promise(() => {});
        asked.add(address);
        return fetch(address);
    };
    const ask = (query) => panes.fill(sent, before.map((address) => address + query));
    for (const query of ["?first", "?other", "?first"]) ask(query);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const freed = viewer.entries.filter(({ picture }) => picture?.bitmap.width === 0).length;
    window.fetch = fetch;
    ask("");
    return [asked.size, freed];
}"""


def test_a_picture_that_has_been_freed_is_not_drawn(page: Page) -> None:
    assert page.evaluate(ASK_GIVE_UP_ASK) == [12, 0]
