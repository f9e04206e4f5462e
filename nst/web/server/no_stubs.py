"""Gradio's import without the type stubs that it writes beside every component: half of its time.

For each of 80 components Gradio parses the source and renders a .pyi file, at every start; an
editor reads them, a running page does not.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType

MODULE, FUNCTION = "gradio.component_meta", "create_or_modify_pyi"


class _WithoutStubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports `MODULE` as it would be, then makes its `FUNCTION` do nothing, if it has it."""

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != MODULE:
            return None
        sys.meta_path.remove(self)  # it is needed once
        self._found = importlib.util.find_spec(name)
        return importlib.util.spec_from_loader(name, self) if self._found else None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._found.origin
        self._found.loader.exec_module(module)
        if hasattr(module, FUNCTION):
            setattr(module, FUNCTION, lambda *_: None)


def import_gradio_without_stubs() -> None:
    """Call it before the first `import gradio`; later it changes nothing."""
    if MODULE not in sys.modules:
        sys.meta_path.insert(0, _WithoutStubs())
