from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nst.files import locked, sha256, write_then_rename
from tests.helpers import random_picture, run_python

WRITERS = {
    "plain": lambda path: Path(path).write_text("text"),
    "picture": lambda path: random_picture(20, 20).save(path, "PNG"),
    "weights": lambda path: save_file({"a": torch.zeros(3)}, path),
    "state": lambda path: torch.save({"a": torch.zeros(3)}, path),
}


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("kind", WRITERS)
def test_the_umask_decides_who_may_read(kind: str, umask: int, tmp_path: Path) -> None:
    write_then_rename(tmp_path / "new", WRITERS[kind])
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o666 & ~umask
    write_then_rename(tmp_path / "own", WRITERS[kind], mode=0o600)
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o600


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 251}.txt"
    write_then_rename(path, WRITERS["plain"])
    assert path.read_text() == "text"


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.txt"
    link.symlink_to(Path("real") / "file.txt")
    for _ in range(2):  # first it leads nowhere, then to a file
        write_then_rename(link, WRITERS["plain"])
        assert link.is_symlink()
        assert (tmp_path / "real" / "file.txt").read_text() == "text"
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["file.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, MemoryError])
def test_what_was_there_stays_when_writing_fails(
    error: type[BaseException], tmp_path: Path
) -> None:
    def fail(path: str) -> None:
        Path(path).write_text("half")
        raise error

    (tmp_path / "file").write_text("before")
    with pytest.raises(error):
        write_then_rename(tmp_path / "file", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "before"


@pytest.mark.skipif(os.name != "posix", reason="processes are asked for as POSIX has it")
def test_what_a_killed_process_was_writing_goes_and_what_another_writes_stays(
    tmp_path: Path,
) -> None:
    writer = "from nst.files import write_then_rename, temporary_folder; from pathlib import Path"
    end = "lambda path: (open(path, 'w').write('half'), os.kill(os.getpid(), 9))"
    folder = f"Path({str(tmp_path)!r})"
    for line in (
        f"write_then_rename({folder} / 'file', {end})",
        f"with temporary_folder({folder}) as made: ({end})(made / 'file')",
    ):
        killed = run_python("-c", f"{writer}; import os\n{line}")
        assert killed.returncode == -9, killed.stderr
        (left,) = tmp_path.iterdir()  # what the one before left is gone
    prefix, process, _ = left.name.rsplit("-", 2)
    others = [tmp_path / ".nst-note.tmp", tmp_path / ".file.tmp"]
    others.append(tmp_path / f"{prefix}-{os.getppid()}-abc.tmp")  # this one lives
    others.append(tmp_path / f".nst-00000000-{process}-abc.tmp")  # on another machine
    for path in others:
        path.touch()
    write_then_rename(tmp_path / "file", WRITERS["plain"])
    assert set(tmp_path.iterdir()) == {*others, tmp_path / "file"}


def test_a_file_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    sync, replace = os.fsync, Path.replace

    def record_sync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def record_replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(Path, "replace", record_replace)
    write_then_rename(tmp_path / "file", WRITERS["plain"])
    assert done == ["file", "rename", *["folder"] * (os.name == "posix")]
    done.clear()
    write_then_rename(tmp_path / "file", WRITERS["plain"], durable=False)
    assert done == ["rename"]


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    def fail(path: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "file").write_text("before")
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_then_rename(tmp_path / "file", fail)
    assert caught.value.filename == str(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "before"


def test_a_lock_is_one_holders_until_he_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path) as first, locked(path) as second:
        assert (first, second) == (True, False)
    with locked(path) as again:
        assert again


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")
