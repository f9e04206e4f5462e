from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nst.inference.blend import blend
from nst.web.page.session import (
    ORIGINAL,
    Latency,
    Runs,
    Session,
    SessionExpiredError,
    Source,
    Store,
    readable,
    safe_stem,
)
from tests.helpers import random_picture

SOURCE = Source("a photo.jpg", 64, "eager")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    def save(picture: Image.Image, name: str) -> str:
        picture.save(tmp_path / f"{name}.png")
        return str(tmp_path / f"{name}.png")

    return save


@pytest.fixture
def session(store: Store) -> Session:
    photo = random_picture(64, 48)
    session = Session()
    session.begin(photo, "a photo.jpg", SOURCE, store)
    session.wanted = ("v1", "v3")
    session.add("v1", photo, random_picture(64, 48, seed=1), 0.5, store)
    return session


def test_pictures_are_there_in_the_order_of_the_page(session: Session, store: Store) -> None:
    assert list(session.pictures()) == [ORIGINAL, "v1"]
    session.add("v3", random_picture(64, 48), random_picture(64, 48, seed=3), 0.4, store)
    assert list(session.pictures()) == [ORIGINAL, "v1", "v3"]
    assert session.pictures()["v3"].tobytes() == random_picture(64, 48, seed=3).tobytes()


def test_a_new_photo_forgets_the_one_before(session: Session, store: Store) -> None:
    session.measured = Latency(256, {"v1": [1.0, 2.0]}, "here")
    session.begin(random_picture(32, 20), "other.png", SOURCE, store)
    assert list(session.pictures()) == [ORIGINAL]
    assert session.seconds == {}
    assert session.measured is not None


def test_files_that_are_gone_say_so(session: Session, store: Store, tmp_path: Path) -> None:
    (tmp_path / "a-photo-v1.png").unlink()
    with pytest.raises(SessionExpiredError):
        session.mix(store)
    with pytest.raises(SessionExpiredError):
        session.sheet({}, store)
    with pytest.raises(SessionExpiredError):
        Session().crops(50, 50, 4, 100, 100)


def test_results_are_taken_over_as_the_networks_made_them(session: Session, store: Store) -> None:
    other = Session(wanted=("v1",))
    other.wish(50, True)
    other.take_over(session)
    other.mix(store)
    photo, result = random_picture(64, 48), random_picture(64, 48, seed=1)
    assert other.pictures()["v1"].tobytes() == blend(photo, result, 0.5, True).tobytes()
    assert other.seconds == session.seconds
    assert session.pictures()["v1"].tobytes() == result.tobytes()


def test_a_later_run_ends_those_before() -> None:
    runs = Runs()
    assert not runs.pending
    runs.ask(1)
    assert (runs.may_go_on(1), runs.pending) == (True, True)
    runs.ask(2)
    assert (runs.may_go_on(1), runs.may_go_on(2)) == (False, True)
    runs.finish(1)
    assert runs.pending
    runs.stop()
    assert (runs.may_go_on(2), runs.pending) == (False, False)
    runs.ask(3)
    assert (runs.may_go_on(3), runs.pending) == (True, True)
    runs.finish(3)
    assert not runs.pending


@pytest.mark.parametrize(
    ("percent", "strength"), [(-10, 0), (0, 0), (42, 0.4), (43, 0.45), (100, 1), (1e9, 1)]
)
def test_strengths_are_those_of_the_slider(percent: float, strength: float) -> None:
    session = Session()
    session.wish(percent, False)
    assert session.strength == strength


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("my photo.png", "my photo.png"),
        ("one\nline\ttwo\u202egnp.exe.png", "one line two gnp.exe.png"),
        ("我的照片.jpg", "我的照片.jpg"),
        ("W" * 250 + ".jpg", "W" * 56 + "…" + "W" * 16 + ".jpg"),
    ],
)
def test_titles_are_a_line(title: str, line: str) -> None:
    assert readable(title) == line


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("holiday.JPG", "holiday"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\my cat.png", "my-cat"),
        ("<b>ü</b>", "b"),
        (".png", "png"),
        ("写真.png", "picture"),
        ("a" * 300, "a" * 40),
    ],
)
def test_names_of_files_are_safe(title: str, stem: str) -> None:
    assert safe_stem(title) == stem
