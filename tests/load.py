"""What the page takes when many people send large photos, at once or for long (Linux only).

    python -m tests.load --visitors 16 --megapixels 12 --side 1024

starts the page, lets each visitor send a photo, all at the same time, and prints the peak of the
resident memory of the page's processes, sampled 20 times a second.

    python -m tests.load --visitors 2 --megapixels 2 --side 512 --minutes 30

lets each visitor come again and again, as somebody else with the same photo, and prints a table of
memory, threads, open files and files on the disk.

    python -m tests.load --visitors 4 --megapixels 1 --side 256 --hostile

lets them come alone, and again beside somebody who does what they can to stop the page
(`tests.hostile`).  The attacker runs on the same CPU; how much more work the page has, its own
seconds of CPU say.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from pathlib import Path

import numpy as np
from gradio_client import Client, handle_file
from PIL import Image

from tests.helpers import ROOT
from tests.hostile import hostile_visitor

MEGABYTE = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description="the page's memory under load")
    parser.add_argument("--visitors", type=int, default=16)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--side", type=int, default=1024, help="px, of the results")
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--minutes", type=float, default=0, help="come again and again for so long")
    parser.add_argument("--hostile", action="store_true", help="come again beside an attacker")
    options = parser.parse_args()
    folder = tempfile.TemporaryDirectory()
    temporary = Path(folder.name, "temporary")
    with folder, page(GRADIO_TEMP_DIR=str(temporary)) as (address, process):
        photos = write_photos(Path(folder.name), options.visitors, options.megapixels)
        memory = PeakMemory(process.pid)
        print(f"the page alone: {memory.now() / MEGABYTE:.0f} MB")
        print(f"each photo: {photos[0].stat().st_size / MEGABYTE:.1f} MB of JPEG")
        if options.minutes:
            soak(address, memory, temporary, photos, options)
            return
        crowd(address, memory, photos, options)
        if options.hostile:
            print("beside somebody hostile:")
            with hostile_visitor(address):
                crowd(address, PeakMemory(process.pid), photos, options)


def crowd(
    address: str, memory: PeakMemory, photos: list[Path], options: argparse.Namespace
) -> None:
    """All at once, and a line about it."""
    started, cpu_before = time.perf_counter(), cpu_seconds(memory.pid)
    with memory, ThreadPoolExecutor(options.visitors) as pool:
        seconds = list(pool.map(lambda photo: visit(address, photo, options), photos))
    print(
        f"{options.visitors} visitors, {options.megapixels:g} megapixels, results of "
        f"{options.side} px, {options.engine}: peak {memory.peak / MEGABYTE:.0f} MB resident, "
        f"of it {memory.peak_of_page / MEGABYTE:.0f} MB the page's own process; "
        f"afterwards {memory.now() / MEGABYTE:.0f} MB; all had their pictures after "
        f"{time.perf_counter() - started:.0f} s, the first after {min(seconds):.0f} s, and "
        f"{cpu_seconds(memory.pid) - cpu_before:.0f} s of CPU in that process",
        flush=True,
    )


def cpu_seconds(pid: int) -> float:
    """What a process has used; see proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def soak(
    address: str,
    memory: PeakMemory,
    temporary: Path,
    photos: list[Path],
    options: argparse.Namespace,
) -> None:
    """Visits without end, and a row of numbers 20 times in all."""
    end = time.monotonic() + 60 * options.minutes
    visits, failures = 0, 0

    def come_again_and_again(photo: Path) -> None:
        nonlocal visits, failures
        while time.monotonic() < end:
            try:
                visit(address, photo, options)
                visits += 1
            except Exception as error:  # the others go on; it is counted
                print(f"{type(error).__name__}: {error}")
                failures += 1

    def report() -> None:
        process = Path(f"/proc/{memory.pid}")
        threads = len(list((process / "task").iterdir()))
        opened = len(list((process / "fd").iterdir()))
        files = sum(path.is_file() for path in temporary.rglob("*"))
        minutes = options.minutes - (end - time.monotonic()) / 60
        row = (f"{minutes:.1f}", f"{memory.now() / MEGABYTE:.0f}", threads, opened, files)
        print(" | ".join(f"{value:>9}" for value in (*row, visits, failures)), flush=True)

    heads = ("minutes", "MB", "threads", "open", "files", "visits", "failures")
    print(" | ".join(f"{head:>9}" for head in heads))
    with ThreadPoolExecutor(options.visitors) as pool:
        for photo in photos:
            pool.submit(come_again_and_again, photo)
        while time.monotonic() < end:
            report()
            time.sleep(60 * options.minutes / 20)
    report()


def visit(address: str, photo: Path, options: argparse.Namespace) -> float:
    """Send one photo and wait for its pictures; the seconds it took."""
    started = time.perf_counter()
    patient = {"timeout": 60}  # s, for each answer
    client = Client(address, verbose=False, download_files=False, httpx_kwargs=patient)
    job = client.submit(
        handle_file(photo), options.side, engine=options.engine, api_name="/stylize"
    )
    job.result(timeout=600)
    return time.perf_counter() - started


class PeakMemory:
    """The peak of the resident memory of a process and its descendants while the block runs."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak, self.peak_of_page = pid, 0, 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def now(self) -> int:
        """Bytes at this moment."""
        parents = {int(path.name): parent(path) for path in Path("/proc").glob("[0-9]*")}
        family = {self.pid}
        while grown := {pid for pid, its in parents.items() if its in family} - family:
            family |= grown
        return sum(resident(pid) for pid in family)

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            self.peak = max(self.peak, self.now())
            self.peak_of_page = max(self.peak_of_page, resident(self.pid))


def parent(process: Path) -> int:
    with contextlib.suppress(OSError):  # it has ended
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return 0


def resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def write_photos(folder: Path, count: int, megapixels: float) -> list[Path]:
    """Different photos of 4:3 with coarse and fine structure, as JPEG."""
    size = round(1000 * sqrt(megapixels * 4 / 3)), round(1000 * sqrt(megapixels * 3 / 4))
    paths = []
    for number in range(count):
        random = np.random.default_rng(number)
        coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        fine = random.integers(-12, 13, (size[1], size[0], 1), dtype=np.int16)
        pixels = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)) + fine
        paths.append(folder / f"photo {number}.jpg")
        Image.fromarray(np.uint8(pixels.clip(0, 255))).save(paths[-1], quality=90)
    return paths


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def page(host: str = "127.0.0.1", **environment: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """The page as a user starts it, found at a host: its address and its process."""
    port = free_port()
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), **environment}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment)
    address = f"http://{host}:{port}"
    try:
        deadline = time.monotonic() + 180
        while True:
            assert process.poll() is None, "app.py ended"
            assert time.monotonic() < deadline, "app.py does not answer"
            try:
                urllib.request.urlopen(address, timeout=5)
                break
            except OSError:
                time.sleep(0.5)
        yield address, process
    finally:
        process.terminate()
        process.wait(timeout=30)


if __name__ == "__main__":
    main()
