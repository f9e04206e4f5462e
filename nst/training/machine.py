"""The machine under a training: device, precision, compiler, processes, and being asked to stop.

They decide how fast it goes, and its result only by rounding; each checkpoint notes them with the
step from which they held.  `torchrun` starts several processes: each works on its share of every
batch, and DistributedDataParallel averages their gradients.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import PIL
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

# From how many steps on compiling, a minute or two, pays on a CPU.  For v4 it saves 0.94 of 1.41 s
# a step with AMX, half of a step in bf16 with AVX-512, a sixth in fp32.
COMPILED_STEPS = {"bf16": 200, "fp32": 1000}


@dataclass(frozen=True)
class World:
    """This process among all: number `rank` of `size`, on its own device."""

    device: str = "cpu"
    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        """Whether this is the one process that prints and saves."""
        return self.rank == 0

    def say(self, text: str) -> None:
        """Print it, once for all processes."""
        if self.writes:
            print(text, flush=True)

    def share(self, indices: Sequence[int]) -> tuple[list[int], float]:
        """This process's part of a batch, and the weight of its mean loss.

        The processes' gradients are averaged, so the weight makes their average that of the whole
        batch also where the parts are not equal.  A process that none is left for looks at the
        first photo with weight 0, because the others wait for its gradients.
        """
        own = list(indices[self.rank :: self.size])
        return own or list(indices[:1]), len(own) * self.size / len(indices)

    def parallel(self, network: nn.Module) -> nn.Module:
        """The network with its gradients averaged over all processes."""
        if self.size == 1:
            return network
        devices = [self.device] if self.device.startswith("cuda") else None
        return DistributedDataParallel(network, device_ids=devices)

    def sum(self, values: Tensor) -> Tensor:
        """The values of all processes added up, on the CPU in fp64; waits for a GPU."""
        if self.size == 1:
            return values.cpu().double()
        total = values.double().to(self.device)
        dist.all_reduce(total)
        return total.cpu()

    def wait(self) -> None:
        """Until every process has come here."""
        if self.size > 1:
            dist.barrier()


def join_world(device: str | None) -> World:
    """Meet the other processes, if torchrun started this one; NCCL on GPUs, gloo on CPUs.

    Args:
        device: "cpu", "cuda" (each process takes a GPU of its own), or a certain one; None: a GPU
            where there is one.

    Raises:
        ValueError: there is no such device, or a certain GPU was asked for, for several processes.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size > 1 and device.startswith("cuda:"):
        raise ValueError(f"--device {device}: with torchrun each process takes its own; say cuda")
    here = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    here += ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()
    if device not in here:
        raise ValueError(f"--device {device}: not on this machine, which has {', '.join(here)}")
    if size == 1:
        return World(device)
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return World(device, dist.get_rank(), size)


def leave_world() -> None:
    """Undo `join_world`."""
    if dist.is_initialized():
        dist.destroy_process_group()


def choose_precision(asked: str, device: str) -> str:
    """ "fp32" or "bf16"; where it is left open ("auto"), bf16 where that is fast."""
    if asked != "auto":
        return asked
    fast = device.startswith("cuda") or (device == "cpu" and _cpu_has("amx_bf16", "avx512_bf16"))
    return "bf16" if fast else "fp32"


def _cpu_has(*units: str) -> bool:
    """Any of them; AVX-512 without its own bf16 takes twice fp32's time for that."""
    here = getattr(torch.cpu, "get_capabilities", dict)()
    return any(here.get(unit) for unit in units)


def choose_compile(asked: bool | None, device: str, precision: str, steps: int) -> bool:
    """Whether to use torch.compile; where it is left open, where it works and pays.

    Args:
        steps: of the whole training, so that going on does as the beginning did.

    Raises:
        ValueError: it was asked for and does not work here.
    """
    if asked is None and not device.startswith("cuda"):
        asked = None if device == "cpu" and steps >= COMPILED_STEPS[precision] else False
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


def describe_hardware(world: World, precision: str, compiled: bool) -> dict[str, Any]:
    """What a checkpoint notes, as plain values."""
    if world.device.startswith("cuda"):
        device = torch.cuda.get_device_name(world.device)
    elif world.device == "cpu":
        kind = "AMX" if _cpu_has("amx_bf16") else torch.backends.cpu.get_cpu_capability()
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


class Stopwatch:
    """Seconds spent inside of `with`; on a GPU the GPU's own, which nothing has to wait for."""

    def __init__(self, device: str) -> None:
        self._on_gpu = device.startswith("cuda")
        self._seconds = 0.0
        self._spans: list[list[torch.cuda.Event]] = []  # begun and ended, or still going on

    @property
    def seconds(self) -> float:
        """Of everything that is finished."""
        while self._spans and self._spans[0][-1].query():
            begin, end = self._spans.pop(0)
            self._seconds += begin.elapsed_time(end) / 1000
        return self._seconds

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._seconds = value

    def __enter__(self) -> None:
        if self._on_gpu:
            self._begin = torch.cuda.Event(enable_timing=True)
            self._begin.record()
        else:
            self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        if self._on_gpu:
            end = torch.cuda.Event(enable_timing=True)
            end.record()
            self._spans.append([self._begin, end])
        else:
            self._seconds += time.perf_counter() - self._started


@contextlib.contextmanager
def stop_signal() -> Iterator[threading.Event]:
    """An event that asks for a stop between two steps: set by Ctrl-C, termination or a hangup.

    A second Ctrl-C stops at once, with what was saved last.  What is ignored, as a hangup is under
    `nohup`, stays so.
    """
    event = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
