"""Small pictures within the page itself, without a file."""

from __future__ import annotations

import base64
import io
from typing import Literal

from PIL import Image


def inline(picture: Image.Image, form: Literal["JPEG", "PNG"]) -> str:
    """A picture as an address that holds it; JPEG at quality 85."""
    file = io.BytesIO()
    picture.save(file, form, quality=85)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
