from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst import stylize as stylize_module
from nst.checkpoint import load_networks
from nst.images import read_picture
from nst.inference.engines import build_engine
from nst.inference.picture import stylize, stylize_any_size
from nst.models import VARIANTS
from nst.paths import CHECKPOINTS
from nst.stylize import main, result_names
from tests.helpers import random_picture, run_python


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """a.jpg and a.png, a file that is no picture, and one that is not looked at."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random_picture(40, 32, seed=1).save(folder / "a.jpg")
    random_picture(36, 50, seed=2).save(folder / "a.png")
    (folder / "bad.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not a photo")
    return folder


def run(*arguments: str | Path) -> int:
    return main([*map(str, arguments), "--engine", "eager"])


def refused(capsys: pytest.CaptureFixture, *arguments: str | Path) -> str:
    with pytest.raises(SystemExit) as stopped:
        run(*arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_one_photo_as_a_program(folder: Path, tmp_path: Path) -> None:
    arguments = (folder / "a.png", "-o", tmp_path / "out.png", "--engine", "eager")
    assert run_python("-m", "nst.stylize", *arguments).returncode == 0
    network = build_engine(load_networks()["v3"], "eager")
    expected = stylize(network, read_picture(folder / "a.png")).picture
    assert np.array_equal(Image.open(tmp_path / "out.png"), expected)


def test_a_folder_with_a_bad_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(folder, "-o", tmp_path / "results", "--variant", "baseline") == 1
    results = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert results == ["a.jpg-baseline.png", "a.png-baseline.png"]
    assert Image.open(tmp_path / "results" / results[0]).size == (40, 32)
    assert Image.open(tmp_path / "results" / results[1]).size == (36, 50)
    message = capsys.readouterr().err
    assert f"{folder / 'bad.jpg'}: This file is not a picture that can be read." in message
    assert f"1 of 3 photos failed: {folder / 'bad.jpg'}" in message


def test_all_variants_smaller_and_in_another_format(folder: Path, tmp_path: Path) -> None:
    arguments = ("--variant", "all", "--size", "20", "--format", ".webp")
    assert run(folder / "a.jpg", "-o", tmp_path / "results", *arguments) == 0
    results = {path.name for path in (tmp_path / "results").iterdir()}
    assert results == {f"a-{name}.webp" for name in VARIANTS}
    with Image.open(tmp_path / "results" / "a-v1.webp") as result:
        assert (result.format, result.size) == ("WEBP", (20, 16))


@pytest.mark.parametrize(("suffix", "kind"), [(".JPG", "JPEG"), (".webp", "WEBP")])
def test_the_suffix_names_the_format(folder: Path, tmp_path: Path, suffix: str, kind: str) -> None:
    out = tmp_path / f"out{suffix}"
    assert run(folder / "a.jpg", "-o", out) == 0
    assert Image.open(out).format == kind


def test_strength_and_colours(folder: Path, tmp_path: Path) -> None:
    photo = read_picture(folder / "a.png")
    assert run(folder / "a.png", "-o", tmp_path / "none.png", "--strength", "0") == 0
    assert np.array_equal(Image.open(tmp_path / "none.png"), photo)
    assert run(folder / "a.png", "-o", tmp_path / "full.png") == 0
    assert run(folder / "a.png", "-o", tmp_path / "own.png", "--keep-colours") == 0
    full, own = (np.asarray(Image.open(tmp_path / name), float) for name in ("full.png", "own.png"))
    assert np.abs(own - full).mean() > 5
    luma = np.array([0.299, 0.587, 0.114])
    assert np.abs(own @ luma - full @ luma).max() < 1.5


def test_a_photo_is_never_overwritten(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    before = (folder / "a.png").read_bytes()
    other_way = folder / ".." / "photos" / "a.png"
    assert "would be overwritten" in refused(capsys, folder / "a.png", "-o", other_way)
    random_picture(20, 20).save(folder / "b-v3.png")
    random_picture(20, 20).save(folder / "b.png")
    assert "b-v3.png: is a photo" in refused(capsys, folder, "-o", folder)
    assert (folder / "a.png").read_bytes() == before


def test_commands_that_make_no_sense(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    photo, out = folder / "a.png", tmp_path / "out.png"
    assert "several results need a folder" in refused(capsys, folder, "-o", out)
    assert "several results" in refused(capsys, photo, "-o", out, "--variant", "all")
    assert "are written as .png" in refused(capsys, photo, "-o", tmp_path / "out.gif")
    assert "no pictures in this folder" in refused(capsys, tmp_path, "-o", tmp_path)
    assert "no such checkpoint" in refused(capsys, photo, "-o", out, "--checkpoints", tmp_path)
    assert "--strength: from 0 to 1" in refused(capsys, photo, "-o", out, "--strength", "2")
    assert "--size: 16 px at least" in refused(capsys, photo, "-o", out, "--size", "8")
    assert not out.exists()


def test_a_result_that_cannot_be_written_fails(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    assert run(folder / "a.png", "-o", tmp_path / "file" / "out.png") == 1


def test_control_c_leaves_whole_files_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def save_then_stop(self: Image.Image, path: str, *_: object, **__: object) -> None:
        Path(path).write_bytes(b"half a picture")
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", save_then_stop)
    assert run(folder / "a.png", "-o", tmp_path / "results") == 130
    assert "Stopped" in capsys.readouterr().err
    assert list((tmp_path / "results").iterdir()) == []


def test_names_are_kept_apart() -> None:
    photos = ["x/a.jpg", "y/a.jpg", "x/A.png", "b.png", "c.tar.png", "c.png"]
    names = ["a.jpg", "a.jpg-2", "A.png", "b", "c.tar", "c"]
    assert result_names([Path(photo) for photo in photos]) == names


def test_large_pictures_go_through_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_networks(CHECKPOINTS, variants=["v3"])["v3"]
    picture = random_picture(300, 40)
    calls: list[int] = []
    whole = stylize_any_size(network, picture, progress=lambda done, _: calls.append(done))
    assert not calls
    monkeypatch.setattr(stylize_module, "UNTILED_PIXELS", 300 * 40 - 1)
    tiled = stylize_any_size(network, picture, progress=lambda done, _: calls.append(done))
    assert calls
    difference = np.abs(np.asarray(tiled.picture, int) - np.asarray(whole.picture, int))
    assert difference.max() <= 1
