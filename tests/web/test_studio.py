"""What the page does, without a server and without the real networks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from PIL import Image

from nst.inference.blend import blend
from nst.models import VARIANTS, build_model
from nst.web.components import Upload
from nst.web.session import ORIGINAL, Session, SessionExpiredError
from nst.web.studio import MEASURE_REPEATS, Studio, Update
from nst.web.zoom import magnify
from tests.conftest import random_picture

NAMES = [ORIGINAL, *VARIANTS]
EXAMPLE = (48, 36)


class Inverting:
    """In a network's place: a negative; it can be made to fail."""

    def __init__(self) -> None:
        self.runs, self.error, self.before = 0, None, lambda: None

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        self.before()
        if self.error:
            raise self.error
        return 1 - photo


class Made(NamedTuple):
    studio: Studio
    network: Inverting
    stored: list[str]
    photo: Upload


@pytest.fixture
def made(tmp_path: Path) -> Made:
    stored = []

    def store(picture: Image.Image, name: str) -> str:
        path = tmp_path / f"{len(stored)}" / f"{name}.png"
        path.parent.mkdir()
        picture.save(path)
        stored.append(str(path))
        return str(path)

    network = Inverting()
    random_picture(*EXAMPLE).save(tmp_path / "example.png")
    random_picture(64, 50, seed=1).save(tmp_path / "photo.png")
    studio = Studio(
        {name: build_model(name) for name in VARIANTS},
        {"eager": dict.fromkeys(VARIANTS, network)},
        store,
        tmp_path / "example.png",
        512,
    )
    network.runs = 0
    return Made(studio, network, stored, Upload(str(tmp_path / "photo.png"), "my photo.png"))


def run(made: Made, session: Session, **other: object) -> list[Update]:
    wishes = {
        "photo": made.photo,
        "side": 256,
        "networks": list(VARIANTS),
        "engine": "eager",
        "strength": 100,
        "keep_colours": False,
        **other,
    }
    return list(made.studio.run(**wishes, session=session))


def pixels(session: Session) -> dict[str, bytes]:
    return {name: picture.tobytes() for name, picture in session.pictures().items()}


def photo() -> Image.Image:
    return random_picture(64, 50, seed=1)


def test_a_visitor_sees_an_example_of_their_own(made: Made) -> None:
    one, other = made.studio.welcome(), made.studio.welcome()
    assert [pane.name for pane in one.panes.panes] == NAMES
    assert all(pane.picture for pane in one.panes.panes)
    assert one.session.size == EXAMPLE
    run(made, one.session)
    assert other.session.size == EXAMPLE
    assert made.studio.welcome().session.size == EXAMPLE
    assert set(made.studio.files_of_the_example()) == set(other.session.painted.values())


def test_a_run_shows_one_picture_after_the_other(made: Made) -> None:
    session = Session()
    updates = run(made, session)
    assert [
        [pane.picture is not None for pane in update.panes.panes]
        for update in updates
        if update.panes
    ] == [
        *([index <= done for index in range(len(NAMES))] for done in range(len(NAMES))),
        [True] * len(NAMES),
    ]
    assert "Done" in updates[-1].status
    assert made.network.runs == len(VARIANTS)
    assert pixels(session)[ORIGINAL] == photo().tobytes()
    negative = bytes(255 - value for value in photo().tobytes())
    assert {value for name, value in pixels(session).items() if name != ORIGINAL} == {negative}


def test_networks_are_run_in_the_order_of_the_page(made: Made) -> None:
    session = Session()
    updates = run(made, session, networks=["v3", "v1"])
    assert [pane.name for pane in updates[-1].panes.panes] == [ORIGINAL, "v1", "v3"]


@pytest.mark.parametrize("missing", [{"photo": None}, {"networks": []}])
def test_without_a_photo_or_networks_what_is_shown_stays(made: Made, missing: dict) -> None:
    session = made.studio.welcome().session
    before = dict(session.shown)
    (update,) = run(made, session, **missing)
    assert 'role="alert"' in update.status
    assert (update.panes, session.shown) == (None, before)
    assert made.network.runs == 0


