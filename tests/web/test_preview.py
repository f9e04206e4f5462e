"""What is shown where somebody posts a link to the page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html.parser import HTMLParser

import gradio as gr
import httpx
import pytest
from PIL import Image
from starlette.middleware import Middleware

from nst.web.page import texts
from nst.web.page.preview import PICTURE, SIZE, Preview, preview_route, with_preview


class Tags(HTMLParser):
    """What a crawler reads in a page's head."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.meta: dict[str, list[str]] = {}
        self.title, self._in_title = "", False
        self.feed(page.partition("</head>")[0])

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title"
        found = dict(attributes)
        if tag == "meta" and (name := found.get("property") or found.get("name")):
            self.meta.setdefault(name, []).append(found["content"] or "")

    def handle_data(self, data: str) -> None:
        if self._in_title and not self.title:
            self.title = data.strip()


def ours(address: str) -> dict[str, list[str]]:
    """What the head of a page at that address says of itself."""
    said = {"description": [texts.DESCRIPTION], "og:url": [f"{address}/"]}
    said["twitter:card"] = ["summary_large_image"]
    for kind in ("og", "twitter"):
        said[f"{kind}:title"] = [texts.TITLE]
        said[f"{kind}:description"] = [texts.DESCRIPTION]
        said[f"{kind}:image"] = [f"{address}/preview.jpg"]
    return said


def of_page(address: str, **headers: str) -> dict[str, list[str]]:
    return Tags(httpx.get(address, headers=headers).text).meta


def names_gradio(meta: dict[str, list[str]]) -> bool:
    return any("gradio" in line.lower() for lines in meta.values() for line in lines)


def test_a_crawler_sees_our_words_and_picture(url: str) -> None:
    page = httpx.get(url, headers={"user-agent": "facebookexternalhit/1.1"}).text
    tags = Tags(page)
    assert tags.meta == tags.meta | ours(url)
    assert not names_gradio(tags.meta)
    assert tags.title == texts.TITLE
    answer = httpx.get(tags.meta["og:image"][0])
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == SIZE
    assert PICTURE.stat().st_size < 300_000


def test_behind_a_proxy_the_address_is_the_public_one(url: str) -> None:
    proxy = {"x-forwarded-host": "demo.example", "x-forwarded-proto": "https"}
    meta = of_page(url, **proxy)
    assert meta == meta | ours("https://demo.example")
    assert not names_gradio(meta)


@pytest.fixture
def below(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A page that a proxy shows below /painter."""
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/painter")
    with gr.Blocks(title=texts.TITLE) as demo:
        gr.HTML("words")
    settings = {"routes": [preview_route()], "middleware": [Middleware(Preview)]}
    demo.launch(prevent_thread_lock=True, quiet=True, app_kwargs=settings)
    yield demo.local_url.rstrip("/")
    demo.close()


def test_the_path_behind_a_proxy_belongs_to_the_address(below: str) -> None:
    meta = of_page(below)
    assert meta == meta | ours(f"{below}/painter")
    assert not names_gradio(meta)
    assert httpx.get(f"{below}/preview.jpg").status_code == 200
    assert httpx.get(f"{below}/config").json()["title"] == texts.TITLE  # as it was


def test_what_an_address_holds_is_no_markup() -> None:
    page = with_preview(b'<html><head><base href="./"></head></html>', 'http://"><script>')
    assert b"<script>" not in page
    assert with_preview(b"no page", "http://here") == b"no page"
