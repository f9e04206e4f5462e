"""What the red spots come from: trainings that differ in one thing, measured alike.

    python -m nst.study.ablation --runs runs/a-v1 runs/a-v1-resize ... \\
        --photos a.tar b.tar --style starry_night.jpg [--vgg-weights FILE]
    python -m nst.study.ablation --report

The first measures every final checkpoint of the folders and writes assets/ablation.csv, a row for
each, and assets/ablation-orbs.png, the yellowest place of each one's picture of the example
"tower", 30 px: each paints its orbs where it likes.  A run is named as its folder, or as its file
where a folder holds several.  The first run is what the others are compared with; `--median RUN`
adds one of the runs once more, its pictures through a 3×3 median, as Johnson's program shows them.
The second makes the table (assets/ablation.md) and the figure (assets/figure-9-ablation.png) of
these two files alone.

Losses are those of pictures as shown, through the plain VGG for all, means over the test photos;
`nst.artifacts.measure` has lattice, red spots (on the page's examples too) and flat field.  The
rim is the chroma (greatest less smallest of R, G and B) of the outer 8 px over that of what lies
24 px inside.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.study.ablation")

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from nst.artifacts.measure import flat_field, measure
from nst.artifacts.yellow import square_around, yellowest_place
from nst.checkpoint import CheckpointError, load_checkpoint
from nst.fast import fast
from nst.inference.engines import EngineUnavailableError, build_engines
from nst.inference.latency import hardware, measure_latency
from nst.models import TransformerNet, count_parameters
from nst.paper import LATENCY_SIDE
from nst.paths import ASSETS
from nst.pictures.examples import FIRST_SIDE, examples
from nst.pictures.reading import limit_side, read_picture
from nst.pictures.tensors import to_picture, to_tensor
from nst.study.ablation_report import DETAIL, ENGINES, ORBS, report, write_and_say
from nst.study.evaluate import (
    Network,
    at_least_one,
    evaluate_part,
    loss_of_training,
    photos_of_training,
)
from nst.study.seeds import RESULTS
from nst.study.trained import trained_with
from nst.training.data import PhotoSet

REPEATS = 20  # of each latency
OF_ORBS = "tower"  # the example that they are shown of
# Recorded with a training, but no difference in what is trained.
CIRCUMSTANCES = ("photo_names_sha256", "style_sha256", "vgg_weights", "torch_version", "precision")


class Run:
    """One training's final checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.network, self.metadata = load_checkpoint(path)
        self.training: dict[str, Any] = json.loads(self.metadata["training"])

    def change(self, first: Run) -> str:
        """The flags of train.py that make it from another run: its variant, and what differs."""
        flags = [self.metadata["variant"]]
        for name, value in sorted(self.training.items()):
            if value != first.training.get(name) and name not in CIRCUMSTANCES:
                flags += [f"--{name.removeprefix('loss.').replace('_', '-')}", str(value)]
        return " ".join(flags)


def find_runs(folders: Sequence[Path]) -> dict[str, Run]:
    """The final checkpoints in the folders of runs, by name.

    Raises:
        CheckpointError: a folder holds none, or two runs have one name.
    """
    runs: dict[str, Run] = {}
    for folder in folders:
        paths = [path for path in sorted(folder.glob("*.safetensors")) if "-step" not in path.stem]
        if not paths:
            raise CheckpointError(f"{folder}: no checkpoint of a training")
        for path in paths:
            name = folder.resolve().name if len(paths) == 1 else path.stem
            if name in runs:
                raise CheckpointError(f"{path}: a second run of the name {name}")
            runs[name] = Run(path)
    return runs


def through_median(network: TransformerNet) -> Network:
    """A network whose pictures go through a 3×3 median."""

    def run(photos: Tensor) -> Tensor:
        pictures = [to_picture(picture) for picture in network(photos)]
        return torch.stack([to_tensor(p.filter(ImageFilter.MedianFilter(3))) for p in pictures])

    return run


def rim_chroma(pictures: Tensor) -> float:
    """Chroma of the outer 8 px over that of what lies 24 px inside, of (N, 3, H, W).

    Chroma is the greatest less the smallest of R, G and B, its mean taken over pixels and pictures.
    """
    chroma = pictures.amax(1) - pictures.amin(1)
    outer = torch.ones(chroma.shape[1:], dtype=torch.bool)
    outer[8:-8, 8:-8] = False
    return (chroma[:, outer].mean() / chroma[:, 24:-24, 24:-24].mean()).item()


@torch.inference_mode()
def measure_run(network: Network, table: pd.DataFrame, photos: PhotoSet) -> dict[str, Any]:
    """Means and deviations over the photos of one run's rows of `evaluate_part`."""
    spotted = table[table["array_share"] > 0]
    pictures = [network(photos.batch([number])).clamp(0, 1) for number in table["photo"]]
    return {
        "photos": len(table),
        **{term: table[term].mean() for term in ("content", "style", "lattice")},
        "lattice_db": table["lattice_db"].mean(),
        "lattice_db_sd": table["lattice_db"].std(),
        "judged": table["array_share"].notna().sum(),
        "array_share": table["array_share"].mean(),
        "array_share_sd": table["array_share"].std(),
        "array_contrast": spotted["array_contrast"].mean(),
        "flat_field": flat_field(network).mean(),
        "rim": rim_chroma(torch.cat(pictures)),
    }


