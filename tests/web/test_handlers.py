"""What the page does, without a server and without the real networks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gradio.data_classes import FileData

from nst.inference.blend import blend
from nst.models import VARIANTS
from nst.pictures.examples import FIRST_SIDE
from nst.pictures.reading import END_MISSING
from nst.web.page.handlers import captions
from nst.web.page.session import ORIGINAL, Session, SessionExpiredError
from nst.web.page.stylizer import MAX_SIDE, MEASURE_REPEATS, bounded
from tests.helpers import encoded, random_picture
from tests.web.made import (
    NAMES,
    Made,
    negative,
    photo,
    pictures,
    pixels,
    run,
    wishes,
)


def test_a_visitor_sees_the_first_example(made: Made) -> None:
    view = made.studio.first_view()
    assert [pane.name for pane in view.panes] == NAMES
    assert all(pane.picture and pane.time for pane in view.panes if pane.name != ORIGINAL)
    assert view.photo == "first"
    assert made.painter.store.kept >= set(made.painter.first_session().painted.values())


def test_a_run_shows_one_picture_after_the_other(made: Made) -> None:
    session = Session()
    updates = run(made, session)
    assert [pictures(update) for update in updates[1:]] == [
        [index <= done for index in range(len(NAMES))] for done in range(len(NAMES))
    ]
    reports = [update.view.report for update in updates]
    assert [report.done for report in reports[1:-1]] == list(range(len(VARIANTS)))
    assert {report.total for report in reports[:-1]} == {len(VARIANTS)}
    assert reports[-1].total == 0
    assert reports[-1].words.startswith("Done")
    assert made.network.runs == len(VARIANTS)
    expected = dict.fromkeys(VARIANTS, negative(photo()).tobytes())
    assert pixels(session) == {ORIGINAL: photo().tobytes(), **expected}


def test_the_time_that_is_left_is_told(made: Made) -> None:
    rates = {("eager", name): 1.0 for name in VARIANTS}
    made.painter._seconds_per_pixel.update(rates)
    started = [update.view.report.seconds_left for update in run(made, Session())]
    assert started[1] == pytest.approx(len(VARIANTS) * 64 * 50)
    assert started[2] == pytest.approx((len(VARIANTS) - 1) * 64 * 50)
    assert started[-1] == 0


def test_networks_are_run_in_the_order_of_the_page(made: Made) -> None:
    updates = run(made, Session(), networks=["v3", "v1"])
    assert [pane.name for pane in updates[-1].view.panes] == [ORIGINAL, "v1", "v3"]


def test_what_is_there_is_not_painted_again(made: Made) -> None:
    session = Session()
    run(made, session, 1, networks=["v3", "v1"])
    (update,) = run(made, session, 2, networks=["v1"])
    assert pictures(update) == [True, True]
    run(made, session, 3, networks=["v1", "v2", "v3"])
    assert made.network.runs == 3
    run(made, session, 4, networks=["v1"], anew=True)
    assert made.network.runs == 4
    run(made, session, 5, networks=["v1"], engine="openvino")
    run(made, session, 6, networks=["v1"], engine="openvino", side=32)
    assert made.network.runs == 6
    assert session.size == (32, 25)


def test_prepared_examples_are_shown_at_once(made: Made) -> None:
    made.painter.prepare()
    made.network.runs = 0
    session = Session()
    asked = {"photo": None, "example": "other", "engine": "openvino", "side": FIRST_SIDE}
    (update,) = run(made, session, 1, **asked, strength=40)
    assert pictures(update) == [True] * len(NAMES)
    assert made.network.runs == 0
    example = random_picture(48, 36, seed=11)
    assert pixels(session)["v3"] == blend(example, negative(example), 0.4).tobytes()
    for path in session.painted.values():
        assert path in made.painter.store.kept
    run(made, session, 2, **asked | {"side": 32})
    assert made.network.runs == len(VARIANTS)
    run(made, Session(), 1, **asked, networks=["v1"])
    assert made.network.runs == len(VARIANTS)


@pytest.mark.parametrize("missing", [{"photo": None}, {"networks": []}])
def test_without_a_photo_or_networks_what_is_shown_stays(made: Made, missing: dict) -> None:
    session = made.painter.first_session()
    (update,) = run(made, session, **missing)
    assert update.view.report.error
    assert pictures(update) == [True] * len(NAMES)
    assert made.network.runs == 0


def test_a_bad_file_leaves_the_pictures_before(made: Made, tmp_path: Path) -> None:
    session = made.painter.first_session()
    (tmp_path / "bad.png").write_bytes(b"<html>")
    for number, name in enumerate(("bad.png", "gone.png")):
        sent = FileData(path=str(tmp_path / name), orig_name=name)
        updates = run(made, session, number + 1, photo=sent)
        assert all(pictures(update) == [True] * len(NAMES) for update in updates)
        report = updates[-1].view.report
        assert report.error
        assert str(tmp_path) not in report.words
        assert (session.title, session.runs.pending) == ("first.png", False)


def test_what_there_is_to_say_about_a_file_is_said(made: Made) -> None:
    Path(made.photo.path).write_bytes(encoded(photo(), "JPEG")[:-2])
    words = run(made, Session())[-1].view.report.words
    assert words.startswith("Done: 5 pictures in ")
    assert words.endswith(END_MISSING)


def test_strength_and_colours_run_no_network(made: Made) -> None:
    session = made.painter.first_session()
    update = made.studio.mix(wishes(made, photo=None, example="first", strength=0), session)
    assert made.network.runs == 0
    assert len(set(pixels(session).values())) == 1
    assert "Shown at 0 % strength." in update.view.report.words


def test_a_sheet_is_named_after_the_photo(made: Made) -> None:
    session = Session()
    run(made, session)
    sheet = session.sheet(captions(session, made.painter), made.painter.store)
    assert Path(sheet).name == "my-photo-comparison.png"
    assert all(" · " in caption for caption in captions(session, made.painter).values())


def test_every_wish_is_answered_by_another_view(made: Made) -> None:
    """Gradio tells the page's scripts only of what has changed."""
    session = Session()
    run(made, session)
    again = [run(made, session, number)[-1].view for number in (2, 3)]
    assert again[0].panes == again[1].panes
    assert again[0] != again[1]


