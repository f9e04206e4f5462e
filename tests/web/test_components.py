"""The viewer's files: shared by content, never rewritten, deleted while others are added."""

from __future__ import annotations

import os
from pathlib import Path

import gradio as gr
import pytest

from nst.web.components import Files, Viewer
from tests.helpers import random_picture


@pytest.fixture
def viewer(tmp_path: Path) -> Viewer:
    with gr.Blocks() as demo:
        viewer = Viewer()
    viewer.GRADIO_CACHE = str(tmp_path)
    assert any(files is viewer.temp_files for files in demo.temp_file_sets)
    return viewer


def test_one_picture_is_one_file_that_is_not_written_again(viewer: Viewer) -> None:
    path = Path(viewer.store(random_picture(20, 16), "photo"))
    os.utime(path, (0, 0))
    before = path.stat()
    assert viewer.store(random_picture(20, 16), "photo") == str(path)
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime > before.st_mtime  # it counts as new when old files are deleted
    other = viewer.store(random_picture(20, 16, seed=1), "photo")
    assert other != str(path)
    assert viewer.temp_files == {str(path), other}


def test_files_can_be_added_while_they_are_gone_through(viewer: Viewer) -> None:
    assert isinstance(viewer.temp_files, Files)
    viewer.temp_files.update("ab")
    for name in viewer.temp_files:
        viewer.temp_files.add(f"{name}{name}")
    assert viewer.temp_files == {"a", "aa", "b", "bb"}