def latencies(runs: Mapping[str, Run]) -> pd.DataFrame:
    """Median milliseconds of each run's network at 256×256, a column for each engine here."""
    networks = {name: run.network for name, run in runs.items()}
    columns = {}
    for engine in ENGINES:
        try:
            engines = build_engines(networks, engine, report=None)
        except EngineUnavailableError:
            continue
        times = measure_latency(engines, LATENCY_SIDE, LATENCY_SIDE, REPEATS)
        columns[f"{engine}_ms"] = {name: statistics.median(each) for name, each in times.items()}
        columns[f"{engine}_circumstances"] = dict.fromkeys(times, hardware(engine))
    return pd.DataFrame(columns)


def measure_all(options: argparse.Namespace) -> tuple[pd.DataFrame, Image.Image]:
    """The rows of all runs, and their orbs beside each other in the same order."""
    runs = find_runs(options.runs)
    first = next(iter(runs.values()))
    for run in runs.values():
        for name in ("photo_names_sha256", "style_sha256", "vgg_weights"):
            if run.training.get(name) != first.training.get(name):
                raise CheckpointError(f"{run.path}: trained with another {name} than {first.path}")
    settings = replace(trained_with(first.metadata), lattice_weight=0.0)
    loss = loss_of_training(first.metadata, settings, options.style, options.vgg_weights)
    photos = photos_of_training(first.metadata, options.photos)["test"]
    networks: dict[str, Network] = {name: fast(run.network) for name, run in runs.items()}
    of_run = {name: name for name in runs}
    for name in options.median:
        if name not in runs:
            raise CheckpointError(f"--median {name}: no such run")
        networks[f"{name}, median"] = through_median(runs[name].network)
        of_run[f"{name}, median"] = name
    evaluation = evaluate_part(networks, loss, photos, "test", options.limit)
    milliseconds = latencies(runs)
    rows = []
    for name, network in networks.items():
        run = runs[of_run[name]]
        mine = evaluation[evaluation["network"] == name]
        row = {"run": name, "change": run.change(first), "step": int(run.metadata["step"])}
        row["parameters"] = count_parameters(run.network)
        row |= measure_run(network, mine, photos) | measure_examples(network)
        if name in runs:  # how long a median takes is not the network's
            row |= milliseconds.loc[name].to_dict()
        rows.append(row)
    return pd.DataFrame(rows), orbs(networks.values())


@torch.inference_mode()
def measure_examples(network: Network) -> dict[str, float]:
    """Means over the page's examples, and how many of them have yellow to judge."""
    found = [measure(picture) for picture in _painted_examples(network, examples())]
    shares = pd.Series([each.array_share for each in found], dtype=float)
    return {
        "examples_lattice_db": statistics.mean(each.lattice_db for each in found),
        "examples_judged": shares.count(),
        "examples_array_share": shares.mean(),
    }


def _painted_examples(network: Network, names: Iterable[str]) -> Iterator[Image.Image]:
    for name in names:
        photo = limit_side(read_picture(examples()[name]), FIRST_SIDE)
        yield to_picture(network(to_tensor(photo)[None])[0])


@torch.inference_mode()
def orbs(networks: Iterable[Network]) -> Image.Image:
    """The yellowest place of each network's picture of an example, beside each other."""
    pictures = [next(_painted_examples(network, [OF_ORBS])) for network in networks]
    strip = Image.new("RGB", (DETAIL * len(pictures), DETAIL))
    for number, picture in enumerate(pictures):
        orb = square_around(picture, yellowest_place(picture, DETAIL), DETAIL)
        strip.paste(orb, (number * DETAIL, 0))
    return strip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--report", action="store_true", help="table and figure of what is there")
    parser.add_argument("--runs", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--photos", nargs="+", type=Path, help="folders, zip and tar files")
    parser.add_argument("--style", type=Path, help="the painting")
    parser.add_argument("--vgg-weights", type=Path, help="default: torchvision's, downloaded")
    parser.add_argument("--median", nargs="*", default=[], metavar="RUN")
    parser.add_argument("--limit", type=at_least_one, help="test photos; default: all")
    parser.add_argument("--out", type=Path, default=ASSETS, help="a folder; default: assets/")
    options = parser.parse_args(arguments)
    measuring = [options.runs, options.photos, options.style]
    if any(measuring) if options.report else not all(measuring):
        parser.error("either --report, or --runs, --photos and --style")
    try:
        if options.report:
            report(options.out)
        else:
            results, strip = measure_all(options)
            write_and_say(options.out / RESULTS, lambda path: results.to_csv(path, index=False))
            write_and_say(options.out / ORBS, lambda path: strip.save(path, format="PNG"))
    except (ValueError, OSError) as error:
        print(f"nst.study.ablation: {error}", file=sys.stderr)
        return 1
    return 0
