"""What the red spots come from: trainings that differ in one thing, measured alike.

    python -m nst.study.ablation --runs runs/a-v1 runs/a-v1-resize ... \\
        --photos a.tar b.tar --style starry_night.jpg [--vgg-weights FILE]
    python -m nst.study.ablation --report

The first measures every final checkpoint of the folders and writes assets/ablation.csv, a row for
each, and assets/ablation-orbs.png, the yellowest 30 px of each one's picture of the example
"tower" (each network puts its orbs elsewhere).  A run is named after its folder, or after its file
where a folder holds several.  The first run is what the others are compared with; `--median RUN`
adds one of the runs once more, its pictures through a 3×3 median, as Johnson's program shows them.
The second makes the table (assets/ablation.md) and the figure (assets/figure-9-ablation.png) from
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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from nst.artifacts.measure import flat_field, measure
from nst.artifacts.yellow import square_around, yellowest_place
from nst.checkpoint import CheckpointError, load_checkpoint
from nst.console import command_parser
from nst.fast import fast
from nst.inference.engines import EngineName, build_engines
from nst.inference.latency import hardware, measure_latency
from nst.models import TransformerNet, count_parameters
from nst.paper import LATENCY_SIDE
from nst.paths import ASSETS
from nst.pictures.examples import FIRST_SIDE, examples
from nst.pictures.reading import limit_side, read_picture
from nst.pictures.tensors import to_picture, to_tensor
from nst.reporting import DETAIL, GAP, draw_grid, markdown_table, save
from nst.study.common import ABLATION, Network, evaluate_part, loss_and_photos, loss_settings

ENGINES: tuple[EngineName, ...] = ("eager", "openvino")
REPEATS = 20  # of each latency
OF_ORBS = "tower"  # the example whose orbs are shown
PER_ROW = 6  # orbs in the figure
ORBS, TABLE, FIGURE = "ablation-orbs.png", "ablation.md", "figure-9-ablation.png"
# Recorded with a training, but no difference in what is trained.
NO_CHANGE = ("photo_names_sha256", "style_sha256", "vgg_weights", "start_sha256")


class FinalCheckpoint:
    """What one training ended with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.network, self.metadata = load_checkpoint(path)
        self.training: dict[str, Any] = json.loads(self.metadata["training"])

    def change(self, first: FinalCheckpoint) -> str:
        """The flags of train.py that make it from another: its variant, and what differs."""
        flags = [self.metadata["variant"]]
        for name, value in sorted(self.training.items()):
            if value != first.training.get(name) and name not in NO_CHANGE:
                flags += [f"--{name.removeprefix('loss.').replace('_', '-')}", str(value)]
        return " ".join(flags)


def find_runs(folders: Sequence[Path]) -> dict[str, FinalCheckpoint]:
    """The final checkpoints in the folders of runs, by name.

    Raises:
        CheckpointError: a folder holds none, or two runs have one name.
    """
    runs: dict[str, FinalCheckpoint] = {}
    for folder in folders:
        paths = [path for path in sorted(folder.glob("*.safetensors")) if "-step" not in path.stem]
        if not paths:
            raise CheckpointError(f"{folder}: no checkpoint of a training")
        for path in paths:
            name = folder.resolve().name if len(paths) == 1 else path.stem
            if name in runs:
                raise CheckpointError(f"{path}: a second run of the name {name}")
            runs[name] = FinalCheckpoint(path)
    return runs


def through_median(network: TransformerNet) -> Network:
    """A network whose pictures go through a 3×3 median."""

    def stylize(photos: Tensor) -> Tensor:
        pictures = [to_picture(picture) for picture in network(photos)]
        return torch.stack([to_tensor(p.filter(ImageFilter.MedianFilter(3))) for p in pictures])

    return stylize


def rim_chroma(picture: Tensor) -> dict[str, float]:
    """Mean chroma of the outer 8 px, and of what lies 24 px inside, of (3, H, W)."""
    chroma = picture.amax(0) - picture.amin(0)
    outer = torch.ones_like(chroma, dtype=torch.bool)
    outer[8:-8, 8:-8] = False
    return {"outer": chroma[outer].mean().item(), "inner": chroma[24:-24, 24:-24].mean().item()}


def measure_run(network: Network, rows: pd.DataFrame) -> dict[str, Any]:
    """One run's means and deviations over its rows of `evaluate_part`, and its flat field."""
    spotted = rows[rows["array_share"] > 0]
    return {
        "photos": len(rows),
        "content": rows["content"].mean(),
        "style": rows["style"].mean(),
        "lattice_db": rows["lattice_db"].mean(),
        "lattice_db_sd": rows["lattice_db"].std(),
        "judged": rows["array_share"].notna().sum(),
        "array_share": rows["array_share"].mean(),
        "array_share_sd": rows["array_share"].std(),
        "array_contrast": spotted["array_contrast"].mean(),
        "flat_field": flat_field(network).mean(),
        "rim": rows["outer"].mean() / rows["inner"].mean(),
    }


def latencies(runs: Mapping[str, FinalCheckpoint]) -> pd.DataFrame:
    """Median milliseconds of each run's network at 256×256, a column for each engine."""
    networks = {name: run.network for name, run in runs.items()}
    columns = {}
    for engine in ENGINES:
        engines = build_engines(networks, engine, report=None)
        times = measure_latency(engines, LATENCY_SIDE, LATENCY_SIDE, REPEATS)
        columns[f"{engine}_ms"] = {name: statistics.median(each) for name, each in times.items()}
        columns[f"{engine}_hardware"] = dict.fromkeys(times, hardware(engine))
    return pd.DataFrame(columns)


