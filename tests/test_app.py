"""`python app.py` as a user starts it, and as an API client uses it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from PIL import Image

from nst.models import VARIANTS
from nst.stylize import load_networks, stylize
from nst.zoom import ZOOM_SIDE, magnify
from tests.conftest import random_picture

ROOT = Path(__file__).parent.parent
STATUS, TABLE, TILES, CAPTIONS, CROPS = 0, 1, slice(2, 7), slice(7, 12), slice(12, 17)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a running page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 180
        while True:
            assert process.poll() is None, "app.py ended"
            assert time.monotonic() < deadline, "app.py does not answer"
            try:
                urllib.request.urlopen(address, timeout=5)
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def client(url: str, tmp_path: Path) -> Client:
    return Client(url, verbose=False, download_files=tmp_path / "downloads")


def answers(client: Client, photo: Path | None, side: int = 256) -> list[tuple]:
    job = client.submit(handle_file(photo) if photo else None, side, api_name="/stylize")
    job.result(timeout=120)
    return job.outputs()


def run(client: Client, photo: Path | None, side: int = 256) -> tuple:
    return answers(client, photo, side)[-1]


def test_one_upload_gives_five_pictures(client: Client, tmp_path: Path) -> None:
    photo = random_picture(70, 50)
    photo.save(tmp_path / "photo.png")
    answer = run(client, tmp_path / "photo.png")
    assert "Done: four pictures" in answer[STATUS]
    pictures = [Image.open(path) for path in answer[TILES]]
    assert [picture.format for picture in pictures] == ["PNG"] * 5
    expected = [photo] + [stylize(net, photo).picture for net in load_networks().values()]
    for shown, picture in zip(pictures, expected, strict=True):
        assert shown.convert("RGB").tobytes() == picture.tobytes()
    for name, text in zip(["original", *VARIANTS], answer[CAPTIONS], strict=True):
        assert name in text
        assert ("70×50 px" in text) if name == "original" else (" ms<" in text)
    assert answer[TABLE].count(" ms<") == 8  # this photo's four and the paper's four


def test_results_appear_one_by_one(client: Client, tmp_path: Path) -> None:
    random_picture(64, 48).save(tmp_path / "photo.png")
    shown = [
        [index for index, tile in enumerate(answer[TILES]) if isinstance(tile, str)]
        for answer in answers(client, tmp_path / "photo.png")
    ]
    assert shown == [[], [0], [1], [2], [3], [4], [0, 1, 2, 3, 4]]


def test_two_visitors_see_their_own_pictures(url: str, tmp_path: Path) -> None:
    places = []
    for number in range(2):
        photo = random_picture(60, 40, seed=number)
        photo.save(tmp_path / f"{number}.png")
        visitor = Client(url, verbose=False, download_files=tmp_path / "downloads")
        run(visitor, tmp_path / f"{number}.png")
        places.append((visitor, photo))
    for visitor, photo in places:  # only now, when both have been there
        crop = visitor.predict(50, 50, 2, api_name="/magnify")[0]
        assert Image.open(crop).convert("RGB").tobytes() == magnify(photo, 50, 50, 2).tobytes()


def test_zoom_shows_the_same_place_of_all(client: Client, tmp_path: Path) -> None:
    random_picture(300, 200).save(tmp_path / "photo.png")
    answer = run(client, tmp_path / "photo.png")
    moved = client.predict(100, 0, 16, api_name="/magnify")
    assert [Image.open(crop).size for crop in answer[CROPS]] == [(ZOOM_SIDE, ZOOM_SIDE)] * 5
    for tile, crop in zip(answer[TILES], moved, strict=True):
        expected = magnify(Image.open(tile).convert("RGB"), 100, 0, 16)
        assert expected.size == (ZOOM_SIDE, ZOOM_SIDE)
        assert Image.open(crop).convert("RGB").tobytes() == expected.tobytes()


@pytest.mark.parametrize("content", [b"", b"<html>not a picture</html>", b"\x89PNG\r\n\x1a\n half"])
def test_a_bad_file_gets_one_sentence_and_the_page_lives_on(
    client: Client, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    answer = run(client, tmp_path / "bad.png")
    assert 'role="alert"' in answer[STATUS]
    assert "<html" not in str(answer[STATUS])
    assert "Accepted: PNG" in answer[STATUS]
    assert "/" not in re.sub(r"<[^>]*>|[0-9]+", "", answer[STATUS])  # no path
    random_picture(40, 40).save(tmp_path / "good.png")
    assert "Done" in run(client, tmp_path / "good.png")[STATUS]


def test_an_example_can_be_stylized(client: Client) -> None:
    example = client.predict(0, api_name="/load_example")["value"]
    answer = run(client, Path(example))
    assert "Done" in answer[STATUS]
    assert Image.open(answer[TILES][0]).size == (256, 192)


def test_no_file_is_asked_for(client: Client) -> None:
    assert "Choose a photo first" in run(client, None)[STATUS]


def test_large_photos_are_made_smaller(client: Client, tmp_path: Path) -> None:
    random_picture(1000, 400).save(tmp_path / "photo.jpg")
    answer = run(client, tmp_path / "photo.jpg")
    assert {Image.open(path).size for path in answer[TILES]} == {(256, 102)}


def test_measured_latency_stands_beside_the_papers(client: Client) -> None:
    job = client.submit(api_name="/measure")
    job.result(timeout=120)
    table = job.outputs()[-1][0]
    assert table.count(" ms<") == 8
    assert "71.31 ms" in table
    assert "CPU thread(s)" in table


def test_neither_fonts_nor_analytics_are_fetched(url: str) -> None:
    page = urllib.request.urlopen(url, timeout=10).read().decode()
    assert "fonts.googleapis.com" not in page
    assert '"analytics_enabled":false' in page.replace(" ", "")
