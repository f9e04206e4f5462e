"""`python app.py` as a user starts it, and as programs use it."""

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
from nst.pictures.examples import LAMPS
from nst.web.page.stylizer import MEASURE_REPEATS, Stylizer
from nst.web.server.store import PictureStore
from tests.helpers import random_picture

NAMES = ["original", *VARIANTS]


@pytest.fixture
def client(url: str, tmp_path: Path) -> Client:
    return Client(url, verbose=False, download_files=tmp_path / "downloads")


def run(client: Client, photo: Path | None, side: int = 256, **request: object) -> dict:
    sent = handle_file(photo) if photo else None
    job = client.submit(sent, side, api_name="/stylize", **request)
    return job.result(timeout=120)


def pixels(path: str) -> bytes:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return picture.convert("RGB").tobytes()


def test_one_upload_gives_every_networks_picture(client: Client, tmp_path: Path) -> None:
    photo = random_picture(70, 50)
    photo.save(tmp_path / "my photo.png")
    answer = run(client, tmp_path / "my photo.png", engine="eager")
    expected = {"original": photo} | {
        name: stylize(network, photo).picture
        for name, network in build_engines(load_networks(), "eager").items()
    }
    assert list(answer["files"]) == NAMES
    for name, path in answer["files"].items():
        assert pixels(path) == expected[name].tobytes()
        assert Path(path).name == f"my-photo-{name}.png"
    assert list(answer["milliseconds"]) == list(VARIANTS)
    assert all(time > 0 for time in answer["milliseconds"].values())
    assert answer["size"] == [70, 50]


def test_files_carry_nothing_of_the_upload(client: Client, tmp_path: Path) -> None:
    """But for its date, author and resolution; how a result was made is written into it."""
    exif = Image.Exif()
    exif[0x010F] = "a camera's maker"
    random_picture(64, 48).save(tmp_path / "photo.jpg", exif=exif, comment=b"a secret")
    for name, path in run(client, tmp_path / "photo.jpg")["files"].items():
        with Image.open(path) as picture:
            assert dict(picture.getexif()) == {}
            assert picture.text.get("Network", "original") == name
            assert "maker" not in str(picture.info)
            assert "secret" not in str(picture.info)
            assert name != "original" or picture.info == {}


def test_networks_can_be_chosen(client: Client, tmp_path: Path) -> None:
    random_picture(64, 48).save(tmp_path / "photo.png")
    answer = run(client, tmp_path / "photo.png", networks=["v3", "v1"])
    assert list(answer["files"]) == ["original", "v1", "v3"]
    assert list(answer["milliseconds"]) == ["v1", "v3"]


@pytest.mark.parametrize("content", [b"", b"<html>not a picture</html>", b"\x89PNG\r\n\x1a\n half"])
def test_a_bad_file_is_an_error_with_one_sentence(
    client: Client, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(AppError, match="Accepted: JPEG") as refused:
        run(client, tmp_path / "bad.png")
    assert "<html" not in str(refused.value)
    assert "/" not in re.sub(r"<[^>]*>|[0-9]+", "", str(refused.value))  # no path


@pytest.mark.parametrize(
    ("asked", "words"), [({}, "Choose a photo"), ({"networks": []}, "at least one network")]
)
def test_what_is_missing_is_said(client: Client, tmp_path: Path, asked: dict, words: str) -> None:
    random_picture(40, 40).save(tmp_path / "photo.png")
    with pytest.raises(AppError, match=words):
        run(client, tmp_path / "photo.png" if asked else None, **asked)


@pytest.mark.parametrize(("side", "size"), [(256, [256, 102]), (2048, [1000, 400]), (16, [16, 16])])
def test_large_photos_are_made_smaller_and_none_larger(
    client: Client, tmp_path: Path, side: int, size: list[int]
) -> None:
    random_picture(1000, 400).save(tmp_path / "photo.jpg")
    answer = run(client, tmp_path / "photo.jpg", side, networks=["v3"])
    assert answer["size"] == size
    assert {Image.open(path).size for path in answer["files"].values()} == {tuple(size)}


def test_latencies_are_numbers(client: Client) -> None:
    times = client.predict(32, "eager", api_name="/measure")
    assert times["side"] == 32
    assert list(times["milliseconds"]) == list(VARIANTS)
    assert {len(repeats) for repeats in times["milliseconds"].values()} == {MEASURE_REPEATS}
    assert "CPU thread(s)" in times["hardware"]


def test_only_what_is_for_programs_is_offered_to_them(client: Client) -> None:
    offered = client.view_api(return_format="dict")["named_endpoints"]
    assert set(offered) == {"/stylize", "/measure"}
    types = {
        one["parameter_name"]: one["python_type"]["type"]
        for one in offered["/stylize"]["parameters"]
    }
    assert list(types) == ["photo", "side", "networks", "engine", "strength", "keep_colours"]
    assert types["photo"] == "filepath"
    assert "'baseline'" in types["networks"]
    assert "'eager'" in types["engine"]


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


class Inverting:
    """In a network's place: a negative; counts how often it runs."""

    runs = 0

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        Inverting.runs += 1
        return 1 - photo


def demo_of(network: object) -> gr.Blocks:
    engines = {"eager": dict.fromkeys(VARIANTS, network)}
    demo = build_demo(Stylizer(load_networks(), engines, PictureStore(), {"lamps": LAMPS}))
    demo.launch(prevent_thread_lock=True, quiet=True)
    return demo


def test_a_failing_network_is_answered_in_words(tmp_path: Path) -> None:
    demo = demo_of(Failing())
    try:
        client = Client(demo.local_url, verbose=False, download_files=tmp_path / "downloads")
        random_picture(700, 300).save(tmp_path / "photo.png")
        with pytest.raises(AppError, match="a smaller size may work") as failed:
            run(client, tmp_path / "photo.png", 1024)
        assert "secret" not in str(failed.value)
        assert list(run(client, tmp_path / "photo.png", 512)["files"]) == NAMES
    finally:
        demo.close()


@pytest.fixture(scope="module")
def counted() -> Iterator[gr.Blocks]:
    demo = demo_of(Inverting())
    yield demo
    demo.close()


def test_strength_and_colours_can_be_asked_for_at_once(counted: gr.Blocks, tmp_path: Path) -> None:
    client = Client(counted.local_url, verbose=False, download_files=tmp_path / "downloads")
    photo = random_picture(64, 48, seed=1)
    photo.save(tmp_path / "photo.png")
    plain = Image.open(run(client, tmp_path / "photo.png")["files"]["v1"]).convert("RGB")
    path = run(client, tmp_path / "photo.png", strength=30, keep_colours=True)["files"]["v1"]
    assert pixels(path) == blend(photo, plain, 0.3, True).tobytes()
    assert Path(path).name == "photo-v1-30-keep-colours.png"
