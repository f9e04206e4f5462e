"""Films for tests, made here by PyAV: moving colours and a tone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.frame import VideoFrame

MILLISECOND = Fraction(1, 1000)
TONE_RATE = 48_000  # Hz


def moving(number: int, width: int, height: int) -> np.ndarray:
    """The film's picture of that number, (H, W, 3)."""
    y, x = np.mgrid[:height, :width]
    waves = [(x + 3 * number) / 9, (y - 2 * number) / 7, (x + y + number) / 11]
    return np.rint(128 + 90 * np.sin(np.stack(waves, -1))).astype(np.uint8)


def write_film(
    path: Path,
    times: Sequence[int] = tuple(range(0, 400, 40)),
    size: tuple[int, int] = (48, 32),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    sound: str | None = None,
    colours: tuple[int, int, int, int] | None = None,
    turned: int = 0,
    aspect: Fraction | None = None,
    muxing: Mapping[str, str] | None = None,
) -> Path:
    """A film with a frame at each of the times (ms), and an hour's worth of nothing else.

    Args:
        colours: matrix, range, transfer and primaries, as H.273 counts them.
        turned: degrees against the clock by which it is to be turned when shown.
        sound: the codec of a tone as long as the film.
    """
    with av.open(str(path), "w", options=dict(muxing or {})) as output:
        stream = output.add_stream(codec, 25)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        context = stream.codec_context
        context.time_base = stream.time_base = MILLISECOND
        if aspect:
            stream.sample_aspect_ratio = aspect
        if turned:
            stream.set_display_rotation(turned)
        if colours:
            context.colorspace, context.color_range = colours[:2]
            context.color_trc, context.color_primaries = colours[2:]
        tone = output.add_stream(sound, TONE_RATE, layout="mono") if sound else None
        for number, time in enumerate(times):
            frame = VideoFrame.from_ndarray(moving(number, *size))
            matrix, levels = colours[:2] if colours else (None, None)
            frame = frame.reformat(format=pixels, dst_colorspace=matrix, dst_color_range=levels)
            frame.pts, frame.time_base = time, MILLISECOND
            for packet in stream.encode(frame):
                output.mux(packet)
        output.mux(stream.encode(None))
        if tone:
            wave = np.sin(np.arange(TONE_RATE * times[-1] // 1000) / 20).astype(np.float32)
            heard = av.AudioFrame.from_ndarray(wave[None], "fltp", "mono")
            heard.sample_rate, heard.pts, heard.time_base = TONE_RATE, 0, Fraction(1, TONE_RATE)
            output.mux([*tone.encode(heard), *tone.encode(None)])
    return path


class Shown(NamedTuple):
    """What a player shows of a film."""

    times: list[int]  # ms
    pictures: list[np.ndarray]  # (H, W, 3), turned upright
    sound: list[tuple[int, bytes]]  # time in ms, and the packet
    codecs: list[str]
    aspect: Fraction
    colours: tuple[int, int]  # matrix and range
    seconds: float


def read_film(path: Path) -> Shown:
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
        stream = film.streams.video[0]
        colours = (int(frames[0].colorspace), int(frames[0].color_range))
        seconds = (film.duration or 0) / av.time_base
        aspect, codecs = stream.sample_aspect_ratio, [one.codec.name for one in film.streams]
        times = [round(1000 * frame.time) for frame in frames]
        pictures = [
            np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90) for frame in frames
        ]
        has_sound = bool(film.streams.audio)
    return Shown(
        times, pictures, sound_of(path) if has_sound else [], codecs, aspect, colours, seconds
    )


def sound_of(path: Path) -> list[tuple[int, bytes]]:
    with av.open(str(path)) as film:
        return [
            (round(1000 * packet.pts * packet.time_base), bytes(packet))
            for packet in film.demux(audio=0)
            if packet.pts is not None
        ]
