from __future__ import annotations

from tests.helpers import run_python

SCRIPT = """
import sys
from nst.web.server.no_stubs import MODULE, FUNCTION, import_gradio_without_stubs
import_gradio_without_stubs()
import gradio
assert getattr(sys.modules[MODULE], FUNCTION)(None, "", []) is None
assert sys.modules[MODULE].__file__.endswith("component_meta.py")
finders = [type(finder).__name__ for finder in sys.meta_path]
import_gradio_without_stubs()  # too late, and no finder is left behind
assert "_WithoutStubs" not in finders, finders
assert finders == [type(finder).__name__ for finder in sys.meta_path]
gradio.Button("works")
"""


def test_gradio_is_imported_as_always_but_for_stubs() -> None:
    done = run_python("-c", SCRIPT)
    assert done.returncode == 0, done.stderr