def test_a_bad_file_leaves_the_pictures_before(made: Made, tmp_path: Path) -> None:
    session = made.studio.welcome().session
    before = dict(session.shown)
    (tmp_path / "bad.png").write_bytes(b"<html>")
    for path in (tmp_path / "bad.png", tmp_path / "gone.png"):
        updates = run(made, session, photo=Upload(str(path), "bad.png"))
        assert not any(update.panes for update in updates)
        assert 'role="alert"' in updates[-1].status
        assert str(tmp_path) not in updates[-1].status
        assert (session.shown, session.title, session.busy) == (before, "example.png", False)


class UnforeseenError(Exception):
    """None of those that anybody has thought of."""


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("/secret"), UnforeseenError()])
def test_a_failing_network_is_said_in_words_and_leaves_the_session_idle(
    made: Made, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    session = Session()
    made.network.error = error
    updates = run(made, session)
    assert "a smaller size may work" in updates[-1].status
    assert "secret" not in updates[-1].status
    assert "could not be painted" in caplog.text
    assert not session.busy
    made.network.error = None
    assert "Done" in run(made, session)[-1].status


@pytest.mark.parametrize("steps", range(1, 4))
def test_a_visitor_who_leaves_leaves_the_session_idle(made: Made, steps: int) -> None:
    session = Session()
    updates = made.studio.run(made.photo, 256, list(VARIANTS), "eager", 100, False, session)
    for _ in range(steps):
        next(updates)
    assert session.busy
    updates.close()  # as Gradio does with what nobody is there to see
    assert not session.busy


def test_something_that_stops_the_program_is_not_hidden(made: Made) -> None:
    session = Session()
    made.network.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(made, session)
    assert not session.busy


def test_a_wish_during_a_run_holds_for_all_pictures(made: Made) -> None:
    session = Session()

    def wish() -> None:
        if made.network.runs == 2:  # the second network is at work, the first is done
            session.wish(40, True)

    made.network.before = wish
    run(made, session)
    negative = Image.eval(photo(), lambda value: 255 - value)
    expected = blend(photo(), negative, 0.4, True).tobytes()
    assert {value for name, value in pixels(session).items() if name != ORIGINAL} == {expected}


def test_strength_and_colours_run_no_network(made: Made) -> None:
    session = made.studio.welcome().session
    update = made.studio.mix(0, False, session)
    assert made.network.runs == 0
    assert len(set(pixels(session).values())) == 1
    assert "Shown at 0 % strength." in update.status


def test_all_look_at_one_place(made: Made) -> None:
    session = Session()
    run(made, session, networks=["v2"])
    crops = made.studio.magnify(50, 50, 4, 100, 80, session)
    found = dict(zip(NAMES, crops, strict=True))
    assert found[ORIGINAL].tobytes() == magnify(photo(), 50, 50, 4, 100, 80).tobytes()
    assert {name for name, crop in found.items() if crop} == {ORIGINAL, "v2"}


def test_a_sheet_is_named_after_the_photo(made: Made) -> None:
    session = Session()
    run(made, session)
    assert Path(made.studio.sheet(session).sheet).name == "my-photo-comparison.png"


@pytest.mark.parametrize(
    ("method", "inputs"), [("mix", [50, False]), ("magnify", [50, 50, 4, 100, 80]), ("sheet", [])]
)
def test_pictures_that_are_gone_are_said_to_be(made: Made, method: str, inputs: list) -> None:
    gone = made.studio.welcome().session
    for path in made.stored:
        Path(path).unlink()
    for session in (gone, Session()):
        with pytest.raises(SessionExpiredError, match="stylize again"):
            getattr(made.studio, method)(*inputs, session)


def test_measuring_fills_the_table(made: Made) -> None:
    session = made.studio.welcome().session
    *_, update = made.studio.measure(32, "eager", session)
    assert session.measured.repeats == MEASURE_REPEATS
    assert update.table.count("<tr>") == 1 + len(VARIANTS)
    assert "here, 32×32" in update.table
