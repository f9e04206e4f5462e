"""Where pictures are kept as files, which the page may show and Gradio deletes in time."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gradio.processing_utils import hash_bytes
from gradio.utils import get_upload_folder
from PIL import Image

from nst.files import write_then_rename


class Files(set[str]):
    """Gradio deletes old files while other threads add new ones: it goes through a copy."""

    def __iter__(self) -> Iterator[str]:
        return iter(self.copy())


class PictureStore:
    """One picture is one file, whoever made it.

    Args:
        folder: None: where Gradio keeps its own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(get_upload_folder())
        self.files = Files()  # that may be deleted when they are old, but for
        self.kept = Files()  # these
        self._contents: dict[Path, bytes] = {}  # of those that are kept

    def __call__(self, picture: Image.Image, name: str, settings: Mapping[str, Any] = {}) -> str:
        """A picture -> the path of its PNG; the settings are Pillow's."""
        file = io.BytesIO()
        picture.save(file, "PNG", **settings)
        content = file.getvalue()
        path = (self.folder / hash_bytes(content) / f"{name}.png").resolve()
        try:
            os.utime(path)  # so that it is deleted later; somebody else may be reading it
        except FileNotFoundError:
            _write(path, content)
        self.files.add(str(path))
        return str(path)

    def keep(self, paths: Iterable[str]) -> None:
        """Pictures of this store are not to be deleted, nor missed if somebody else does it."""
        paths = list(paths)
        self.kept.update(paths)
        self._contents.update({path: path.read_bytes() for path in map(Path, paths)})

    def restore(self) -> None:
        """Write the pictures that are kept again where somebody has cleaned the folder."""
        for path, content in self._contents.copy().items():
            if not path.exists():
                _write(path, content)


def _write(path: Path, content: bytes) -> None:
    write_then_rename(path, lambda temporary: Path(temporary).write_bytes(content), durable=False)
