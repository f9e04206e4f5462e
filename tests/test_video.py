"""Films through the command: what stays of a film, what is refused, and what a stop leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from nst import video
from nst.checkpoint import load_networks
from nst.inference.engines import EagerEngine, OpenVinoEngine
from nst.inference.picture import film_painter, stylize
from nst.models import VARIANTS
from nst.pictures.film import Film
from nst.pictures.film_writing import KINDS
from nst.video import main, overlapping
from tests.films import moving, read_film, sound_of, write_film
from tests.helpers import ROOT, random_picture

UNEVEN = [0, 40, 75, 300, 310, 700]  # ms
BT709_FULL, PQ = (1, 2, 1, 1), (9, 1, 16, 9)
KEY = {
    "encryption_scheme": "cenc-aes-ctr",
    "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
    "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
}


def run(film: Path, out: Path, *options: str) -> int:
    return main([str(film), "-o", str(out), "--variant", "v4", "--engine", "eager", *options])


def painted(pixels: np.ndarray) -> np.ndarray:
    """What v4 makes of a picture, (H, W, 3)."""
    network = EagerEngine(load_networks(variants=["v4"])["v4"])
    return np.asarray(stylize(network, Image.fromarray(pixels)).picture)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Levels, of squares of 8 px: codecs keep little of the colour of single pixels."""
    height, width, _ = one.shape
    squares = (one.astype(float) - other).reshape(height // 8, 8, width // 8, 8, 3).mean((1, 3))
    return np.abs(squares).mean()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("uneven.mkv", {"times": UNEVEN}),
        ("transport.ts", {"sound": "mp2"}),
        ("old.avi", {"codec": "mpeg4", "sound": "pcm_s16le"}),
        ("ten_bits.mp4", {"pixels": "yuv420p10le"}),
        ("many_colours.mkv", {"pixels": "yuv444p"}),
        ("one.mp4", {"times": [0]}),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_whatever_is_read(tmp_path: Path, name: str, settings: dict, suffix: str) -> None:
    film = write_film(tmp_path / name, **settings)
    assert run(film, tmp_path / f"out{suffix}") == 0
    before, after = read_film(film), read_film(tmp_path / f"out{suffix}")
    assert [t - after.times[0] for t in after.times] == [t - before.times[0] for t in before.times]
    assert after.seconds == pytest.approx(before.seconds, abs=0.05)  # the last frame's too
    assert after.codecs[0] == {".mp4": "h264", ".webm": "vp9"}[suffix]
    assert len(after.codecs) == len(before.codecs)
    assert difference(after.pictures[0], painted(before.pictures[0])) < 8
    assert difference(after.pictures[-1], painted(before.pictures[-1])) < 8
    assert difference(after.pictures[0], before.pictures[0]) > 16


def test_sound_is_copied_byte_by_byte(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", sound="aac")
    assert run(film, tmp_path / "out.mp4") == 0
    assert sound_of(tmp_path / "out.mp4") == sound_of(film) != []
    assert run(film, tmp_path / "out.webm") == 0
    assert read_film(tmp_path / "out.webm").codecs[1] == "opus"
    for path in (film, tmp_path / "out.webm"):
        with av.open(str(path)) as heard:
            wave = np.concatenate([frame.to_ndarray() for frame in heard.decode(audio=0)], axis=1)
        assert np.abs(wave[0, 4800:9600]).mean() == pytest.approx(2 / np.pi, abs=0.1)  # a sine's


def test_turned_with_oblong_pixels(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", turned=90, aspect=Fraction(4, 3))
    assert run(film, tmp_path / "out.mp4") == 0
    after = read_film(tmp_path / "out.mp4")
    assert after.pictures[0].shape == (48, 32, 3)
    assert after.aspect == Fraction(3, 4)
    assert difference(after.pictures[0], painted(read_film(film).pictures[0])) < 8


def test_the_range_of_levels_is_kept(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", colours=BT709_FULL)
    assert run(film, tmp_path / "out.mp4", "--strength", "0") == 0
    before, after = read_film(film), read_film(tmp_path / "out.mp4")
    assert after.colours == before.colours == BT709_FULL[:2]
    assert difference(after.pictures[0], before.pictures[0]) < 3  # in full range FFmpeg rounds down


@pytest.mark.slow
def test_hdr_becomes_standard(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    film = write_film(tmp_path / "film.mp4", pixels="yuv420p10le", colours=PQ, times=[0, 40])
    assert run(film, tmp_path / "out.mp4", "--strength", "0") == 0
    assert "HDR becomes standard range." in capsys.readouterr().err
    before, after = read_film(film), read_film(tmp_path / "out.mp4")
    assert after.colours == (1, 1)
    assert after.pictures[0].mean() > before.pictures[0].mean() + 10  # whose white is far brighter


def test_sides(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", codec="ffv1", size=(49, 33), times=[0])
    for name, shape in {"a.mp4": (32, 48, 3), "a.webm": (33, 49, 3), "a.gif": (33, 49, 3)}.items():
        assert run(film, tmp_path / name) == 0
        assert read_film(tmp_path / name).pictures[0].shape == shape
    assert run(film, tmp_path / "small.webm", "--size", "25") == 0
    assert read_film(tmp_path / "small.webm").pictures[0].shape == (17, 25, 3)


def test_animations_in_and_out(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", times=UNEVEN)
    for suffix in (".gif", ".webp"):
        out, again = tmp_path / f"out{suffix}", tmp_path / f"of{suffix}.mp4"
        assert run(film, out) == 0
        with Image.open(out) as picture:
            assert (picture.n_frames, picture.info["loop"]) == (len(UNEVEN), 0)
        assert run(out, again, "--strength", "0") == 0
        after = read_film(again)
        assert after.times == pytest.approx(UNEVEN, abs=10)  # GIF counts in hundredths
        # FFmpeg's WebP shows the last frame for as long as the others on average.
        assert after.seconds == pytest.approx(0.74 if suffix == ".gif" else 0.84, abs=0.02)
        assert difference(after.pictures[0], painted(read_film(film).pictures[0])) < 8


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    half = random_picture(32, 32).convert("RGBA")
    half.paste((0, 0, 0, 0), (0, 0, 16, 32))
    half.save(tmp_path / "film.gif", save_all=True, append_images=[half.rotate(90)])
    first = next(Film(tmp_path / "film.gif").frames()).pixels
    assert (first[:, :16] == 255).all()
    assert np.abs(first[:, 16:] - np.asarray(random_picture(32, 32))[:, 16:].astype(int)).max() < 40


def test_a_part(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", times=UNEVEN, codec="ffv1", pixels="bgr0", sound="aac")
    out = tmp_path / "out.webp"
    assert run(film, out, "--from", "0.2", "--to", "0:00.5", "--strength", "0") == 0
    with Image.open(out) as picture:  # what is seen at 200 ms began at 75
        shown = [(picture.seek(n), picture.load(), picture.info["duration"])[2] for n in range(3)]
        picture.seek(0)
        assert difference(np.asarray(picture.convert("RGB")), moving(2, 48, 32)) < 3
    assert shown[:2] == [100, 10]
    assert run(film, tmp_path / "out.mp4", "--from", "0.2", "--to", "0:00.5") == 0
    assert read_film(tmp_path / "out.mp4").seconds == pytest.approx(0.3, abs=0.02)
    times = [time for time, _ in sound_of(tmp_path / "out.mp4")]
    assert 0 <= times[0] < 25 < times[-1] < 300


def test_several_networks(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", times=[0, 40])
    assert run(film, tmp_path / "results", "--variant", "all", "--keep-colours") == 0
    found = {path.name: read_film(path) for path in (tmp_path / "results").iterdir()}
    assert found.keys() == {f"film-{name}.mp4" for name in VARIANTS}
    assert len({film.pictures[0].tobytes() for film in found.values()}) == len(VARIANTS)


def test_what_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = write_film(tmp_path / "film.mp4", sound="aac")
    data = film.read_bytes()
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no film\n" * 100)
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    write_film(tmp_path / "locked.mp4", muxing=KEY)
    write_film(tmp_path / "small.mp4", size=(20, 14))
    with av.open(str(tmp_path / "song.mp4"), "w") as song:
        stream = song.add_stream("aac", 48_000)
        sound = av.AudioFrame.from_ndarray(np.zeros((2, 4800), np.float32), "fltp", "stereo")
        sound.sample_rate = 48_000
        song.mux([*stream.encode(sound), *stream.encode(None)])
    expected = {
        "missing.mp4": "No such file",
        "empty.mp4": "not a film that can be read",
        "text.mp4": "not a film that can be read",
        "cut.mp4": "not a film that can be read",
        "locked.mp4": "damaged, encrypted or empty",
        "small.mp4": "16 px a side at least",
        "song.mp4": "no moving pictures",
    }
    for name, sentence in expected.items():
        assert run(tmp_path / name, tmp_path / "out" / "out.mp4") == 1
        assert sentence in capsys.readouterr().err.splitlines()[-1]
    assert run(film, tmp_path / "out" / "out.mp4", "--from", "9") == 1
    assert "nothing is seen" in capsys.readouterr().err
    monkeypatch.setitem(KINDS, ".mp4", KINDS[".mp4"]._replace(settings={"preset": "nonsense"}))
    assert run(film, tmp_path / "out" / "out.mp4") == 1
    assert "FFmpeg cannot write" in capsys.readouterr().err
    assert not any((tmp_path / "out").iterdir())


def test_a_film_that_breaks_off(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    film = write_film(tmp_path / "film.mkv", codec="ffv1", pixels="bgr0", sound="aac")
    film.write_bytes(film.read_bytes()[:-8000])
    assert run(film, tmp_path / "out.mp4") == 0
    assert 0 < len(read_film(tmp_path / "out.mp4").times) < 10


def test_steadier(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", times=[0, 40, 80], size=(64, 64))
    assert run(film, tmp_path / "plain.mp4") == run(film, tmp_path / "out.mp4", "--steady") == 0
    plain, settled = (read_film(tmp_path / name).pictures for name in ("plain.mp4", "out.mp4"))
    assert difference(plain[2], settled[2]) > 2 * difference(plain[0], settled[0])


def test_commands_that_make_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = write_film(tmp_path / "film.mp4", times=[0])
    cases = {
        ("out.mov",): ".mp4, .webm, .gif, .webp",
        ("out.mp4", "--variant", "all"): "several results need a folder",
        ("film.mp4",): "would be overwritten",
        ("out.mp4", "--from", "2", "--to", "0:01"): "--to has to be later",
        ("out.mp4", "--from", "-1"): "0 at least",
    }
    for (out, *options), sentence in cases.items():
        with pytest.raises(SystemExit, match="2"):
            run(film, tmp_path / out, *options)
        assert sentence in capsys.readouterr().err
    monkeypatch.setattr(video.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        run(film, tmp_path / "out.mp4")
    assert "pip install .[video]" in capsys.readouterr().err


def test_reading_painting_and_writing_overlap() -> None:
    """Each frame is painted only once the next has been read, and written while that is painted."""
    read = [threading.Event() for _ in range(5)]
    written = threading.Event()
    order = []

    def frames():
        for number in range(4):
            read[number].set()
            yield number
        read[4].set()

    def paint(number: int) -> int:
        assert read[number + 1].wait(10)
        assert not any(event.is_set() for event in read[number + 2 :])  # and none is stored
        assert number == 0 or written.wait(10)
        written.clear()
        return number

    def write(number: int) -> None:
        order.append(number)
        written.set()

    assert len(list(overlapping(frames(), paint, write))) == 4
    assert order == [0, 1, 2, 3]


def test_a_large_film_keeps_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_networks(variants=["v4"])["v4"]
    engine = OpenVinoEngine(network)
    monkeypatch.setattr("nst.inference.engines.LARGE_PIXELS", 40 * 32)
    paint = film_painter(network, engine, (40, 32))
    monkeypatch.setattr(engine, "compile", lambda *_: pytest.fail("compiled again"))
    for seed in range(3):
        picture = random_picture(40, 32, seed)
        expected = stylize(network, picture).picture
        assert np.abs(np.asarray(paint(picture), int) - np.asarray(expected)).max() <= 1


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="POSIX's signals")
def test_a_stop_leaves_no_half_film(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", times=range(0, 40_000, 40))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "nst.video", film, "-o", out / "out.mp4", "--engine", "eager"]
    for stop, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        while not any(out.glob("*")) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(stop)
        assert process.wait() == code
        assert not list(out.glob("*.mp4"))
    short = write_film(tmp_path / "short.mp4", times=[0])
    assert run(short, out / "out.mp4") == 0
    assert [path.name for path in out.iterdir()] == ["out.mp4"]  # what the kill had left is gone
