"""`python app.py` as a user starts it, and as an API client uses it."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from app import build_demo
from nst.checkpoint import load_networks
from nst.inference.blend import blend
from nst.inference.engines import build_engines
from nst.inference.picture import stylize
from nst.models import VARIANTS
from nst.paper import LATENCY_MS
from nst.web.zoom import ZOOM_SIDE, magnify
from tests.helpers import random_picture

NAMES = ["original", *VARIANTS]
STATUS, VIEWER, TABLE = 0, 1, 2


@pytest.fixture
def client(url: str, tmp_path: Path) -> Client:
    return Client(url, verbose=False, download_files=tmp_path / "downloads")


def answers(client: Client, photo: Path | None, side: int = 256, **wishes: object) -> list[tuple]:
    sent = handle_file(photo) if photo else None
    job = client.submit(sent, side, api_name="/stylize", **wishes)
    job.result(timeout=120)
    return job.outputs()


def run(client: Client, photo: Path | None, side: int = 256, **wishes: object) -> tuple:
    return answers(client, photo, side, **wishes)[-1]


def panes(answer: tuple) -> dict[str, dict]:
    return {pane["name"]: pane for pane in answer[VIEWER]["panes"]}


def pixels(path: str) -> bytes:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return picture.convert("RGB").tobytes()


def test_one_upload_gives_every_networks_picture(client: Client, tmp_path: Path) -> None:
    photo = random_picture(70, 50)
    photo.save(tmp_path / "my photo.png")
    answer = run(client, tmp_path / "my photo.png", engine="eager")
    assert f"Done: {len(VARIANTS)} pictures" in answer[STATUS]
    shown = panes(answer)
    assert list(shown) == NAMES
    expected = [photo] + [
        stylize(network, photo).picture
        for network in build_engines(load_networks(), "eager").values()
    ]
    for (name, pane), picture in zip(shown.items(), expected, strict=True):
        assert pixels(pane["picture"]) == picture.tobytes()
        assert Path(pane["picture"]).name == f"my-photo-{name}.png"
        assert pane["alt"]
    assert shown["original"]["facts"] == ["my photo.png", "70×50 px"]
    assert all(shown[name]["facts"][-1].endswith(" ms, PyTorch") for name in VARIANTS)
    assert answer[TABLE].count(" ms</td>") == len(VARIANTS) + len(LATENCY_MS)


def test_results_appear_one_by_one(client: Client, tmp_path: Path) -> None:
    random_picture(64, 48).save(tmp_path / "photo.png")
    shown = [
        sum(pane["picture"] is not None for pane in panes(answer).values())
        for answer in answers(client, tmp_path / "photo.png")[1:]  # the first: it is being read
    ]
    assert shown == [*range(1, len(NAMES) + 1), len(NAMES)]


def test_files_carry_nothing_of_the_upload(client: Client, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera's maker"
    random_picture(64, 48).save(tmp_path / "photo.jpg", exif=exif, comment=b"a secret")
    for pane in panes(run(client, tmp_path / "photo.jpg")).values():
        with Image.open(pane["picture"]) as picture:
            assert (picture.info, dict(picture.getexif())) == ({}, {})


def test_networks_can_be_chosen(client: Client, tmp_path: Path) -> None:
    random_picture(64, 48).save(tmp_path / "photo.png")
    answer = run(client, tmp_path / "photo.png", networks=["v3", "v1"])
    assert list(panes(answer)) == ["original", "v1", "v3"]
    assert "Done: 2 pictures" in answer[STATUS]
    answer = run(client, tmp_path / "photo.png", networks=[])
    assert "at least one network" in answer[STATUS]
    assert 'role="alert"' in answer[STATUS]


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
        assert pixels(crop) == magnify(photo, 50, 50, 2).tobytes()


def test_magnify_shows_the_same_place_of_all(client: Client, tmp_path: Path) -> None:
    random_picture(300, 200).save(tmp_path / "photo.png")
    answer = run(client, tmp_path / "photo.png")
    moved = client.predict(100, 0, 16, api_name="/magnify")
    for pane, crop in zip(panes(answer).values(), moved, strict=True):
        expected = magnify(Image.open(pane["picture"]).convert("RGB"), 100, 0, 16)
        assert expected.size == (ZOOM_SIDE, ZOOM_SIDE)
        assert pixels(crop) == expected.tobytes()


@pytest.mark.parametrize("content", [b"", b"<html>not a picture</html>", b"\x89PNG\r\n\x1a\n half"])
def test_a_bad_file_gets_one_sentence_and_the_page_lives_on(
    client: Client, tmp_path: Path, content: bytes
) -> None:
    random_picture(40, 40).save(tmp_path / "good.png")
    run(client, tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(content)
    replies = answers(client, tmp_path / "bad.png")
    status = replies[-1][STATUS]
    assert 'role="alert"' in status
    assert "<html" not in status
    assert "Accepted: JPEG, PNG" in status
    assert "/" not in re.sub(r"<[^>]*>|[0-9]+", "", status)  # no path
    assert not any("panes" in reply[VIEWER] for reply in replies)  # the good one's pictures stay
    mixed = client.predict(50, False, api_name="/mix")
    assert panes(mixed)["original"]["facts"] == ["good.png", "40×40 px"]
    assert "Done" in run(client, tmp_path / "good.png")[STATUS]


def test_an_example_can_be_stylized(client: Client) -> None:
    example = client.predict(0, api_name="/load_example")["value"]
    answer = run(client, Path(example))
    assert "Done" in answer[STATUS]
    assert Image.open(panes(answer)["v3"]["picture"]).size == (256, 192)


def test_a_photo_is_asked_for(client: Client) -> None:
    assert "Choose a photo first" in run(client, None)[STATUS]


@pytest.mark.parametrize(("side", "size"), [(256, (256, 102)), (2048, (1000, 400))])
def test_large_photos_are_made_smaller_and_none_larger(
    client: Client, tmp_path: Path, side: int, size: tuple[int, int]
) -> None:
    random_picture(1000, 400).save(tmp_path / "photo.jpg")
    answer = run(client, tmp_path / "photo.jpg", side, networks=["v3"])
    assert {Image.open(pane["picture"]).size for pane in panes(answer).values()} == {size}


def test_all_pictures_come_on_one_sheet(client: Client, tmp_path: Path) -> None:
    random_picture(300, 200).save(tmp_path / "photo.png")
    run(client, tmp_path / "photo.png")
    sheet = client.predict(api_name="/contact_sheet")
    assert Path(sheet).name == "photo-comparison.png"
    with Image.open(sheet) as picture:
        assert picture.info == {}
        assert picture.width * picture.height > 5 * 300 * 200


def test_who_has_no_pictures_is_told_to_stylize_again(client: Client) -> None:
    for name, inputs in {"mix": [50, False], "contact_sheet": [], "magnify": [50, 50, 4]}.items():
        with pytest.raises(AppError, match="stylize again"):
            client.predict(*inputs, api_name=f"/{name}")


def test_measured_latency_stands_beside_the_papers(client: Client) -> None:
    job = client.submit(api_name="/measure")
    job.result(timeout=120)
    table = job.outputs()[-1][1]
    assert table.count(" ms</td>") == 2 * len(VARIANTS) + len(LATENCY_MS)  # with quartiles
    assert table.count('class="bar here"') == len(VARIANTS) + 1  # and the legend
    assert "71.31 ms" in table
    assert "CPU thread(s)" in table


def test_neither_fonts_nor_analytics_are_fetched(url: str) -> None:
    page = urllib.request.urlopen(url, timeout=10).read().decode()
    assert "fonts.googleapis.com" not in page
    assert '"analytics_enabled":false' in page.replace(" ", "")


class Failing:
    """In a network's place: there is no memory for any picture but small ones."""

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        if photo.shape[-1] > 600:
            raise RuntimeError("/secret/path.cpp: out of memory")
        return photo


