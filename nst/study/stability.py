"""How much more a stylized picture changes than its photo does, when the photo changes a little.

    python -m nst.study.stability --photos a.tar b.tar [--vgg-weights FILE]

A film's frames differ by such changes: camera noise (Gaussian, of 1, 2 and 4 levels), a shift to
the side, 1 % more light, JPEG at quality 90.  Of each the table has the ratio of mean squares,
that of the stylized picture's change over that of the photo's, in pixels and in VGG-16's relu2_2;
mean and standard deviation over the test photos.  Above 1 a network adds to the change: it
flickers.

A stylized picture should move along with its photo.  "moved back" is what remains of a shift when
the picture is shifted back, over the photo's change as before: 0 for a network that does not mind
where its grid lies.  A shift of 4 px, the period of that grid, is beside the others for that.
Between pixels the Fourier series of the mirrored rows shifts, which loses nothing; a margin of 16
px, where the networks see the border, is not counted.

Written are assets/stability.csv, assets/stability.md and the figure.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.study.stability")

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from nst.checkpoint import load_checkpoint
from nst.console import command_parser
from nst.fast import fast
from nst.models import VARIANTS
from nst.paths import ASSETS, CHECKPOINTS
from nst.pictures.tensors import to_picture, to_tensor
from nst.reporting import COLOURS, markdown_table, save
from nst.study.common import Network
from nst.training.data import PhotoSet, split_photos
from nst.training.sources import find_photos
from nst.vgg import load_vgg16

SIDE = 256  # px
MARGIN = 16  # px
LAYER, LAYER_STRIDE = "relu2_2", 2  # px
NOISE = (1, 2, 4)  # levels
SHIFTS = (0.25, 0.5, 1, 2, 4)  # px
LIGHT = 1.01
JPEG_QUALITY = 90
SHOWN = 1e-3  # a ratio that the figure shows
TABLE, MARKDOWN, FIGURE = "stability.csv", "stability.md", "figure-10-stability.png"

Change = Callable[[Tensor], Tensor]  # a photo (1, 3, H, W) -> the same, changed


def shifted(x: Tensor, pixels: float) -> Tensor:
    """(N, C, H, W), moved to the right; from the left comes its mirror image."""
    width = x.shape[3]
    waves = torch.fft.rfft(torch.cat([x, x.flip(3)], dim=3))
    turns = torch.arange(waves.shape[3]) / (2 * width) * pixels
    phases = torch.polar(torch.ones_like(turns), -2 * torch.pi * turns)
    return torch.fft.irfft(waves * phases, n=2 * width)[..., :width]


def changes(seed: int) -> dict[str, Change]:
    """The changes by name; `seed` is that of the noise."""

    def noisy(photo: Tensor, levels: int) -> Tensor:
        noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(seed))
        return photo + levels / 255 * noise

    def compressed(photo: Tensor) -> Tensor:
        buffer = io.BytesIO()
        to_picture(photo[0]).save(buffer, "JPEG", quality=JPEG_QUALITY)
        return to_tensor(Image.open(buffer))[None]

    return {
        **{f"noise {n}": lambda photo, n=n: noisy(photo, n) for n in NOISE},
        **{f"shift {px:g} px": lambda photo, px=px: shifted(photo, px) for px in SHIFTS},
        "light 1 %": lambda photo: photo * LIGHT,
        f"JPEG {JPEG_QUALITY}": compressed,
    }


def ratios(
    networks: Mapping[str, Network], features: Network, photo: Tensor, seed: int
) -> Iterator[dict[str, object]]:
    """A row for each change of one photo (1, 3, H, W) and each network.

    Args:
        features: a picture -> relu2_2.
    """

    def see(picture: Tensor) -> tuple[Tensor, Tensor]:
        edge = MARGIN // LAYER_STRIDE
        return (
            picture[..., MARGIN:-MARGIN, MARGIN:-MARGIN],
            features(picture)[..., edge:-edge, edge:-edge],
        )

    def apart(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> list[float]:
        return [(a - b).square().mean().item() for a, b in zip(one, other, strict=True)]

    photo_seen = see(photo)
    seen = {name: see(network(photo)) for name, network in networks.items()}
    for change, apply in changes(seed).items():
        changed = apply(photo)
        of_photo = apart(see(changed), photo_seen)
        for name, network in networks.items():
            picture = network(changed)
            found = {"": apart(see(picture), seen[name])}
            if change.startswith("shift"):
                back = shifted(picture, -float(change.split()[1]))
                found[", moved back"] = apart(see(back), seen[name])
            for moved, (pixels, layer) in found.items():
                yield {
                    "network": name,
                    "change": change + moved,
                    "pixels": pixels / of_photo[0],
                    LAYER: layer / of_photo[1],
                }


def summary(rows: pd.DataFrame, photos: int) -> pd.DataFrame:
    """Mean and standard deviation over the photos, in the order of the rows."""
    groups = rows.groupby(["network", "change"], sort=False)
    means, deviations = groups.mean(), groups.std().add_suffix("_sd")
    table = means.join(deviations)[["pixels", "pixels_sd", LAYER, f"{LAYER}_sd"]]
    return table.assign(photos=photos, side=SIDE).reset_index()


def in_words(table: pd.DataFrame) -> str:
    """The table in Markdown: a row for each change, pixels / relu2_2 for each network."""
    networks = list(dict.fromkeys(table["network"]))
    cells = table.set_index(["change", "network"])[["pixels", LAYER]]
    head = f"change of the photo ({table['photos'][0]} test photos, {table['side'][0]} px)"
    rows = [
        [change, *(" / ".join(map(_number, cells.loc[(change, name)])) for name in networks)]
        for change in dict.fromkeys(table["change"])
    ]
    return markdown_table([head, *networks], rows) + "\n"


def _number(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


def draw(table: pd.DataFrame) -> Figure:
    """The mean ratios as dots, without changes that no network shows; relu2_2 is on the right."""
    largest = table.groupby("change", sort=False)[["pixels", LAYER]].max().max(axis=1)
    names = list(largest.index[largest > SHOWN])
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    for axis, column in zip(figure.subplots(1, 2, sharey=True), ("pixels", LAYER), strict=True):
        for number, name in enumerate(VARIANTS):
            of = table[table["network"] == name].set_index("change").loc[names, column]
            places = [place + 0.14 * (number - 2) for place in range(len(names))]
            axis.plot(of, places, "osD^v"[number], color=COLOURS[name], label=name, markersize=5)
        axis.axvline(1, color="gray", linewidth=1)
        axis.set_xscale("log")
        axis.set_xlabel(f"change of the stylized picture / change of the photo, {column}")
        axis.grid(alpha=0.3)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper right", ncols=5)
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.study.stability", __doc__)
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--count", type=int, help="of the test photos; default: all 50")
    parser.add_argument("--vgg-weights", type=Path, help="default: torchvision's, downloaded")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, help="all final ones")
    parser.add_argument("--out", type=Path, default=ASSETS, help="a folder; default: assets/")
    options = parser.parse_args(arguments)
    try:
        networks = {
            path.stem: fast(load_checkpoint(path)[0])
            for path in sorted(options.checkpoints.glob("*.safetensors"))
            if "-step" not in path.stem
        }
        vgg = load_vgg16(options.vgg_weights)
        photos = PhotoSet(split_photos(find_photos(options.photos))["test"][: options.count], SIDE)
        rows = []
        with torch.inference_mode():
            for number in tqdm(range(len(photos)), unit="photo"):
                photo = photos.batch([number])
                rows += ratios(networks, lambda x: vgg(x, [LAYER])[LAYER], photo, number)
        table = summary(pd.DataFrame(rows), len(photos))
        save(options.out / TABLE, table)
        table = pd.read_csv(options.out / TABLE)  # or the words would be rounded from other digits
        save(options.out / MARKDOWN, in_words(table))
        save(options.out / FIGURE, draw(table))
    except (ValueError, OSError) as error:
        print(f"nst.study.stability: {error}", file=sys.stderr)
        return 1
    print(in_words(table))
    return 0
