"""What ends a run of the networks before its time, and what holds while one goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nst.inference.blend import blend
from nst.models import VARIANTS
from nst.web.page.session import ORIGINAL, Session
from tests.web.made import (
    Made,
    negative,
    photo,
    pictures,
    pixels,
    run,
    wishes,
)


class UnforeseenError(Exception):
    """None of those that anybody has thought of."""


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("/secret"), UnforeseenError()])
def test_a_failing_network_is_said_in_words_and_the_run_is_over(
    made: Made, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    session = Session()
    made.network.error = error
    report = run(made, session)[-1].view.report
    assert "a smaller size may work" in report.words
    assert (report.error, report.total) == (True, 0)
    assert "secret" not in report.words
    assert "could not be painted" in caplog.text
    assert not session.runs.pending
    made.network.error = None
    assert "Done" in run(made, session, 2)[-1].view.report.words


@pytest.mark.parametrize("steps", range(1, 4))
def test_when_a_visitor_leaves_the_run_is_over(made: Made, steps: int) -> None:
    session = Session()
    updates = made.studio.run(wishes(made), session)
    for _ in range(steps):
        next(updates)
    assert session.runs.pending
    updates.close()  # as Gradio does with what nobody is there to see
    assert not session.runs.pending


def test_something_that_stops_the_program_is_not_hidden(made: Made) -> None:
    session = Session()
    made.network.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(made, session)
    assert not session.runs.pending


def at_the_second_network(made: Made, act: Callable[[], object]) -> None:
    def before() -> None:
        if made.network.runs == 2:
            act()

    made.network.before = before


def test_a_new_wish_ends_the_run_after_its_network(made: Made) -> None:
    session = Session()
    at_the_second_network(made, lambda: made.studio.ask(wishes(made, 2), session))
    updates = run(made, session)
    assert made.network.runs == 2
    assert not updates[-1].view.report.total
    assert session.runs.pending
    made.network.before = lambda: None
    assert "Done" in run(made, session, 2)[-1].view.report.words
    assert made.network.runs == len(VARIANTS)  # those of the run before are taken over
    assert not session.runs.pending
    (update,) = run(made, session, 1)  # comes too late
    assert update.view is None


def test_stop_ends_the_run_after_its_network(made: Made) -> None:
    session = Session()
    at_the_second_network(made, lambda: made.studio.stop(session))
    update = run(made, session)[-1]
    assert update.view.report.words.startswith(f"Stopped: 2 of {len(VARIANTS)} pictures")
    assert pictures(update) == [True, True, True] + [False] * (len(VARIANTS) - 2)
    assert made.network.runs == 2
    assert not session.runs.pending
    made.studio.ask(wishes(made, 2), session)
    made.studio.stop(session)
    (update,) = run(made, session, 2)  # stopped while it was waiting for its turn
    assert "Stopped" in update.view.report.words
    assert made.network.runs == 2
    run(made, session, 3)
    assert made.network.runs == len(VARIANTS)


def test_a_wish_during_a_run_holds_for_all_pictures(made: Made) -> None:
    session = Session()
    wish = wishes(made, strength=42, keep_colours=True)
    at_the_second_network(made, lambda: made.studio.mix(wish, session))
    run(made, session)
    expected = blend(photo(), negative(photo()), 0.4, True).tobytes()
    assert {value for name, value in pixels(session).items() if name != ORIGINAL} == {expected}


def test_a_wish_before_the_photo_is_there_is_kept(made: Made) -> None:
    session = Session()
    made.studio.ask(wishes(made), session)
    update = made.studio.mix(wishes(made, strength=30), session)
    assert update.view is None
    assert session.strength == 0.3
