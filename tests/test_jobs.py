"""Which photos the command line takes, where their results go, and what is written into them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from nst import stylize as stylize_module
from nst.files import sha256
from nst.inference.picture import Stylized
from nst.jobs import photo_files
from nst.paths import CHECKPOINTS
from nst.pictures.colours import on_white
from tests.helpers import random_picture


@pytest.fixture(autouse=True)
def negatives(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the networks' place, for speed."""

    def invert(_: object, photo: Image.Image, *__: object) -> Stylized:
        return Stylized(Image.eval(photo, lambda value: 255 - value), 0.1)

    monkeypatch.setattr(stylize_module, "stylize_any_size", invert)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number, name in enumerate(("a.jpg", "deeper/a.jpg", "deeper/still/b [1].png")):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        random_picture(40, 32, number).save(folder / name)
    return folder


def run(*arguments: str | Path) -> int:
    return stylize_module.main([*map(str, arguments), "--engine", "eager"])


def inside(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_painted_onto_itself_again_leaves_its_results_out(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    for suffix in ("png", "jpg", "webp"):
        assert run(folder, "-o", folder, "--format", suffix) == 0
    assert "left out: folders (1), results (2)" in capsys.readouterr().err
    before = inside(folder)
    assert run(folder, "-o", folder) == 0
    assert "left out: folders (1), results (3)" in capsys.readouterr().err
    assert inside(folder) == before
    assert run(folder, "-o", folder, "--variant", "v4") == 0
    assert inside(folder) == before | {"a-v4.png"}


def test_a_photo_that_is_named_like_a_result_is_none(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    random_picture(20, 20).save(folder / "a-v3.png")
    with pytest.raises(SystemExit):
        run(folder, "-o", folder)
    assert "a-v3.png: is to be stylized and would be overwritten" in capsys.readouterr().err


def test_folders_within_folders_are_taken_and_kept_apart(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (folder / "circle").symlink_to(folder)
    (folder / "deeper" / "notes.txt").write_text("no photo")
    expected = {"a-v3.png", "deeper/a-v3.png", "deeper/still/b [1]-v3.png"}
    assert run(folder, "-o", tmp_path / "results", "--recursive") == 0
    assert inside(tmp_path / "results") == expected
    assert f"{folder}: 2 left out: .txt (1), folders (1)" in capsys.readouterr().err
    photos = inside(folder)
    for _ in range(2):
        assert run(folder, "-o", folder, "--recursive") == 0
        assert inside(folder) == photos | expected


def test_a_folder_of_folders_names_the_option(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (folder / "a.jpg").unlink()
    with pytest.raises(SystemExit):
        run(folder, "-o", tmp_path)
    assert "no pictures in this folder; --recursive looks into" in capsys.readouterr().err


def test_wildcards_that_no_shell_has_expanded(folder: Path) -> None:
    still = folder / "deeper" / "still"
    assert photo_files([f"{folder}/*.jpg"]) == {folder / "a.jpg": Path()}
    assert list(photo_files([f"{folder}/*/a.???", f"{folder}/?.jpg"])) == [
        folder / "deeper" / "a.jpg",
        folder / "a.jpg",
    ]
    assert list(photo_files([f"{still}/b [1].png"])) == [still / "b [1].png"]  # its very name
    with pytest.raises(ValueError, match=r"\*\.gif: no file has such a name"):
        photo_files([f"{folder}/*.gif"])


def test_transparency_is_given_back_where_the_format_can(tmp_path: Path) -> None:
    photo = random_picture(40, 32)
    photo.putalpha(photo.getchannel("R"))
    photo.save(tmp_path / "clear.png")
    painted = np.asarray(Image.eval(on_white(photo), lambda value: 255 - value))
    for suffix in ("png", "webp", "jpg"):
        assert run(tmp_path / "clear.png", "-o", tmp_path / f"out.{suffix}") == 0
    for suffix in ("png", "webp"):
        with Image.open(tmp_path / f"out.{suffix}") as result:
            assert result.getchannel("A").tobytes() == photo.getchannel("A").tobytes()
            seen = np.asarray(photo)[..., 3] > 0
            assert (np.asarray(result.convert("RGB"))[seen] == painted[seen]).all()
    with Image.open(tmp_path / "out.jpg") as result:
        assert result.mode == "RGB"
    assert run(tmp_path / "clear.png", "-o", tmp_path / "none.png", "--strength", "0") == 0
    with Image.open(tmp_path / "none.png") as result:
        assert result.tobytes() == photo.tobytes()


def test_how_it_was_made_and_what_the_photo_said_is_written(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "somebody"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
    random_picture(40, 32).save(tmp_path / "dated.jpg", exif=exif.tobytes())

    def result(*options: str) -> Image.Image:
        out = tmp_path / "out.png"
        assert run(tmp_path / "dated.jpg", "-o", out, "--variant", "v4", *options) == 0
        return Image.open(out)

    picture = result("--strength", "0.5", "--keep-colours", "--size", "20")
    assert picture.text["Network"] == "v4"
    assert picture.text["Checkpoint"] == f"sha256:{sha256(CHECKPOINTS / 'v4.safetensors')}"
    assert (picture.text["Size"], picture.text["Strength"]) == ("20x16", "50%")
    assert picture.getexif()[ExifTags.Base.Artist] == "somebody"
    assert ExifTags.IFD.GPSInfo not in picture.getexif()
    assert result("--keep-gps").getexif().get_ifd(ExifTags.IFD.GPSInfo) == {1: "N"}
    picture = result("--no-metadata")
    assert (picture.text, dict(picture.getexif()), picture.info) == ({}, {}, {})
