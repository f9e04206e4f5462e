"""One training on the disk: its folder says what was asked for, how far it is, how it ended.

    request.json    what was asked for
    mine.png        the painting; its name is the folder's
    v4.csv …        what train.py saves there: log, checkpoint, training state
    output.txt      what train.py has printed since it was started last
    pid             its process

So nothing is lost with the page: who finds the folder later goes on from it.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from PIL import Image

from nst.files import locked, write_then_rename
from nst.models import VARIANTS
from nst.paths import CHECKPOINTS

SAVE_EVERY = 5  # steps: some seconds
LOWEST_PRIORITY = 19
POINTS = 120  # of the curve
VGG_WEIGHTS = "NST_VGG_WEIGHTS"  # names a file in place of torchvision's weights

_ROOT = Path(__file__).resolve().parents[3]  # where train.py lies


@dataclass(frozen=True)
class TrainingRequest:
    """What a training is to do."""

    title: str  # of the painting
    network: str
    steps: int
    photos: str = ""  # a folder, zip or tar file; empty: the page's examples

    def __post_init__(self) -> None:
        if not isinstance(self.steps, int) or "\0" in self.photos:  # infinity is not JSON again
            raise ValueError("Steps are whole numbers, and there is no such folder.")


class Training:
    """The training in a folder; one process of this machine at most is at work in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.request = TrainingRequest(
            **json.loads((folder / "request.json").read_text(encoding="utf-8"))
        )
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(
        cls, folder: Path, painting: Image.Image | None, request: TrainingRequest
    ) -> Training:
        """A folder for it; without a painting nothing can be trained there.

        Raises:
            OSError: it cannot be made, or the disk is full.
        """
        if painting:
            write_then_rename(
                folder / f"{folder.name}.png", lambda path: painting.save(path, "PNG")
            )
        _write_request(folder, request)
        return cls(folder)

    @property
    def painting(self) -> Path:
        return self.folder / f"{self.folder.name}.png"

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.request.network}.safetensors"

    @property
    def version(self) -> int:
        """Of the weights saved last; 0: there are none yet."""
        with contextlib.suppress(FileNotFoundError):
            return self.checkpoint.stat().st_mtime_ns // 1_000_000
        return 0

    def start(self) -> None:
        """Begin, or go on from what was saved last."""
        request, environment = self.request, {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
        options = {
            "--variant": request.network,
            "--style": self.painting,
            "--start": CHECKPOINTS / f"{request.network}.safetensors",
            "--steps": request.steps,
            "--photos": request.photos,
            "--vgg-weights": os.environ.get(VGG_WEIGHTS),
            "--out": self.folder,
            "--save-every": SAVE_EVERY,
            "--snapshot-step": 0,
            "--validate-every": 1000,  # or few photos, an epoch of few steps, would slow it down
        }
        given = [
            str(part)
            for option in options.items()
            if option[1] not in ("", None)
            for part in option
        ]
        if (self.folder / f"{request.network}.state.pt").exists():
            given.append("--resume")
        with (self.folder / "output.txt").open("wb") as output:
            self._process = start_quietly(
                [str(_ROOT / "train.py"), *given],
                environment,
                folder=self.folder,
                stdout=output,
                stderr=output,
            )
        (self.folder / "pid").write_text(str(self._process.pid))

    def stop(self) -> None:
        """Ask it to save and end; it does so after its current step."""
        if self.is_running:
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((self.folder / "pid").read_text()), signal.SIGTERM)

    def go_on(self, steps: int) -> None:
        """Make the steps that are missing, or so many more."""
        if self.step >= self.request.steps:
            self.request = replace(self.request, steps=self.step + steps)
            _write_request(self.folder, self.request)
        self.start()

    @property
    def is_running(self) -> bool:
        if self._process:
            return self._process.poll() is None
        if not (self.folder / "training.lock").exists():
            return False
        with locked(self.folder / "training.lock") as is_free:  # of a page before this one
            return not is_free

    def rows(self) -> list[dict[str, float]]:
        """The log: step and loss terms, as far as they are saved."""
        names = ("step", "content", "style", "total")
        try:
            with (self.folder / f"{self.request.network}.csv").open(newline="") as file:
                rows = [row for row in csv.DictReader(file) if row["seconds"]]
        except FileNotFoundError:
            return []
        return [{name: float(row[name]) for name in names} for row in rows]

    @property
    def step(self) -> int:
        rows = self.rows()
        return int(rows[-1]["step"]) if rows else 0

    def error(self) -> str:
        """The sentence with which train.py ended, if it did not end well."""
        if self.is_running:
            return ""
        with contextlib.suppress(FileNotFoundError):
            output = (self.folder / "output.txt").read_text(encoding="utf-8", errors="replace")
            for line in reversed(output.replace("\r", "\n").splitlines()):
                if line.startswith("train.py: "):
                    return line.removeprefix("train.py: ")
        return ""


def start_quietly(
    arguments: list[str], environment: Mapping[str, str], folder: Path = _ROOT, **pipes: object
) -> subprocess.Popen[bytes]:
    """Python in a process of the lowest priority, so that the page stays usable."""
    paths = os.pathsep.join(filter(None, [str(_ROOT), environment.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        **pipes,
    )
    with contextlib.suppress(AttributeError, OSError):  # Windows has no such thing
        os.setpriority(os.PRIO_PROCESS, process.pid, LOWEST_PRIORITY)
    return process


def trainings(folder: Path) -> list[Training]:
    """Those in a folder, the oldest first; what is none is left alone."""
    found = []
    for request in folder.glob("*/request.json"):
        with contextlib.suppress(OSError, ValueError, TypeError):
            training = Training(request.parent)
            if training.request.network in VARIANTS:
                found.append((request.stat().st_mtime, training))
    return [training for _, training in sorted(found, key=lambda each: each[0])]


def curve(rows: list[dict[str, float]]) -> list[tuple[float, float, float]]:
    """Step, content and style: the log's rows, or means of several."""
    length = max(1, -(-len(rows) // POINTS))
    parts = [rows[start : start + length] for start in range(0, len(rows), length)]
    return [
        tuple(
            round(sum(row[name] for row in part) / len(part), 4)
            for name in ("step", "content", "style")
        )
        for part in parts
    ]


def _write_request(folder: Path, request: TrainingRequest) -> None:
    text = json.dumps(asdict(request), indent=1)
    write_then_rename(
        folder / "request.json", lambda path: Path(path).write_text(text, encoding="utf-8")
    )
