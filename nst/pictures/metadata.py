"""What is written into a picture beside its pixels: how it was made, and what its photo said.

As `nst.pictures.reading`, which takes that from untrusted files, free of PyTorch and NumPy.
"""

from __future__ import annotations

import contextlib
import html
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ExifTags, Image, PngImagePlugin

from nst import __version__
from nst.pictures.foreign import NEW_SUBFILE_TYPE, REDUCED

NAMESPACE = "urn:nst:painted/"  # of our names in XMP; what has them was made by us
LONGEST = 500  # characters of an author's name
MOST_EXIF = 60_000  # bytes, of which a JPEG has room for 65,533

_Tag = ExifTags.Base
_KEPT = (_Tag.DateTime, _Tag.Artist, _Tag.Copyright)
_KEPT_OF_PHOTOS = (
    *(_Tag.DateTimeOriginal, _Tag.DateTimeDigitized, _Tag.OffsetTime),
    *(_Tag.OffsetTimeOriginal, _Tag.OffsetTimeDigitized, _Tag.SubsecTime),
    *(_Tag.SubsecTimeOriginal, _Tag.SubsecTimeDigitized),
)
_INCH = 2  # EXIF's number


class Origin(NamedTuple):
    """What results keep of their photo's file: date, author and resolution."""

    exif: bytes = b""
    dpi: tuple[float, float] | None = None


class Recipe(NamedTuple):
    """How a picture was made of its photo."""

    network: str
    checkpoint: str  # SHA-256 of the network's file, in hexadecimal
    strength: float = 1.0
    keep_colours: bool = False


def origin(picture: Image.Image, keep_place: bool = False) -> Origin:
    """Of a picture that has just been opened; where it was taken only if that is asked for.

    What cannot be understood is left out.
    """
    kept, dpi = Image.Exif(), _dpi(picture.info.get("dpi"))
    with contextlib.suppress(Exception):  # it is a stranger's
        exif = picture.getexif()
        texts = _texts(exif, _KEPT)  # which Pillow reads as Latin-1, whatever they are
        kept.update({name: text.encode("latin-1", "replace") for name, text in texts.items()})
        if photo := _texts(exif.get_ifd(ExifTags.IFD.Exif), _KEPT_OF_PHOTOS):
            kept[ExifTags.IFD.Exif] = photo
        if keep_place and (place := exif.get_ifd(ExifTags.IFD.GPSInfo)):
            kept[ExifTags.IFD.GPSInfo] = dict(place)
    if dpi:
        kept[_Tag.XResolution], kept[_Tag.YResolution] = dpi
        kept[_Tag.ResolutionUnit] = _INCH
    try:
        data = kept.tobytes() if kept else b""
    except Exception:  # a place that cannot be written
        return origin(picture) if keep_place else Origin(dpi=dpi)
    return Origin(data if len(data) < MOST_EXIF else b"", dpi)


def first_of_several(picture: Image.Image) -> str | None:
    """A sentence about an animation or a document of several pages; None: it is another file."""
    if picture.format in ("MPO", "HEIF"):  # the others are previews, depths and the like
        return None
    with contextlib.suppress(Exception):  # damaged further on
        frames, what = list(range(getattr(picture, "n_frames", 1))), "frames"
        if picture.format == "TIFF":
            frames, what = [place for place in frames if _is_page(picture, place)], "pages"
        if len(frames) > 1:
            return f"This is the first of {len(frames)} {what}."
    return None


def _is_page(tiff: Any, place: int) -> bool:
    """Not a smaller copy of one."""
    tiff.seek(place)
    return not tiff.tag_v2.get(NEW_SUBFILE_TYPE, 0) & REDUCED


def _texts(tags: Any, names: tuple[ExifTags.Base, ...]) -> dict[int, str]:
    """Those among the tags that are texts."""
    found = {int(name): tags.get(name) for name in names}
    return {name: text[:LONGEST] for name, text in found.items() if isinstance(text, str) and text}


def _dpi(sent: Any) -> tuple[float, float] | None:
    with contextlib.suppress(TypeError, ValueError):
        across, down = map(float, sent)
        is_known = not round(across) == round(down) == 72  # EXIF's number where nobody knows it
        if is_known and all(1 <= length < 60_000 for length in (across, down)):
            return across, down
    return None


def save_settings(
    kind: str, size: tuple[int, int], recipe: Recipe | None, origin: Origin
) -> dict[str, Any]:
    """For Pillow to write into a PNG, JPEG or WebP of that size; without a recipe, of a photo."""
    settings: dict[str, Any] = {"exif": origin.exif} if origin.exif else {}
    if origin.dpi and kind != "WEBP":
        settings["dpi"] = origin.dpi
    if recipe is None:
        return settings
    lines = {
        "Software": f"nst {__version__}",
        "Network": "".join(sign if sign.isprintable() else "?" for sign in recipe.network),
        "Checkpoint": f"sha256:{recipe.checkpoint}",
        "Size": f"{size[0]}x{size[1]}",
        "Strength": f"{recipe.strength:.0%}",
        "Colours": "of the photo" if recipe.keep_colours else "of the painting",
    }
    if kind != "PNG":
        return {**settings, "xmp": _xmp(lines)}
    texts = PngImagePlugin.PngInfo()
    for name, text in lines.items():
        texts.add_text(name, text)
    texts.add_itxt("XML:com.adobe.xmp", _xmp(lines).decode())
    return {**settings, "pnginfo": texts}


def _xmp(lines: dict[str, str]) -> bytes:
    ours = " ".join(
        f'nst:{name}="{html.escape(text)}"' for name, text in lines.items() if name != "Software"
    )
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:nst="{NAMESPACE}"
 xmp:CreatorTool="{lines["Software"]}" {ours}/>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>""".encode()


def was_painted(path: Path) -> bool:
    """Whether a picture says that it is a result of ours."""
    with contextlib.suppress(Exception), Image.open(path, formats=["PNG", "JPEG", "WEBP"]) as one:
        return NAMESPACE.encode() in one.info.get("xmp", b"")
    return False
