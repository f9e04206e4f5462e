"""Where photos are looked for: folders, tars and zips, whole and as people leave them."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from nst.training.sources import find_photos


def test_folder_tar_and_zip_give_the_same_photos(photos: Path, tmp_path: Path) -> None:
    (photos / "notes.txt").write_text("no photo")
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        for path in sorted(photos.iterdir(), reverse=True):
            archive.add(path, path.name)
    from_folder, from_tar = find_photos([photos]), find_photos([tmp_path / "photos.tar"])
    assert [photo.name for photo in from_folder] == [f"{number:02}.jpg" for number in range(12)]
    assert [photo.name for photo in from_folder] == [photo.name for photo in from_tar]
    assert [photo.read() for photo in from_folder] == [photo.read() for photo in from_tar]
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / f"val2017-{method}.zip"  # COCO's has all photos in one folder
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.mkdir("val2017")
            archive.writestr("__MACOSX/._00.jpg", b"no photo")
            for photo in sorted(photos.iterdir(), reverse=True):
                archive.write(photo, f"val2017/{photo.name}")
        from_zip = find_photos([path])
        assert [photo.name for photo in from_zip] == [f"val2017/{p.name}" for p in from_folder]
        assert [photo.read() for photo in from_zip] == [photo.read() for photo in from_folder]


def test_sources_that_are_none_are_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder or file"):
        find_photos([tmp_path / "missing"])
    with pytest.raises(ValueError, match="neither a folder, a zip nor"):
        find_photos([photos / "00.jpg"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no photos found"):
        find_photos([tmp_path / "empty"])


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "mpo", "JPG", "tif"])
def test_photos_by_whatever_name_programs_give_them(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"photo.{suffix}").write_bytes(b"")
    assert [photo.name for photo in find_photos([tmp_path])] == [f"photo.{suffix}"]


def test_links_to_folders_are_followed_once(photos: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "a").symlink_to(photos)
    (linked / "b").symlink_to(photos)  # the same photos again
    (linked / "round").symlink_to(linked)  # a circle
    assert [photo.name for photo in find_photos([linked])] == [f"a/{n:02}.jpg" for n in range(12)]


@pytest.fixture
def tar(photos: Path, tmp_path: Path) -> Path:
    path = tmp_path / "photos.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(photos, "photos")
    return path


def cut(path: Path, length: int) -> Path:
    short = path.with_name(f"cut{path.suffix}")
    short.write_bytes(path.read_bytes()[:length])
    return short


def test_a_tar_cut_between_members_is_refused(tar: Path) -> None:
    with tarfile.open(tar) as archive:
        sixth, seventh = archive.getmembers()[5:7]
    short = cut(tar, seventh.offset)
    message = rf"cut\.tar: a tar file that is cut short or damaged after {sixth.name}"
    with pytest.raises(ValueError, match=message):
        find_photos([short])


@pytest.mark.parametrize("more", [300, 512, 700])  # within the header, before and within the photo
def test_a_tar_cut_inside_of_a_member_is_refused(tar: Path, more: int) -> None:
    with tarfile.open(tar) as archive:
        seventh = archive.getmembers()[6]
    with pytest.raises(ValueError, match=r"cut\.tar: a tar file that is cut short or damaged"):
        find_photos([cut(tar, seventh.offset + more)])


def test_a_tar_with_a_damaged_header_is_refused(tar: Path) -> None:
    with tarfile.open(tar) as archive:
        start = archive.getmembers()[6].offset
    data = bytearray(tar.read_bytes())
    data[start : start + 512] = b"x" * 512
    tar.write_bytes(data)
    with pytest.raises(ValueError, match=r"photos\.tar: a tar file that is cut short or damaged"):
        find_photos([tar])


def test_a_compressed_tar_is_named_as_one(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "photos.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(photos, "photos")
    with pytest.raises(ValueError, match=r"photos\.tar\.gz: a compressed tar file; unpack it"):
        find_photos([path])


def marked_zip(photos: Path, path: Path, offset: int, value: int) -> Path:
    """A zip in whose headers a field is changed; `offset` is that of a local header."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for photo in sorted(photos.iterdir()):
            archive.write(photo, photo.name)
    data = bytearray(buffer.getvalue())
    for signature, field in ((b"PK\3\4", offset), (b"PK\1\2", offset + 2)):
        place = -1
        while (place := data.find(signature, place + 1)) >= 0:
            struct.pack_into("<H", data, place + field, value)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (8, 9, r"of a compression that is not read here \(deflate64\)"),  # Windows above 2 GB
        (6, 1, "a zip file with a password"),
    ],
)
def test_zips_that_cannot_be_unpacked_are_refused(
    photos: Path, tmp_path: Path, offset: int, value: int, message: str
) -> None:
    path = marked_zip(photos, tmp_path / "photos.zip", offset, value)
    with pytest.raises(ValueError, match=rf"photos\.zip: .*{message}") as caught:
        find_photos([path])
    assert "unpack it and give the folder" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_zip_that_is_cut_short_is_named_as_one(photos: Path, tmp_path: Path) -> None:
    path = marked_zip(photos, tmp_path / "photos.zip", 8, 0)
    with pytest.raises(ValueError, match=r"cut\.zip: a zip file that is cut short"):
        find_photos([cut(path, 2000)])