def test_what_is_saved_says_what_it_is(made: Made) -> None:
    session = Session()
    view = run(made, session, strength=60)[-1].view
    assert view.stem == "my-photo"
    assert view.caption == "my photo.png · 64×50 px · PyTorch · 60 % strength"


def test_every_picture_has_its_score_and_places(made: Made) -> None:
    session = Session()
    panes = run(made, session)[-1].view.panes
    for pane in panes:
        assert re.fullmatch(r"grid −?\d+\.\d dB( · spots \d+ %)?", pane.found.score)
        for x, y in (*pane.found.worst, pane.found.yellowest):
            assert 0 <= x < session.size[0]
            assert 0 <= y < session.size[1]
        assert pane.found.heat.startswith("data:image/png;base64,")
    last = run(made, session, number=2, strength=50)[-1].view
    assert all(pane.found.score.endswith("(at full strength)") for pane in last.panes)


def test_pictures_that_are_gone_are_said_to_be(made: Made) -> None:
    asked = wishes(made, strength=50)
    session = Session()
    run(made, session)
    for path in session.painted.values():
        Path(path).unlink()
    for gone in (
        session,
        Session(),
        made.painter.first_session(),
    ):  # the last one is another photo's
        with pytest.raises(SessionExpiredError, match="stylize again"):
            made.studio.mix(asked, gone)


def test_pictures_that_are_gone_are_painted_again(made: Made) -> None:
    session = Session()
    run(made, session)
    Path(session.painted["v2"]).unlink()
    run(made, session, 2)
    assert pixels(session)["v2"] == negative(photo()).tobytes()


def test_measuring_fills_the_table(made: Made) -> None:
    session = made.painter.first_session()
    *_, update = made.studio.measure(32, wishes(made), session)
    assert session.measured.repeats == MEASURE_REPEATS
    assert update.table.count("<tr>") == 1 + len(VARIANTS)
    assert "here, 32×32" in update.table


def test_sides_are_bounded() -> None:
    assert [bounded(side) for side in (-5, 16, 700, 10**9)] == [16, 16, 700, MAX_SIDE]


def test_examples_have_small_pictures(made: Made) -> None:
    assert {name: picture.size for name, picture in made.painter.thumbnails()} == dict.fromkeys(
        ("first", "other"), (96, 96)
    )
