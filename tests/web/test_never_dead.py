"""The page in a real browser when it has company, or the server does not answer as it should.

Skipped where there is neither Playwright nor a Chromium.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.browser import (
    LOADED,
    NAMES,
    Page,
    blank_page,
    choose_size,
    expect,
    painted,
    sync_api,
    visiting,
)

# A server that takes each job, and says of it what a test has it say; "app_id" is what Gradio asks
# for until the server answers again, and then it loads the page anew.
SERVER = """
const plain = window.fetch;
const answers = {
  join: () => Response.json({ event_id: "job" }),
  data: () => new Response(
    new ReadableStream({ start: (stream) => (window.stream = stream) }),
    { headers: { "Content-Type": "text/event-stream" } }),
  app_id: () => Promise.reject(new TypeError("nobody is there")),
  ...new Function(`return ${sessionStorage.getItem("answers")}`)(),
};
window.say = (message) => window.stream.enqueue(new TextEncoder().encode(
  `data: ${JSON.stringify({ event_id: "job", ...message })}\\n\\n`));
window.fetch = async (request, options) => {
  const [last] = (request.url ?? `${request}`).match(/join|data|app_id(?=$|\\?)/) ?? [];
  return answers[last] ? answers[last]() : plain(request, options);
};
"""


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


@pytest.fixture(scope="module")
def visit(browser: sync_api.Browser) -> Iterator[Page]:
    """A page whose server is the one above."""
    with blank_page(browser, own=True) as page:
        page.add_init_script(SERVER)
        yield page


@pytest.fixture
def ask(visit: Page, url: str) -> Callable[..., Page]:
    return partial(ask_on, visit, url)


def ask_on(page: Page, url: str, answers: str = "{}") -> Page:
    """Open the page with a server that answers as given in JavaScript, and ask for something."""
    page.goto(f"{url}/robots.txt")
    page.evaluate("answers => sessionStorage.setItem('answers', answers)", answers)
    page.goto(url)
    page.wait_for_function(LOADED, arg=len(NAMES))
    choose_size(page, 256)
    return page


def says(page: Page, words: str) -> None:
    expect(page.locator("#viewer .report .error")).to_contain_text(words)
    expect(page.locator("#viewer .report .words")).to_be_empty()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("{ join: () => Response.json({ detail: 'full' }, { status: 503 }) }", "in a minute"),
        ("{ join: () => Response.json({ detail: 'odd' }, { status: 429 }) }", "try again"),
        ("{ join: () => Promise.reject(new TypeError()) }", "connection to the server is lost"),
        ("{ data: () => Promise.reject(new TypeError()) }", "connection to the server is lost"),
    ],
)
def test_who_is_refused_is_told_what_to_do(
    ask: Callable[..., Page], answers: str, words: str
) -> None:
    says(ask(answers), words)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("stream.error(new TypeError('broken'))", "connection to the server is lost"),
        ("stream.close()", "load this page again"),
        ("say({ msg: 'unexpected_error', message: 'stopped' })", "load this page again"),
        ("say({ msg: 'process_completed', success: false, output: { error: 'Gone.' } })", "Gone."),
        ("say({ msg: 'process_completed', success: false, output: {} })", "try again"),
    ],
)
def test_who_waits_knows_their_place_and_every_end(
    ask: Callable[..., Page], event: str, words: str
) -> None:
    page = ask()
    line = page.locator("#viewer .report .words")
    expect(line).to_contain_text("Waiting for the server")
    page.evaluate("say({ msg: 'estimation', rank: 3, rank_eta: 12.2 })")
    expect(line).to_have_text("Waiting: 3 before you, about 12 s …")
    page.evaluate("say({ msg: 'estimation', rank: 0, rank_eta: null })")
    expect(line).to_have_text("Waiting: you are next …")
    page.evaluate(f"void {event}")
    says(page, words)


def test_who_waits_can_stop(ask: Callable[..., Page]) -> None:
    page = ask("{}")
    line, stop = page.locator("#viewer .report .words"), page.locator("#viewer .stop")
    expect(line).to_contain_text("Waiting for the server")
    page.wait_for_function("window.stream")
    page.evaluate("say({ msg: 'estimation', rank: 3, rank_eta: 12 })")
    expect(line).to_contain_text("3 before you")
    stop.click()
    expect(line).to_have_text("Stopped.")
    expect(stop).to_be_hidden()
    page.evaluate("say({ msg: 'estimation', rank: 2, rank_eta: 8 })")
    page.evaluate("new Promise((done) => setTimeout(done, 100))")
    expect(line).to_have_text("Stopped.")


def test_who_asks_again_after_a_lost_connection_is_told_again(ask: Callable[..., Page]) -> None:
    page = ask("{ join: () => Promise.reject(new TypeError()) }")
    says(page, "connection to the server is lost")
    choose_size(page, 512)
    page.wait_for_timeout(700)  # when it would say that it waits
    says(page, "connection to the server is lost")


def test_nobody_waits_for_a_silent_server_for_ever(browser: sync_api.Browser, url: str) -> None:
    with blank_page(browser, own=True) as page:  # whose clock is another one
        page.add_init_script(SERVER)
        ask_on(page, url, "{ join: () => new Promise(() => {}) }")
        page.clock.install()
        choose_size(page, 512)
        page.clock.run_for(1000)
        expect(page.locator("#viewer .report .words")).to_contain_text("Waiting for the server")
        page.clock.run_for(60_000)
        says(page, "has not answered")


def test_a_job_that_comes_while_the_server_closes_its_stream_is_heard(
    ask: Callable[..., Page],
) -> None:
    page = ask("{ join: () => Response.json({ event_id: `job ${(window.jobs ??= []).push(0)}` }) }")
    line = page.locator("#viewer .report .words")
    expect(line).to_contain_text("Waiting for the server")
    page.wait_for_function("window.stream")
    same = "{ __type__: 'update' }"
    output = f"{{ data: [{same}, {same}, {same}], is_generating: false }}"
    page.evaluate(
        f"say({{ event_id: 'job 1', msg: 'process_completed', success: true, output: {output} }})"
    )
    choose_size(page, 512)
    page.wait_for_function("window.jobs.length === 2")  # its client thinks the stream is open
    page.evaluate(
        "window.before = stream, say({ event_id: null, msg: 'close_stream' }), stream.close()"
    )
    page.wait_for_function("stream !== before")
    page.evaluate("say({ event_id: 'job 2', msg: 'estimation', rank: 3, rank_eta: 12.2 })")
    expect(line).to_have_text("Waiting: 3 before you, about 12 s …")
