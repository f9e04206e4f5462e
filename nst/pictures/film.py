"""Films, read frame by frame with PyAV, which brings FFmpeg: pip install .[video]

Times are counted in ticks of the film's own clock, so that they are kept exactly, at a rate that
varies as well.  A film that was taken with the camera on its side is turned upright.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from av.video.stream import VideoStream
from PIL import Image, ImageSequence

from nst.pictures.reading import MIN_SIDE, limited

HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)  # PQ and HLG
HD_ROWS = 720  # from here on a film that does not say what its colours are has those of BT.709
RESAMPLING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
RGB, UNSPECIFIED = 0, 2  # as H.273 counts matrices
USUAL_RATE = Fraction(25)  # frames a second, where the file does not say


class FilmError(ValueError):
    """A file that is no usable film; the message is one sentence."""


class Frame(NamedTuple):
    """What is seen from one moment on."""

    pixels: np.ndarray  # (H, W, 3), RGB, uint8
    start: int  # ticks since the film's beginning, or since --from
    duration: int  # ticks; 0 where the file does not say


class Colours(NamedTuple):
    """What the numbers of a film mean, as H.273 counts it."""

    matrix: int
    range: int
    transfer: int
    primaries: int


BT709 = Colours(Colorspace.ITU709, ColorRange.MPEG, ColorTrc.BT709, ColorPrimaries.BT709)


class Film:
    """A film that is read once, from its first frame to its last.

    Args:
        side: px, of the longer side at most.
        start, end: s; only what is seen between them is read.

    Attributes:
        tick: s.
        rate: frames a second, on average.
        origin: s, the file's time of what is called 0 here.
        size: width and height of all frames, px.
        aspect: a pixel's width divided by its height.
        silent: that its file cannot hold sound.
        matrix: what makes RGB of the file's numbers.
        colours: as the file says; of HDR and RGB, BT.709.
        count: of frames, about; None: the file does not say.
        remarks: sentences on what is not as it was, complete after the last frame.

    Raises:
        FilmError: no film, or none of its frames can be read.
        OSError: the file cannot be opened.
    """

    def __init__(
        self, path: Path, side: int | None = None, start: Fraction | int = 0, end: float = math.inf
    ) -> None:
        self.path, self.start, self.end = path, start, end
        self.remarks: list[str] = []
        if path.exists() and not path.is_file():  # a pipe is not read twice
            raise FilmError("a folder, a pipe or a device")
        self.silent = _is_webp(path)
        if self.silent:  # FFmpeg reads no animated ones
            self.tick, self.origin, self.aspect = Fraction(1, 1000), Fraction(start), Fraction(1)
            self.rate, self.count, decoded = USUAL_RATE, None, _webp_frames(path)
        else:
            container = open_film(path)
            stream = _moving_stream(container)
            stream.thread_type = "AUTO"
            self.tick = stream.time_base
            self.origin = Fraction(container.start_time or 0, av.time_base) + start
            self.rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
            self.aspect = stream.sample_aspect_ratio or Fraction(1)
            self.count = self._count(stream, container)
            if start:
                container.seek(int(self.origin * av.time_base))
            decoded = self._decode(container, stream)
        first = next(decoded, None)
        if first is None:
            raise FilmError("nothing of it can be decoded: it is damaged, encrypted or empty")
        self._size = limited((first.width, first.height), side or math.inf)
        if min(self._size) < MIN_SIDE:
            raise FilmError(f"{first.width}×{first.height} px; {MIN_SIDE} px a side at least")
        self.size = self._size  # of what is shown
        if first.rotation % 180:
            self.size, self.aspect = self._size[::-1], 1 / self.aspect
        self._reformatter = VideoReformatter()  # one, for to start on HDR takes it seconds
        self._hdr = first.color_trc in HDR
        if self._hdr:
            self.remarks.append("HDR becomes standard range")
        self.matrix = first.colorspace
        if self.matrix == UNSPECIFIED:
            self.matrix = Colorspace.ITU709 if first.height >= HD_ROWS else Colorspace.ITU601
        self.colours = BT709
        if not self._hdr and first.format.name.startswith("yuv"):
            tags = (first.colorspace, first.color_range, first.color_trc, first.color_primaries)
            self.colours = Colours(*map(int, tags))
        self._frames = itertools.chain([first], decoded)

    def shows(self, time: Fraction) -> bool:
        """Whether a time (s) of the file is read; all before the end is, if it begins with it."""
        return (
            not self.start or time >= self.origin
        ) and time - self.origin + self.start < self.end

    def frames(self) -> Iterator[Frame]:
        """In the order of their times, each of them later than the one before."""
        shift, step = round(self.origin / self.tick), max(1, round(1 / self.rate / self.tick))
        stop = (self.end - self.start) / self.tick  # may be infinite
        before, last = None, None  # what is seen when the first one begins; its time
        for frame in self._frames:
            time = None if frame.pts is None else frame.pts - shift
            if time is None or (last is not None and time <= last):
                time = 0 if last is None else last + step
            last = time
            if time >= stop:
                break
            if time < 0:
                before = frame
                continue
            if before and time > 0:
                yield Frame(self._pixels(before), 0, time)
            before = None
            yield Frame(self._pixels(frame), time, int(min(frame.duration or 0, stop - time)))
        if before and last + (before.duration or 0) > 0:
            yield Frame(self._pixels(before), 0, int(min(last + before.duration, stop)))

    def _pixels(self, frame: VideoFrame) -> np.ndarray:
        """(H, W, 3), RGB, upright; what is transparent is laid on white."""
        transfer, primaries = (BT709.transfer, BT709.primaries) if self._hdr else (None, None)
        alpha = any(component.is_alpha for component in frame.format.components)
        pixels = self._reformatter.reformat(
            frame,
            *self._size,
            format="rgba" if alpha else "rgb24",
            src_colorspace=self.matrix,
            interpolation=RESAMPLING,
            dst_color_trc=transfer,
            dst_color_primaries=primaries,
        ).to_ndarray()
        if alpha:
            opacity = pixels[..., 3:].astype(np.uint16)
            mixed = pixels[..., :3] * opacity + 255 * (255 - opacity)
            pixels = ((mixed + 127) // 255).astype(np.uint8)
        return np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90))

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """What can be decoded, and a remark on how much cannot."""
        damaged = 0
        with container:
            packets = container.demux(stream)
            while True:
                try:
                    packet = next(packets, None)
                except FFmpegError:  # the file breaks off, and there is no next one
                    damaged += 1
                    continue
                if packet is None:
                    break
                try:
                    yield from packet.decode()
                except FFmpegError:
                    damaged += 1
        if damaged:
            self.remarks.append(f"damaged in {damaged} places, which are left out")

    def _count(self, stream: VideoStream, container: InputContainer) -> int | None:
        """How many frames there are between start and end, about."""
        seconds = (container.duration or 0) / av.time_base
        read = min(self.end, seconds) - self.start
        if not seconds:
            return None
        return max(1, round((stream.frames or seconds * self.rate) * read / seconds))


def open_film(path: Path) -> InputContainer:
    """Raises FilmError: what is in the file is no film; OSError: it cannot be opened."""
    try:
        with path.open("rb") as file:
            way = {"fd": str(file.fileno()), "protocol_whitelist": "fd"}  # or a playlist reads more
            return av.open("fd:", options=way, metadata_errors="ignore")  # titles in any encoding
    except FFmpegError as error:
        raise FilmError(f"not a film that can be read ({error.strerror})") from error


def _moving_stream(container: InputContainer) -> VideoStream:
    """The film's pictures; not the cover of a song."""
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise FilmError("it holds no moving pictures")
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        raise FilmError("its codec is not known to FFmpeg")
    return stream


def _is_webp(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(12)
    return start.startswith(b"RIFF") and start.endswith(b"WEBP")


def _webp_frames(path: Path) -> Iterator[VideoFrame]:
    """Raises FilmError: the file is damaged."""
    time = 0
    try:
        with Image.open(path, formats=["WEBP"]) as picture:
            for shown in ImageSequence.Iterator(picture):
                frame = VideoFrame.from_ndarray(np.asarray(shown.convert("RGBA")), "rgba")
                frame.pts, frame.duration = time, shown.info.get("duration", 0)
                time += frame.duration
                yield frame
    except (OSError, ValueError, SyntaxError) as error:
        raise FilmError("it is damaged or incomplete") from error
