from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from nst.inference.blend import blend
from nst.pictures.metadata import Recipe
from nst.pictures.reading import Reading
from nst.web.page.session import (
    FULL,
    ORIGINAL,
    Mix,
    Results,
    Runs,
    SessionExpiredError,
    Store,
    Visitor,
    keep_photo,
    mix_results,
    open_png,
    readable,
    safe_stem,
)
from tests.helpers import random_picture


@pytest.fixture
def store(tmp_path: Path) -> Store:
    def save(picture: Image.Image, name: str, _: object) -> str:
        picture.save(tmp_path / f"{name}.png")
        return str(tmp_path / f"{name}.png")

    return save


@pytest.fixture
def results(store: Store) -> Results:
    """Of two networks, the first of which has run."""
    photo = keep_photo(Reading(random_picture(64, 48)), "a photo.jpg", "key", 64, store)
    return Results(photo, "eager", ("v1", "v3")).with_result(
        Recipe("v1", "ab"), random_picture(64, 48, seed=1), 0.5, store
    )


def with_v3(results: Results, store: Store) -> Results:
    return results.with_result(Recipe("v3", "ab"), random_picture(64, 48, seed=3), 0.4, store)


def test_pictures_are_there_in_the_order_of_the_page(results: Results, store: Store) -> None:
    assert (list(results.files), results.missing) == ([ORIGINAL, "v1"], ["v3"])
    more = with_v3(replace(results, networks=("baseline", "v3", "v1")), store)
    assert list(more.files) == [ORIGINAL, "v3", "v1"]
    assert open_png(more.files["v3"]).tobytes() == random_picture(64, 48, seed=3).tobytes()
    assert list(results.files) == [ORIGINAL, "v1"]


def test_files_that_are_gone_say_so(results: Results, store: Store, tmp_path: Path) -> None:
    visitor = Visitor(mix_results(results, FULL, store))
    (tmp_path / "a-photo-v1.png").unlink()
    assert not results.are_there()
    with pytest.raises(SessionExpiredError):
        visitor.show_mixed(store)
    with pytest.raises(SessionExpiredError):
        mix_results(results, Mix(0.5), store)


def test_a_mix_is_made_of_what_the_networks_made(results: Results, store: Store) -> None:
    photo, result = random_picture(64, 48), random_picture(64, 48, seed=1)
    visitor = Visitor(mix_results(results, Mix(0.3), store))
    visitor.mix = Mix(0.5, True)
    visitor.show_mixed(store)
    shown = open_png(visitor.shown.files["v1"])
    assert shown.tobytes() == blend(photo, result, 0.5, True).tobytes()
    assert open_png(results.files["v1"]).tobytes() == result.tobytes()


def test_only_what_is_new_in_a_mix_is_made(results: Results, store: Store) -> None:
    visitor, made = Visitor(mix_results(results, Mix(0.5), store), Mix(0.5)), []

    def noting(picture: Image.Image, name: str, about: object) -> str:
        made.append(name)
        return store(picture, name, about)

    visitor.show(with_v3(results, store), noting)
    assert made == ["a-photo-v3-50"]
    assert list(visitor.shown.files) == [ORIGINAL, "v1", "v3"]


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
    assert (runs.has_last_word(1), runs.has_last_word(2)) == (False, True)
    runs.finish(2)
    assert not runs.has_last_word(2)
    runs.ask(3)
    assert (runs.may_go_on(3), runs.pending) == (True, True)
    runs.finish(3)
    assert not runs.pending


@pytest.mark.parametrize(
    ("percent", "strength"), [(-10, 0), (0, 0), (42, 0.4), (43, 0.45), (100, 1), (1e9, 1)]
)
def test_strengths_are_those_of_the_slider(percent: float, strength: float) -> None:
    assert Mix.nearest(percent, False).strength == strength


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
        ("夏の海.jpg", "夏の海"),
        ("Фото.jpg", "Фото"),
        ("u\u0308ber.png", "über"),
        ("हिन्दी.png", "हिन्दी"),
        ("emoji 🎉.png", "emoji"),
        ("a\u202egnp.png", "a-gnp"),
        ("\ud800.png", "picture"),
        (".png", "png"),
        ("…….png", "picture"),
        ("a" * 300, "a" * 40),
        ("\U00020000" * 300, "\U00020000" * 30),
    ],
)
def test_names_of_files_are_safe(title: str, stem: str) -> None:
    assert safe_stem(title) == stem