def measure_all(options: argparse.Namespace) -> tuple[pd.DataFrame, Image.Image]:
    """The rows of all runs, and their orbs beside each other in the same order."""
    runs = find_runs(options.runs)
    first = next(iter(runs.values()))
    for run in runs.values():
        for name in ("photo_names_sha256", "style_sha256", "vgg_weights"):
            if run.training.get(name) != first.training.get(name):
                raise CheckpointError(f"{run.path}: trained with another {name} than {first.path}")
    settings = replace(loss_settings(first.metadata), lattice_weight=0.0)
    loss, photos = loss_and_photos(first.metadata, settings, options)
    networks: dict[str, Network] = {name: fast(run.network) for name, run in runs.items()}
    of_run = {name: name for name in runs}
    for name in options.median:
        if name not in runs:
            raise CheckpointError(f"--median {name}: no such run")
        networks[f"{name}, median"] = through_median(runs[name].network)
        of_run[f"{name}, median"] = name
    milliseconds = latencies(runs)  # before the hour that the next takes
    evaluation = evaluate_part(networks, loss, photos["test"], "test", rim_chroma)
    rows, orbs = [], []
    for name, network in networks.items():
        run = runs[of_run[name]]
        row = {"run": name, "change": run.change(first), "step": int(run.metadata["step"])}
        row["parameters"] = count_parameters(run.network)
        pictures = stylize_examples(network)
        row |= measure_run(network, evaluation[evaluation["network"] == name])
        row |= measure_examples(pictures.values())
        if name in runs:  # how long a median takes is not the network's
            row |= milliseconds.loc[name].to_dict()
        rows.append(row)
        place = yellowest_place(pictures[OF_ORBS], DETAIL)
        orbs.append(np.asarray(square_around(pictures[OF_ORBS], place, DETAIL)))
    return pd.DataFrame(rows), Image.fromarray(np.hstack(orbs))


@torch.inference_mode()
def stylize_examples(network: Network) -> dict[str, Image.Image]:
    """The page's examples at the size that it shows first, by name."""
    photos = {name: limit_side(read_picture(path), FIRST_SIDE) for name, path in examples().items()}
    return {name: to_picture(network(to_tensor(one)[None])[0]) for name, one in photos.items()}


def measure_examples(pictures: Iterable[Image.Image]) -> dict[str, float]:
    """Their red spots, and how many of them have yellow to judge."""
    shares = pd.Series([measure(picture).array_share for picture in pictures], dtype=float)
    return {"examples_judged": shares.count(), "examples_array_share": shares.mean()}


def ablation_markdown(results: pd.DataFrame) -> str:
    """A line for each run."""
    photos = results["photos"].iloc[0]
    rows = [
        {
            "run": one["run"],
            "train.py --variant": one["change"],
            "step": str(one["step"]),
            "parameters": f"{one['parameters']:,}",
            "content": f"{one['content']:.3f}",
            "style": f"{one['style']:.3f}",
            f"lattice ratio, dB, {photos} test photos": (
                f"{one['lattice_db']:.1f} ± {one['lattice_db_sd']:.1f}"
            ),
            "red spots, % of the yellow area (photos with yellow)": _percent(
                one["array_share"], one["judged"], one["array_share_sd"]
            ),
            "their contrast, levels": _number(one["array_contrast"], 0),
            "red spots, % (the page's examples)": _percent(
                one["examples_array_share"], one["examples_judged"]
            ),
            "flat field, levels": _number(one["flat_field"], 1),
            "chroma of the rim": _number(one["rim"], 2),
            **{f"{name}, ms": _number(one.get(f"{name}_ms"), 1) for name in ENGINES},
        }
        for _, one in results.iterrows()
    ]
    return markdown_table(list(rows[0]), [list(row.values()) for row in rows])


def _percent(share: float, judged: int, deviation: float | None = None) -> str:
    if not judged:
        return "no yellow"
    spread = "" if deviation is None else f" ± {100 * deviation:.0f}"
    return f"{100 * share:.0f}{spread} ({judged})"


def _number(value: float | None, digits: int) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def draw_orbs(names: Sequence[str], strip: Image.Image) -> Image.Image:
    """An orb of each run, 8 times as large, below its name."""
    if strip.width != len(names) * DETAIL:
        raise ValueError(f"{ORBS} does not belong to {ABLATION}")
    orbs = {
        name: [strip.crop((number * DETAIL, 0, (number + 1) * DETAIL, DETAIL))]
        for number, name in enumerate(names)
    }
    starts = range(0, len(names), PER_ROW)
    grids = [draw_grid({name: orbs[name] for name in names[at : at + PER_ROW]}) for at in starts]
    height = grids[0].height + GAP
    sheet = Image.new("RGB", (grids[0].width, len(grids) * height - GAP), "white")
    for row, grid in enumerate(grids):
        sheet.paste(grid, (0, row * height))
    return sheet


def report(folder: Path) -> None:
    """Table and figure, from the results in the same folder."""
    results = pd.read_csv(folder / ABLATION)
    save(folder / TABLE, ablation_markdown(results) + "\n")
    with Image.open(folder / ORBS) as file:
        save(folder / FIGURE, draw_orbs(list(results["run"]), file.convert("RGB")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.study.ablation", __doc__)
    parser.add_argument("--report", action="store_true", help="table and figure of what is there")
    parser.add_argument("--runs", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--photos", nargs="+", type=Path, help="folders, zip and tar files")
    parser.add_argument("--style", type=Path, help="the painting")
    parser.add_argument("--vgg-weights", type=Path, help="default: torchvision's, downloaded")
    parser.add_argument("--median", nargs="*", default=[], metavar="RUN")
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
            save(options.out / ABLATION, results)
            save(options.out / ORBS, strip)
    except (ValueError, OSError) as error:
        print(f"nst.study.ablation: {error}", file=sys.stderr)
        return 1
    return 0
