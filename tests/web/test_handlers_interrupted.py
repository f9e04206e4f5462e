"""What ends a run of the networks before its time, and what holds while one goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

from nst.inference.blend import blend
from nst.models import VARIANTS
from nst.web.page.handlers import SAME
from nst.web.page.session import ORIGINAL
from tests.helpers import random_picture
from tests.web.made import (
    Made,
    asking,
    negative,
    photo,
    pictures,
    pixels,
    stylize,
)


class UnforeseenError(Exception):
    """None of those that anybody has thought of."""


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("/secret"), UnforeseenError()])
def test_a_failing_network_is_said_in_words_and_the_run_is_over(
    made: Made, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = made.visitor()
    made.network.error = error
    report = stylize(made, visitor)[-1].view.report
    assert "a smaller size may work" in report.words
    assert (report.error, report.total) == (True, 0)
    assert "secret" not in report.words
    assert "could not be stylized" in caplog.text
    assert not visitor.runs.pending
    made.network.error = None
    assert "Done" in stylize(made, visitor, 2)[-1].view.report.words


@pytest.mark.parametrize("steps", range(1, 4))
def test_when_a_visitor_leaves_the_run_is_over(made: Made, steps: int) -> None:
    visitor = made.visitor()
    updates = made.handlers.stylize(asking(made), visitor)
    for _ in range(steps):
        next(updates)
    assert visitor.runs.pending
    updates.close()  # as Gradio does with what nobody is there to see
    assert not visitor.runs.pending


def test_something_that_stops_the_program_is_not_hidden(made: Made) -> None:
    visitor = made.visitor()
    made.network.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        stylize(made, visitor)
    assert not visitor.runs.pending


def at_the_second_network(made: Made, act: Callable[[], object]) -> None:
    def before() -> None:
        if made.network.runs == 2:
            act()

    made.network.before = before


def test_a_new_request_ends_the_run_after_its_network(made: Made) -> None:
    visitor = made.visitor()
    at_the_second_network(made, lambda: made.handlers.ask(asking(made, 2), visitor))
    updates = stylize(made, visitor)
    assert made.network.runs == 2
    assert not updates[-1].view.report.total
    assert visitor.runs.pending
    made.network.before = lambda: None
    assert "Done" in stylize(made, visitor, 2)[-1].view.report.words
    assert made.network.runs == len(VARIANTS)  # those of the run before are taken over
    assert not visitor.runs.pending
    (update,) = stylize(made, visitor, 1)  # comes too late
    assert update.view is SAME


def test_stop_ends_the_run_after_its_network(made: Made) -> None:
    visitor = made.visitor()
    at_the_second_network(made, lambda: made.handlers.stop(visitor))
    update = stylize(made, visitor)[-1]
    assert update.view.report.words.startswith(f"Stopped: 2 of {len(VARIANTS)} pictures")
    assert pictures(update) == [True, True, True] + [False] * (len(VARIANTS) - 2)
    assert made.network.runs == 2
    assert not visitor.runs.pending
    (update,) = stylize(made, visitor)  # the same request, which the page has sent twice
    assert update.view is SAME
    made.handlers.ask(asking(made, 2), visitor)
    made.handlers.stop(visitor)
    (update,) = stylize(made, visitor, 2)  # stopped while it was waiting for its turn
    assert "Stopped" in update.view.report.words
    assert made.network.runs == 2
    stylize(made, visitor, 3)
    assert made.network.runs == len(VARIANTS)


def test_a_mix_asked_for_during_a_run_holds_for_all_pictures(made: Made) -> None:
    visitor = made.visitor()
    request = asking(made, strength=42, keep_colours=True)
    at_the_second_network(made, lambda: made.handlers.mix(request, visitor))
    stylize(made, visitor)
    expected = blend(photo(), negative(photo()), 0.4, True).tobytes()
    assert {value for name, value in pixels(visitor).items() if name != ORIGINAL} == {expected}


def test_a_photo_that_begins_during_a_mix_shows_nothing_of_the_one_before(made: Made) -> None:
    visitor, store = made.visitor(), made.stylizer.store
    stylize(made, visitor)

    def begin_another(picture: Image.Image, name: str, about: object) -> str:
        """While the first result is mixed: another photo, stopped after one network."""
        made.stylizer.store = store
        made.network.before = lambda: made.handlers.stop(visitor)
        stylize(made, visitor, 2, photo=None, example="other", strength=40)
        return store(picture, name, about)

    made.stylizer.store = begin_another
    view = made.handlers.mix(asking(made, strength=40), visitor).view
    assert view.photo == "other"
    assert [pane.picture is not None for pane in view.panes.values()] == [True, True, *[False] * 4]
    other = random_picture(48, 36, seed=11)
    mixed = blend(other, negative(other), 0.4).tobytes()
    assert pixels(visitor) == {ORIGINAL: other.tobytes(), "baseline": mixed}


def test_a_mix_during_a_run_stays_with_its_photo(made: Made) -> None:
    """The same photo's next result comes while the ones before it are mixed."""
    visitor, store = made.visitor(), made.stylizer.store
    updates = made.handlers.stylize(asking(made), visitor)
    for _ in range(3):
        next(updates)
    waiting = [updates]

    def go_on(picture: Image.Image, name: str, about: object) -> str:
        made.stylizer.store = store
        if waiting:
            next(waiting.pop())
        return store(picture, name, about)

    made.stylizer.store = go_on
    made.handlers.mix(asking(made, strength=40), visitor)
    assert len(visitor.shown.files) == 3
    for _ in updates:
        pass
    mixed = blend(photo(), negative(photo()), 0.4).tobytes()
    assert pixels(visitor) == {ORIGINAL: photo().tobytes(), **dict.fromkeys(VARIANTS, mixed)}


def test_a_mix_asked_for_before_the_photo_is_there_is_kept(made: Made) -> None:
    visitor = made.visitor()
    made.handlers.ask(asking(made), visitor)
    update = made.handlers.mix(asking(made, strength=30), visitor)
    assert update.view is SAME
    assert visitor.mix.strength == 0.3
