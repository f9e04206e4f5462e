"""The viewer's files: shared by content, never rewritten, deleted while others are added."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import gradio as gr
import pytest

from nst.web.page.components import Viewer
from nst.web.server.store import Files, PictureStore
from tests.helpers import random_picture


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore(tmp_path)


def test_one_picture_is_one_file_that_is_not_written_again(store: PictureStore) -> None:
    path = Path(store(random_picture(20, 16), "photo"))
    os.utime(path, (0, 0))
    before = path.stat()
    assert store(random_picture(20, 16), "photo") == str(path)
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime > before.st_mtime  # it counts as new when old files are deleted
    other = store(random_picture(20, 16, seed=1), "photo")
    assert other != str(path)
    assert store.files == {str(path), other}


def test_the_page_deletes_what_is_old_and_keeps_what_is_to_be_kept(store: PictureStore) -> None:
    with gr.Blocks() as demo:
        viewer = Viewer(store=store)
    assert any(files is store.files for files in demo.temp_file_sets)
    assert viewer.keep_in_cache is store.kept


def test_what_is_kept_is_written_again_when_somebody_deletes_it(store: PictureStore) -> None:
    paths = [Path(store(random_picture(20, 16, seed), "photo")) for seed in range(3)]
    store.keep(map(str, paths[:2]))
    before = [path.read_bytes() for path in paths]
    shutil.rmtree(store.folder)
    store.restore()
    assert [path.read_bytes() for path in paths[:2]] == before[:2]
    assert not paths[2].exists()
    assert store.kept == set(map(str, paths[:2]))


def test_files_can_be_added_while_they_are_gone_through() -> None:
    files = Files("ab")
    for name in files:
        files.add(f"{name}{name}")
    assert files == {"a", "aa", "b", "bb"}
