"""Files that are called films and want something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nst.pictures.film import Film, FilmError
from nst.video import main
from tests.films import write_film


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "ffconcat version 1.0\nfile other.ts\n"),
    ],
)
def test_a_playlist_reads_no_other_file(tmp_path: Path, name: str, text: str) -> None:
    other = write_film(tmp_path / "other.ts", times=[0])
    (tmp_path / name).write_text(text.format(other))
    with pytest.raises(FilmError, match="not a film that can be read"):
        Film(tmp_path / name)


def test_a_title_in_another_encoding_costs_nothing(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", times=[0, 40])
    data = film.read_bytes()
    assert data.count(b"Lavf")
    film.write_bytes(data.replace(b"Lavf", b"\xff\xe4vf"))
    assert len(list(Film(film).frames())) == 2


@pytest.mark.skipif(os.name == "nt", reason="has no such files")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "film.mp4")
    with pytest.raises(FilmError, match="pipe"):
        Film(tmp_path / "film.mp4")


@pytest.mark.parametrize("time", ["1/0", "1e400", "9" * 20, "nan"])
def test_times_that_no_film_has(tmp_path: Path, time: str) -> None:
    film = write_film(tmp_path / "film.mp4", times=[0])
    with pytest.raises(SystemExit, match="2"):
        main([str(film), "-o", str(tmp_path / "out.mp4"), "--from", time])
