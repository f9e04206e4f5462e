"""Where training photos lie: in folders, zip and tar files, named without being unpacked."""

from __future__ import annotations

import functools
import os
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nst.pictures.reading import PHOTO_SUFFIXES, looks_like_photo

END_OF_TAR = bytes(tarfile.BLOCKSIZE)  # a block of zeros ends every whole tar


@dataclass(frozen=True)
class Photo:
    """Where one photo's bytes lie: a whole file, a part of a tar, or a member of a zip."""

    name: str
    path: Path
    offset: int = 0
    size: int | None = None  # bytes from `offset`; None: all
    zip_member: str | None = None

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            Exception: they cannot be read; a damaged zip raises nearly everything.
        """
        if self.zip_member is not None:
            return _open_zip(self.path).read(self.zip_member)
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size if self.size is not None else -1)


@functools.cache  # a zip's list of members is read once, not for each photo
def _open_zip(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def find_photos(sources: Iterable[Path | str]) -> list[Photo]:
    """All photos in folders (with their subfolders), zip files and uncompressed tar files, by name.

    Raises:
        ValueError: a source does not exist, is no folder, zip or plain tar, is cut short or packed
            in a way that is not read here, or there are no photos.
    """
    photos: list[Photo] = []
    for source in map(Path, sources):
        if source.is_dir():
            photos += _photos_in_folder(source)
        elif zipfile.is_zipfile(source):
            photos += _photos_in_zip(source)
        else:
            photos += _photos_in_tar(source)
    if not photos:
        raise ValueError("no photos found; looked for " + ", ".join(sorted(PHOTO_SUFFIXES)))
    return sorted(photos, key=lambda photo: (photo.name, photo.path))


def _photos_in_folder(folder: Path) -> Iterator[Photo]:
    """Links to folders are followed; a folder that can be reached twice is looked at once."""
    seen = set()
    for place, below, files in os.walk(folder, followlinks=True, onerror=_raise):
        real = Path(place).resolve()
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below.sort()
        for path in (Path(place, name) for name in files):
            if looks_like_photo(path) and path.is_file():
                yield Photo(str(path.relative_to(folder)), path)


def _raise(error: OSError) -> None:
    raise error


def _photos_in_zip(path: Path) -> list[Photo]:
    tried = set()
    photos = []
    try:
        for member in _open_zip(path).infolist():
            if member.is_dir() or not looks_like_photo(Path(member.filename)):
                continue
            how = (member.compress_type, member.flag_bits & 1)  # the bit: encrypted
            if how not in tried:  # opening the first of each kind tells whether it can be read
                _open_zip(path).open(member).close()
                tried.add(how)
            name = member.filename
            photos.append(Photo(name, path, size=member.file_size, zip_member=name))
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: a damaged zip file ({error})") from None
    except NotImplementedError:
        method = zipfile.compressor_names.get(member.compress_type, str(member.compress_type))
        what = f"of a compression that is not read here ({method})"
        raise ValueError(f"{path}: a zip file {what}; unpack it and give the folder") from None
    except RuntimeError:
        what = "a zip file with a password"
        raise ValueError(f"{path}: {what}; unpack it and give the folder") from None
    return photos


def _photos_in_tar(path: Path) -> list[Photo]:
    photos = []
    last = None  # the member that was read last
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                last = member.name
                if member.isfile() and looks_like_photo(Path(member.name)):
                    photos.append(Photo(member.name, path, member.offset_data, member.size))
            end = archive.offset
        with path.open("rb") as file:
            file.seek(end)
            if file.read(tarfile.BLOCKSIZE) != END_OF_TAR:
                raise ValueError(f"{path}: a tar file that is cut short or damaged after {last}")
    except FileNotFoundError:
        raise ValueError(f"{path}: no such folder or file") from None
    except tarfile.TarError:
        what = f"a tar file that is cut short or damaged in {last}" if last else _what_it_is(path)
        raise ValueError(f"{path}: {what}") from None
    return photos


def _what_it_is(path: Path) -> str:
    """A few words on a file that is no folder, zip or plain tar."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\3\4":
        return "a zip file that is cut short"
    try:
        tarfile.open(path).close()
    except (tarfile.TarError, EOFError, OSError):
        return "neither a folder, a zip nor an uncompressed tar file"
    return "a compressed tar file; unpack it and give the folder"
