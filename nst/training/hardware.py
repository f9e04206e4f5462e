"""What a training depends on without its aim depending on it: precision, device, versions.

They decide how fast it goes and what is rounded.  Each checkpoint notes them with the step from
which they held.
"""

from __future__ import annotations

from typing import Any

import PIL
import torch

from nst.training.processes import World


def choose_precision(asked: str, device: str) -> str:
    """ "fp32" or "bf16"; where it is left open ("auto"), bf16 where that is fast."""
    if asked != "auto":
        return asked
    return "bf16" if device.startswith("cuda") or _has_amx() else "fp32"


def _has_amx() -> bool:
    """Matrix units; with AVX-512 alone bf16 took twice fp32's time."""
    return bool(getattr(torch.cpu, "get_capabilities", dict)().get("amx_bf16"))


def choose_compile(asked: bool | None, device: str) -> bool:
    """Whether to use torch.compile; where it is left open, on a GPU on which it works.

    Raises:
        ValueError: it was asked for and does not work here.
    """
    if asked is None and not device.startswith("cuda"):
        return False
    if asked is False:
        return False
    # All networks share their code, and each is compiled for training, validation and last batches.
    torch._dynamo.config.recompile_limit = 64
    try:
        torch.compile(torch.square, dynamic=False)(torch.ones(8, device=device))
    except Exception as error:  # there is no one kind for a missing compiler
        if asked is None:
            return False
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise ValueError(f"--compile does not work here: {reason}") from None
    return True


def allow_tf32() -> None:
    """Let a GPU multiply fp32 matrices in TF32, which has all digits of features in bf16."""
    torch.set_float32_matmul_precision("high")


def circumstances(world: World, precision: str, compiled: bool) -> dict[str, Any]:
    """As plain values, for a checkpoint."""
    if world.device.startswith("cuda"):
        device = torch.cuda.get_device_name(world.device)
    elif world.device == "cpu":
        kind = "AMX" if _has_amx() else torch.backends.cpu.get_cpu_capability()
        device = f"CPU, {kind}, {torch.get_num_threads()} threads"
    else:
        device = world.device
    return {
        "precision": precision,
        "device": device,
        "processes": world.size,
        "compiled": compiled,
        "torch": str(torch.__version__),
        "pillow": PIL.__version__,
    }
