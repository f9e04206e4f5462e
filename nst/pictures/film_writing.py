"""Films, written frame by frame with PyAV, with the sound of the film that they are made from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, Self

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from PIL import Image

from nst.pictures.film import RESAMPLING, UNSPECIFIED, Film, Frame, open_film


class Kind(NamedTuple):
    """A way of writing films."""

    container: str  # FFmpeg's name
    encoder: str
    pixels: str  # FFmpeg's name of their format
    settings: Mapping[str, str]  # of the encoder ...
    muxing: Mapping[str, str]  # ... and of the container
    sound: tuple[str, ...] = ()  # that is copied as it is; other becomes the first
    even: bool = False  # may sides only be even


KINDS = {
    ".mp4": Kind(
        "mp4",
        "libx264",
        "yuv420p",
        {"crf": "18", "preset": "veryfast", "bf": "0"},  # in the order of their times, which vary
        {"movflags": "+faststart"},
        ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"),
        even=True,
    ),
    ".webm": Kind(
        "webm",
        "libvpx-vp9",
        "yuv420p",
        {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "5", "row-mt": "1"},
        {},
        ("opus", "vorbis"),
    ),
    ".gif": Kind("gif", "gif", "pal8", {}, {"loop": "0"}),
    ".webp": Kind("webp", "libwebp_anim", "bgra", {"quality": "90"}, {"loop": "0"}),
}
ENCODERS = {"opus": "libopus"}  # where it is not the codec's name
SOUND_RATE = 48_000  # Hz, where sound is encoded anew


class FilmWriter:
    """A context in which a film is written; what the file holds after an error is of no use.

    Args:
        path: of the file, whatever its suffix.
        kind: an odd last column or row is cut off where it has even sides only.
        film: from which it is made: times, size, aspect, colours and sound are taken from it.
    """

    def __init__(self, path: str, kind: Kind, film: Film) -> None:
        self._film, self._kind = film, kind
        self._output = av.open(path, "w", format=kind.container, options=dict(kind.muxing))
        width, height = (side - side % 2 if kind.even else side for side in film.size)
        stream = self._output.add_stream(kind.encoder, film.rate, dict(kind.settings))
        stream.width, stream.height, stream.pix_fmt = width, height, kind.pixels
        stream.codec_context.time_base = stream.time_base = film.tick
        stream.sample_aspect_ratio = film.aspect
        if kind.pixels == "yuv420p":
            colours = film.colours
            context = stream.codec_context
            context.colorspace, context.color_range = colours.matrix, colours.range
            context.color_trc, context.color_primaries = colours.transfer, colours.primaries
        self._stream, self._size = stream, (width, height)
        self._reformatter = VideoReformatter()
        self._durations: dict[int, int] = {}  # by start, of frames that are being encoded
        self._sound = _sound(film, self._output, kind.sound) if kind.sound else iter(())
        self._waiting = next(self._sound, None)  # and the streams are there

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if not error:
            self._finish()
        self._output.close()

    def write(self, frame: Frame) -> None:
        """The next frame, and the sound before it."""
        width, height = self._size
        picture = self._encodable(np.ascontiguousarray(frame.pixels[:height, :width]))
        picture.pts, picture.duration = frame.start, frame.duration
        picture.time_base = self._film.tick
        self._durations[frame.start] = frame.duration
        self._mux_sound(before=frame.start * self._film.tick)
        self._mux(picture)

    def _encodable(self, pixels: np.ndarray) -> VideoFrame:
        if self._kind.pixels == "pal8":
            return _of_256_colours(pixels)
        colours, matrix = self._film.colours, self._film.matrix
        return self._reformatter.reformat(
            VideoFrame.from_ndarray(pixels),
            format=self._kind.pixels,
            dst_colorspace=matrix if colours.matrix == UNSPECIFIED else colours.matrix,
            dst_color_range=colours.range or ColorRange.MPEG,
            interpolation=RESAMPLING,
        )

    def _finish(self) -> None:
        """What the encoder still holds, and the rest of the sound."""
        self._mux(None)
        self._mux_sound()

    def _mux(self, picture: VideoFrame | None) -> None:
        """Encode a picture; None: end the encoding."""
        for packet in self._stream.encode(picture):
            packet.duration = self._durations.pop(packet.pts, 0)
            self._output.mux(packet)

    def _mux_sound(self, before: Fraction | None = None) -> None:
        """The sound before that time (s), so that it lies beside its pictures; None: all."""
        while packet := self._waiting:
            if before is not None and packet.pts * packet.time_base >= before:
                return
            self._output.mux(packet)
            self._waiting = next(self._sound, None)


def _of_256_colours(pixels: np.ndarray) -> VideoFrame:
    """A GIF's picture, with a palette of its own, so that it waits for no other."""
    picture = Image.fromarray(pixels)
    palette = picture.quantize(256, Image.Quantize.FASTOCTREE)
    colours = np.zeros((256, 4), np.uint8)  # opacity, red, green, blue
    listed = np.reshape(palette.getpalette("RGB"), (-1, 3))
    colours[:, 0], colours[: len(listed), 1:] = 255, listed
    indices = np.asarray(picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG))
    return VideoFrame.from_ndarray((indices, colours), "pal8")


def _sound(film: Film, output: OutputContainer, copied: tuple[str, ...]) -> Iterator[Packet]:
    """The film's sound in packets for the output, which gets streams for it at the first one."""
    if film.silent:
        return
    with open_film(film.path) as source, contextlib.suppress(FFmpegError):  # where it breaks off
        outs = {
            stream.index: _add_sound(output, stream, copied)
            for stream in source.streams.audio
            if stream.codec_context  # FFmpeg knows it
        }
        if not outs:
            return
        if film.start:
            source.seek(int(film.origin * av.time_base))
        for packet in source.demux(*(source.streams[index] for index in outs)):
            out = outs[packet.stream.index]
            if packet.pts is not None and not film.shows(packet.pts * packet.time_base):
                continue
            shift = round(film.origin / packet.time_base)
            if out.codec_context.is_encoder:
                yield from _encoded_sound(out, packet, shift)
            elif packet.pts is not None:
                packet.stream = out
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                yield packet
        for out in outs.values():
            if out.codec_context.is_encoder:
                yield from out.encode(None)


def _add_sound(output: OutputContainer, source: AudioStream, copied: Sequence[str]) -> AudioStream:
    if source.codec.canonical_name in copied:
        return output.add_stream_from_template(source)
    encoder = ENCODERS.get(copied[0], copied[0])
    layout = "stereo" if source.channels > 1 else "mono"
    return output.add_stream(encoder, SOUND_RATE, layout=layout)


def _encoded_sound(out: AudioStream, packet: Packet, shift: int) -> Iterator[Packet]:
    with contextlib.suppress(FFmpegError):  # a damaged packet
        for frame in packet.decode():
            frame.pts -= shift
            yield from out.encode(frame)
