"""What programs are refused, and what ends their measurements."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.data_classes import FileData

from app import build_demo
from nst.inference.latency import WARM_UP
from nst.models import VARIANTS
from nst.web.page.programs import Programs
from nst.web.page.stylizer import MEASURE_REPEATS
from nst.web.server.priority_lock import Priority
from tests.web.made import Made, asking

WELL = {
    "photo": {"path": "/secret.png"},
    "side": 64,
    "networks": ["v3"],
    "engine": "eager",
    "strength": 100,
    "keep_colours": False,
}
REFUSED = [
    ("photo", 5, "photo has to be an uploaded file"),
    ("photo", "photo.jpg", "photo has to be an uploaded file"),
    ("photo", {"path": 5}, "photo has to be an uploaded file"),
    ("photo", {}, "Choose a photo"),
    ("photo", WELL["photo"], "Only a file that was uploaded can be read"),
    *[("side", side, "side has to be a number from 16 to 2048") for side in (-5, 1, 10**9, "512")],
    *[("side", side, "side has to be a number") for side in (None, True, [512], float("nan"))],
    *[
        ("strength", value, "strength has to be a number from 0 to 100")
        for value in (400, -1, "a", False)
    ],
    *[("networks", value, "networks have to be a list of") for value in (["v9"], [["v3"]], "v3")],
    ("networks", [], "at least one network"),
    *[
        ("engine", value, "engine has to be openvino or eager")
        for value in ("cuda", None, ["eager"])
    ],
    ("keep_colours", "no", "keep_colours has to be true or false"),
]


@pytest.mark.parametrize(("name", "value", "words"), REFUSED)
def test_what_is_wrong_with_an_argument_is_said(
    made: Made, name: str, value: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name != "photo":
        monkeypatch.setattr("nst.web.page.programs.uploaded_file", FileData.model_validate)
    with pytest.raises(gr.Error, match=words) as refused:
        Programs(made.stylizer).stylize(**WELL | {name: value})
    assert not refused.value.print_exception
    assert made.network.runs == 0


@pytest.mark.parametrize(
    ("side", "engine", "words"),
    [(513, "eager", "from 16 to 512"), (64, "cuda", "engine has to be"), ({}, "eager", "side")],
)
def test_a_measurement_is_refused_in_words(made: Made, side: Any, engine: str, words: str) -> None:
    with pytest.raises(gr.Error, match=words):
        next(Programs(made.stylizer).measure(side, engine))


def test_a_measurement_says_what_it_has_after_each_repeat(made: Made) -> None:
    answers = list(Programs(made.stylizer).measure(32, "eager"))
    counts = [{len(times) for times in one["milliseconds"].values()} for one in answers]
    assert counts == [{max(0, done)} for done in range(1 - WARM_UP, MEASURE_REPEATS + 1)]


def test_others_come_between_two_repeats_of_a_measurement(made: Made) -> None:
    measuring = Programs(made.stylizer).measure(32, "eager")
    next(measuring)
    *_, update = made.handlers.stylize(asking(made), made.visitor())
    assert update.view.report.words.startswith("Done")
    with made.stylizer.lock.wanted(Priority.VISITOR):
        going_on = threading.Thread(target=lambda: next(measuring))
        going_on.start()
        going_on.join(timeout=0.05)
        assert going_on.is_alive()  # a visitor goes first
    going_on.join(timeout=10)
    assert not going_on.is_alive()


def test_a_visitor_comes_between_two_networks_of_a_program(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nst.web.page.programs.uploaded_file", FileData.model_validate)
    asked = WELL | {"photo": {"path": made.photo.path}, "networks": list(VARIANTS)}
    program = threading.Thread(target=lambda: Programs(made.stylizer).stylize(**asked))
    lock, before = made.stylizer.lock, []

    def visit() -> None:  # while the program's first network runs
        made.network.before = lambda: None
        visitor = threading.Thread(target=lambda: before.append(take_a_turn()))
        visitor.start()
        while not lock.is_behind(Priority.PROGRAM):
            time.sleep(0.001)

    def take_a_turn() -> int:
        with lock.turn(Priority.VISITOR):
            return made.network.runs

    made.network.before = visit
    program.start()
    program.join(timeout=30)
    assert before == [1]
    assert made.network.runs == len(VARIANTS)


def test_another_measurement_ends_that_of_a_program(made: Made) -> None:
    programs = Programs(made.stylizer)
    measuring = programs.measure(32, "eager")
    next(measuring)
    others = programs.measure(32, "eager")
    next(others)
    with pytest.raises(gr.Error, match="Another measurement"):
        next(measuring)
    *_, update = made.handlers.measure(32, asking(made))
    assert "Measured" in update.progress
    with pytest.raises(gr.Error, match="Another measurement"):
        next(others)


def test_no_program_ends_a_measurement_of_a_visitor(made: Made) -> None:
    measuring, answers = made.stylizer.measure(32, "eager"), []
    next(measuring)
    program = threading.Thread(
        target=lambda: answers.extend(Programs(made.stylizer).measure(32, "eager"))
    )
    program.start()
    *_, last = measuring
    assert last.repeats == MEASURE_REPEATS
    program.join(timeout=60)
    assert len(answers) == WARM_UP + MEASURE_REPEATS


@pytest.fixture
def address(made: Made) -> Iterator[str]:
    demo = build_demo(made.stylizer)
    demo.queue(api_open=False).launch(prevent_thread_lock=True, quiet=True)
    yield f"{demo.local_url}gradio_api/call"
    demo.close()


def begin(address: str, name: str, *data: Any) -> str:
    """Ask for something -> where the answer is."""
    started = httpx.post(f"{address}/{name}", json={"data": list(data)})
    return f"{address}/{name}/{started.json()['event_id']}"


def test_arguments_of_wrong_types_leave_no_trace_in_the_log(
    address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for data in (
        [5, 64, ["v3"], "eager", 100, False],
        [{"path": 5}, "64", ["v3"], "eager", 100, False],
        [None, {}, {}, {}, {}, {}],
    ):
        answer = httpx.get(begin(address, "stylize", *data), timeout=60).text
        assert "event: error" in answer
        assert "hoto" in answer  # which is the first argument
    assert "from 16 to 512" in httpx.get(begin(address, "measure", "64", []), timeout=60).text
    output = capfd.readouterr()
    assert "Traceback" not in output.out + output.err


def test_a_measurement_ends_when_nobody_waits_for_it(made: Made, address: str) -> None:
    going = threading.Semaphore(2 * len(VARIANTS))
    made.network.before = lambda: going.acquire(timeout=60)
    with httpx.stream("GET", begin(address, "measure", 32, "eager"), timeout=60) as answer:
        assert "generating" in next(answer.iter_lines())
    while made.stylizer.lock._wanted[Priority.PREPARING]:
        going.release()
        threading.Event().wait(0.1)
    assert made.network.runs < (WARM_UP + MEASURE_REPEATS) * len(VARIANTS)
