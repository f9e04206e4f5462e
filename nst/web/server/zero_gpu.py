"""On a ZeroGPU Space of Hugging Face: one function that is declared for its GPUs, and never called.

A ZeroGPU Space does not start unless at least one function is decorated with `spaces.GPU`.  This
page has nothing for a GPU: its subject is what the networks cost on a CPU.  So it runs there as on
the free CPU kind, and takes up nobody's GPU time.
"""

from __future__ import annotations

import importlib
import os


def declare_for_zero_gpu() -> bool:
    """Satisfy ZeroGPU's check at the start; True on such a Space, False and nothing elsewhere.

    `spaces` is installed on every Space, so it is in no requirements file.  It reports its
    functions when Gradio's `launch` is called, which this page does without.
    """
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return False
    spaces = importlib.import_module("spaces")
    spaces.GPU(_never_called)
    importlib.import_module("spaces.zero").startup()
    return True


def _never_called() -> None:
    raise AssertionError("this page runs on the CPU")
