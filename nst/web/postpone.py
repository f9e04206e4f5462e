"""Imports that are put off until somebody uses the module: for a page that starts sooner.

Gradio imports pandas, 0.8 s of a start, for tables and plots that this page does not have.
"""

from __future__ import annotations

import importlib.util
import sys


def postpone(name: str) -> None:
    """From now on `import name` takes no time, but the first look into the module does.

    Nothing happens where it is imported already, or not installed.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
