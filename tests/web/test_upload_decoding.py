"""A hostile file costs a bounded time and memory, and never the page's own process."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from nst.pictures.reading import END_MISSING, PictureError, read_picture
from nst.web.server import upload_decoding
from nst.web.server.upload_decoding import read_upload
from tests.helpers import (
    assert_is_a_sentence,
    encoded,
    png_of_declared_size,
    random_picture,
)


def jpeg_of_many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan, a few bytes for all pixels, comes again and again."""
    jpeg = encoded(Image.new("RGB", (side, side), "grey"), "JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * scans + jpeg[-2:]


def test_a_picture_comes_through_unchanged(tmp_path: Path) -> None:
    data = encoded(random_picture(300, 200), "JPEG")
    (tmp_path / "photo").write_bytes(data)
    for source in (data, tmp_path / "photo", str(tmp_path / "photo")):
        for side in (None, 100):
            expected = read_picture(data, side)
            result = read_upload(source, side).picture
            assert (result.mode, result.size) == ("RGB", expected.size)
            assert result.tobytes() == expected.tobytes()
            assert result.info == {}


def test_what_there_is_to_say_about_a_file_comes_along() -> None:
    cut = encoded(random_picture(90, 90), "JPEG")[:-2]
    picture, remark, _ = read_upload(cut)
    assert (picture.size, remark) == ((90, 90), END_MISSING)


@pytest.mark.parametrize(
    "data", [b"", b"<html>", encoded(random_picture(9, 9)), encoded(random_picture(90, 90))[:400]]
)
def test_refusals_are_those_of_read_picture(data: bytes) -> None:
    with pytest.raises(PictureError) as expected:
        read_picture(data)
    with pytest.raises(PictureError) as refused:
        read_upload(data)
    assert str(refused.value) == str(expected.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", "a\0b"):
        with pytest.raises(PictureError, match="could not be read"):
            read_upload(path)


def test_what_decoders_print_is_not_seen(capfd: pytest.CaptureFixture[str]) -> None:
    fax = encoded(random_picture(90, 90).convert("1"), "TIFF", compression="group4")
    damaged = fax[:8] + b"\xff\0\x55" * 20 + fax[68:]
    read_picture(damaged)  # it stops somewhere, without an error
    assert "Fax4Decode" in capfd.readouterr().err  # libtiff prints, from below Python
    read_upload(damaged)
    assert capfd.readouterr() == ("", "")


def test_endless_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take about a minute here, and hours in a file of the largest accepted size."""
    monkeypatch.setattr(upload_decoding, "CPU_SECONDS", 2)
    started = time.monotonic()
    with pytest.raises(PictureError, match="too much time or memory") as refused:
        read_upload(jpeg_of_many_scans(3000, 5000))
    assert_is_a_sentence(refused.value)
    assert time.monotonic() - started < upload_decoding.WALL_SECONDS


def test_waiting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_decoding, "WALL_SECONDS", 0.01)
    with pytest.raises(PictureError, match="too long") as refused:
        read_upload(encoded(random_picture(20, 20)))
    assert_is_a_sentence(refused.value)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory")
def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png_of_declared_size(7000, 7000, filled=True)  # 49 MB as grey, 196 MB as RGB
    assert read_upload(data, 20).picture.size == (20, 20)
    monkeypatch.setattr(upload_decoding, "MEMORY_BYTES", 150_000_000)
    with pytest.raises(PictureError, match="too much memory") as refused:
        read_upload(data, 20)
    assert_is_a_sentence(refused.value)


def test_a_crash_is_a_refusal_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crash = [sys.executable, "-c", "import os; os.abort()"]
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda _, **options: run(crash, **options))
    with caplog.at_level(logging.WARNING), pytest.raises(PictureError, match="too much time"):
        read_upload(encoded(random_picture(20, 20)))
    assert "ended with status -6" in caplog.text


def test_the_reader_starts_without_pytorch_and_numpy() -> None:
    program = (
        "import sys, nst.web.server.upload_decoding;"
        "print([n for n in ('torch', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=upload_decoding._ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