def test_a_failing_network_is_answered_in_words(tmp_path: Path) -> None:
    demo = build_demo(load_networks(), {"eager": {name: Failing() for name in VARIANTS}})
    demo.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = Client(demo.local_url, verbose=False, download_files=tmp_path / "downloads")
        random_picture(700, 300).save(tmp_path / "photo.png")
        answer = run(client, tmp_path / "photo.png", 1024)
        assert 'role="alert"' in answer[STATUS]
        assert "a smaller size may work" in answer[STATUS]
        assert "secret" not in answer[STATUS]
        assert "Done" in run(client, tmp_path / "photo.png", 512)[STATUS]
    finally:
        demo.close()


class Inverting:
    """In a network's place: turns values about mean grey, and counts how often it runs."""

    runs = 0

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        Inverting.runs += 1
        return -photo


@pytest.fixture(scope="module")
def counted() -> Iterator[gr.Blocks]:
    demo = build_demo(load_networks(), {"eager": {name: Inverting() for name in VARIANTS}})
    demo.launch(prevent_thread_lock=True, quiet=True)
    yield demo
    demo.close()


def test_strength_and_colours_run_no_network(counted: gr.Blocks, tmp_path: Path) -> None:
    client = Client(counted.local_url, verbose=False, download_files=tmp_path / "downloads")
    photo = random_picture(64, 48)
    photo.save(tmp_path / "photo.png")
    before = Inverting.runs
    result = Image.open(panes(run(client, tmp_path / "photo.png"))["v2"]["picture"]).convert("RGB")
    assert Inverting.runs == before + len(VARIANTS)
    assert result.tobytes() != photo.tobytes()
    for strength, keep_colours in [(40, False), (100, True), (0, False), (100, False)]:
        mixed = client.predict(strength, keep_colours, api_name="/mix")
        expected = blend(photo, result, strength / 100, keep_colours)
        assert pixels(panes(mixed)["v2"]["picture"]) == expected.tobytes()
        assert pixels(panes(mixed)["original"]["picture"]) == photo.tobytes()
    assert Inverting.runs == before + len(VARIANTS)


def test_strength_and_colours_hold_for_the_next_photo(counted: gr.Blocks, tmp_path: Path) -> None:
    client = Client(counted.local_url, verbose=False, download_files=tmp_path / "downloads")
    photo = random_picture(64, 48, seed=1)
    photo.save(tmp_path / "photo.png")
    plain = Image.open(panes(run(client, tmp_path / "photo.png"))["v1"]["picture"]).convert("RGB")
    answer = run(client, tmp_path / "photo.png", strength=30, keep_colours=True)
    path = panes(answer)["v1"]["picture"]
    assert pixels(path) == blend(photo, plain, 0.3, True).tobytes()
    assert Path(path).name == "photo-v1-30-own-colours.png"
