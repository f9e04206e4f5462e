"""Where pictures are kept as files, which the page may show and Gradio deletes in time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gradio.processing_utils import encode_pil_to_bytes, hash_bytes
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

    def __call__(self, picture: Image.Image, name: str) -> str:
        """A picture -> the path of its PNG."""
        content = encode_pil_to_bytes(picture, "png")
        path = (self.folder / hash_bytes(content) / f"{name}.png").resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():  # somebody else may be reading it
            os.utime(path)  # so that it is deleted later
        else:
            write_then_rename(path, lambda temporary: Path(temporary).write_bytes(content))
        self.files.add(str(path))
        return str(path)
