from __future__ import annotations

from tests.helpers import run_python

SCRIPT = """
import inspect, sys
from pathlib import Path
getfile = inspect.getfile
from nst.web.server.no_stubs import import_gradio_without_stubs
written = []
Path.with_suffix = lambda path, suffix, before=Path.with_suffix: (
    written.append(suffix), before(path, suffix)
)[1]
import_gradio_without_stubs()
import gradio
class Own(gradio.Button):
    pass
assert inspect.getfile is getfile
assert ".pyi" not in written
Own("works")
"""


def test_gradio_is_imported_as_always_but_for_stubs() -> None:
    done = run_python("-c", SCRIPT)
    assert done.returncode == 0, done.stderr
