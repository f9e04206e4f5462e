from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst import stylize as stylize_module
from nst.checkpoint import load_networks
from nst.inference.engines import EagerEngine
from nst.inference.picture import stylize
from nst.jobs import result_names
from nst.models import VARIANTS
from nst.paths import CHECKPOINTS
from nst.pictures.reading import END_MISSING, read_picture
from nst.stylize import OUTPUTS, main, save
from tests.helpers import encoded, png_of_declared_size, random_picture, run_python


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


@pytest.mark.slow
def test_one_photo_as_a_program(folder: Path, tmp_path: Path) -> None:
    arguments = (folder / "a.png", "-o", tmp_path / "out.png", "--engine", "eager")
    assert run_python("-m", "nst.stylize", *arguments).returncode == 0
    network = EagerEngine(load_networks()["v3"])
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


def test_larger_photos_where_they_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "large.png").write_bytes(png_of_declared_size(8250, 8000, filled=True))
    command = (tmp_path / "large.png", "--size", "32", "-o", tmp_path / "out.png")
    assert run(*command) == 1
    said = capsys.readouterr().err
    assert "too many pixels (8250×8000)" in said
    assert "--megapixels N takes larger ones" in said
    assert run(*command, "--megapixels", "66") == 0
    assert Image.open(tmp_path / "out.png").size == (32, 31)


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
    assert "b-v3.png: is to be stylized" in refused(capsys, folder, "-o", folder)
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
    (tmp_path / "v3.safetensors").write_bytes((CHECKPOINTS / "v1.safetensors").read_bytes())
    assert "holds v1, not v3" in refused(capsys, photo, "-o", out, "--checkpoints", tmp_path)
    assert "--strength: from 0 to 1" in refused(capsys, photo, "-o", out, "--strength", "2")
    assert "--size: 16 px at least" in refused(capsys, photo, "-o", out, "--size", "8")
    assert not out.exists()


