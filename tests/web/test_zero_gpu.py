from __future__ import annotations

import sys
from types import ModuleType

import pytest

from nst.web.server.zero_gpu import declare_for_zero_gpu


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> list:
    """What has been declared and reported to a `spaces` package in the real one's place."""
    functions: list = []
    spaces = ModuleType("spaces")
    spaces.GPU = lambda task: functions.append(task) or task
    zero = ModuleType("spaces.zero")
    zero.startup = lambda: functions.append("reported")
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    monkeypatch.setitem(sys.modules, "spaces.zero", zero)
    return functions


def test_a_zero_gpu_space_sees_a_function(declared: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert declare_for_zero_gpu()
    function, report = declared
    assert report == "reported"
    with pytest.raises(AssertionError, match="on the CPU"):
        function()


@pytest.mark.parametrize("value", [None, "", "false"])
def test_nothing_is_declared_elsewhere(
    declared: list, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    if value is not None:
        monkeypatch.setenv("SPACES_ZERO_GPU", value)
    assert not declare_for_zero_gpu()
    assert declared == []


def test_the_package_is_not_needed_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    monkeypatch.setitem(sys.modules, "spaces", None)  # importing it would fail
    assert not declare_for_zero_gpu()
