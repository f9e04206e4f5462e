"""Gradio's import without the type stubs that it writes beside every component.

For each of 80 components Gradio parses the source and renders a .pyi file, at every start; an
editor reads them, a running page does not.  It takes 1.5 s of a processor.
"""

from __future__ import annotations

import inspect
from typing import NoReturn


def import_gradio_without_stubs() -> None:
    """Call it before the first `import gradio`; later it changes little."""
    getfile, inspect.getfile = inspect.getfile, _no_file
    try:
        from gradio import component_meta
    finally:
        inspect.getfile = getfile
    component_meta.create_or_modify_pyi = lambda *_: None


def _no_file(thing: object) -> NoReturn:
    """What Gradio takes for a component that has no source, and needs no stub."""
    raise OSError