def test_a_result_that_cannot_be_written_fails(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    assert run(folder / "a.png", "-o", tmp_path / "file" / "out.png") == 1


def test_control_c_leaves_whole_files_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`nst.console` makes one line and exit code 130 of it: see `tests/test_console.py`."""

    def save_then_stop(self: Image.Image, path: str, *_: object, **__: object) -> None:
        Path(path).write_bytes(b"half a picture")
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", save_then_stop)
    with pytest.raises(KeyboardInterrupt):
        run(folder / "a.png", "-o", tmp_path / "results")
    assert list((tmp_path / "results").iterdir()) == []


def test_only_what_is_missing_is_made(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "results"
    out.mkdir()
    (out / "a-v1.png").write_text("was there")
    options = ("--variant", "all", "--skip-existing")
    assert run(folder / "a.png", "-o", out, *options) == 0
    assert "1 results were there already" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {f"a-{name}.png" for name in VARIANTS}
    assert (out / "a-v1.png").read_text() == "was there"
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert run(folder / "a.png", "-o", out, *options) == 0
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert run(folder / "a.png", "-o", out, "--variant", "v1") == 0
    assert Image.open(out / "a-v1.png").size == (36, 50)


def test_what_a_folder_holds_beside_pictures_is_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "photos"
    (folder / "album.jpg").mkdir(parents=True)
    random_picture(40, 32).save(folder / "saved.jfif", "JPEG")
    random_picture(40, 32).save(folder / "CAPITALS.JPE", "JPEG")
    for name in ("._saved.jfif", ".DS_Store", "clip.mov", "other.mov"):
        (folder / name).write_bytes(b"Mac OS X        ")
    assert run(folder, "-o", tmp_path / "results") == 0
    assert {path.name for path in (tmp_path / "results").iterdir()} == {
        "saved-v3.png",
        "CAPITALS-v3.png",
    }
    lines = capsys.readouterr().err.splitlines()
    counts = ".mov (2), companions of macOS (1), folders (1), without a suffix (1)"
    assert [line for line in lines if "left out" in line] == [f"{folder}: 5 left out: {counts}"]


def test_links_that_lead_nowhere_are_left_out_and_counted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (folder / "bad.jpg").unlink()
    (folder / "round.jpg").symlink_to("trip.jpg")
    (folder / "trip.jpg").symlink_to("round.jpg")
    (folder / "gone.jpg").symlink_to("nothing.jpg")
    assert run(folder, "-o", tmp_path / "results") == 0
    assert len(list((tmp_path / "results").iterdir())) == 2
    assert "4 left out: .txt (1), links to nowhere (3)" in capsys.readouterr().err
    named = (folder / "round.jpg", folder / "a.png")  # by name: a photo that fails
    assert run(*named, "-o", tmp_path / "named") == 1
    assert [path.name for path in (tmp_path / "named").iterdir()] == ["a-v3.png"]
    assert "round.jpg: The file could not be read." in capsys.readouterr().err


def test_megapixels_beyond_all_memory(folder: Path, tmp_path: Path) -> None:
    assert run(folder / "a.png", "-o", tmp_path / "out.png", "--megapixels", "100000000") == 0


def test_a_folder_that_cannot_be_read_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert "Permission denied" in refused(capsys, folder, "-o", tmp_path)


@pytest.mark.slow
def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    stems = ["a" * 251, "a" * 250, "ä" * 124]
    for stem in stems:
        random_picture(20, 20).save(tmp_path / f"{stem}.png")
    photos = [tmp_path / f"{stem}.png" for stem in stems]
    assert run(*photos, "-o", tmp_path / "out", "--variant", "all", "--format", "webp") == 0
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(names) == len(stems) * len(VARIANTS)
    assert max(len(os.fsencode(name)) for name in names) <= 255
    assert run(photos[0], "-o", tmp_path / ("b" * 251 + ".png")) == 0


def test_a_folder_may_have_a_dot_in_its_name(folder: Path, tmp_path: Path) -> None:
    assert run(folder / "a.png", folder / "a.jpg", "-o", f"{tmp_path}/results.2024/") == 0
    assert len(list((tmp_path / "results.2024").iterdir())) == 2


def test_a_link_is_written_through(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to("real.png")
    (tmp_path / "real.png").write_text("before")
    assert run(folder / "a.png", "-o", tmp_path / "link.png") == 0
    assert (tmp_path / "link.png").is_symlink()
    assert Image.open(tmp_path / "real.png").size == (36, 50)


def test_what_a_format_cannot_hold_is_refused_before_a_network_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(stylize_module, "stylize_any_size", lambda *_: pytest.fail("it ran"))
    for width, suffix in ((16_384, "webp"), (65_501, "jpg")):
        Image.new("L", (width, 16)).save(tmp_path / "strip.png")
        assert run(tmp_path / "strip.png", "-o", tmp_path / f"out.{suffix}") == 1
        assert f"do not fit into a {OUTPUTS[f'.{suffix}'].kind} file" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_format_holds_what_it_is_said_to(suffix: str, tmp_path: Path) -> None:
    longest = min(OUTPUTS[suffix].longest_side, 100_000)
    save(Image.new("RGB", (longest, 16)), tmp_path / f"strip{suffix}")
    assert Image.open(tmp_path / f"strip{suffix}").size == (longest, 16)


def test_a_photo_without_its_end_is_made_and_remarked_on(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "cut.jpg").write_bytes(encoded(random_picture(40, 30), "JPEG")[:-2])
    assert run(tmp_path / "cut.jpg", "-o", tmp_path / "out.png") == 0
    assert f"{tmp_path / 'cut.jpg'}: {END_MISSING}" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_the_umask_decides_who_may_read(folder: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert run(folder / "a.png", "-o", tmp_path / "out.png") == 0
    finally:
        os.umask(before)
    assert (tmp_path / "out.png").stat().st_mode & 0o777 == 0o600


def test_names_are_kept_apart() -> None:
    photos = ["x/a.jpg", "y/a.jpg", "x/A.png", "b.png", "c.tar.png", "c.png"]
    names = ["a.jpg", "a.jpg-2", "A.png", "b", "c.tar", "c"]
    found = result_names({Path(photo): Path("sub") for photo in photos})
    assert list(found.values()) == [Path("sub", name) for name in names]
