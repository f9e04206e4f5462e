"""Photos and networks whose names and chunks want something else."""

from __future__ import annotations

import inspect
import io
import os
import struct
import sys
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from nst.jobs import NAME_BYTES, photo_files, plan
from nst.pictures.metadata import Origin, Recipe, save_settings
from nst.pictures.reading import read_picture
from tests.helpers import encoded, random_picture


@pytest.mark.skipif(os.name == "nt", reason="has no such files")
def test_a_pipe_among_the_photos_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    os.mkfifo(tmp_path / "a.png")
    random_picture(20, 20).save(tmp_path / "b.png")
    assert list(photo_files([str(tmp_path)])) == [tmp_path / "b.png"]
    assert "no files (1)" in capsys.readouterr().err


def test_folders_may_be_nested_deeper_than_calls(tmp_path: Path) -> None:
    deepest = Path(tmp_path, *("a" * 150))
    deepest.mkdir(parents=True)
    random_picture(20, 20).save(deepest / "b.png")
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert list(photo_files([str(tmp_path)], recursive=True)) == [deepest / "b.png"]
    finally:
        sys.setrecursionlimit(usual)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_name_of_a_network_is_no_markup(kind: str) -> None:
    name = 'a"/><b>]]>&\x01\udcff'
    file = io.BytesIO()
    picture = random_picture(20, 20)
    picture.save(file, kind, **save_settings(kind, picture.size, Recipe(name, "0"), Origin()))
    with Image.open(file) as saved:
        xml = ElementTree.fromstring(saved.info["xmp"])
    (about,) = xml.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert about.get("{urn:nst:painted/}Network") == 'a"/><b>]]>&??'


def test_a_long_name_of_a_network_leaves_names_that_can_be_written(tmp_path: Path) -> None:
    photos = {Path("p" * 100 + ".png"): Path()}
    (job,) = plan(photos, f"{tmp_path}/", ["波" * 80], ".png", [".png"])
    assert len(os.fsencode(job.results["波" * 80].name)) <= NAME_BYTES


@pytest.mark.parametrize("count", [0, 7, 10])
def test_chromaticities_that_are_too_few_cost_no_picture(count: int) -> None:
    data = encoded(random_picture(20, 20), "PNG")
    chunks = b""
    for name, content in ((b"gAMA", (50_000,)), (b"cHRM", range(1, count + 1))):
        body = name + struct.pack(f">{len(content)}I", *content)
        chunks += struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    assert read_picture(data[:33] + chunks + data[33:]).size == (20, 20)
