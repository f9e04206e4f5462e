"""The ablation's table and figure, made of its committed results alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from nst.files import write_then_rename
from nst.inference.engines import EngineName
from nst.study.claims import markdown_table
from nst.study.seeds import RESULTS

DETAIL = 30  # px, side of the orb
PER_ROW = 6  # orbs in the figure
HEADING, GAP = 24, 6  # px, in the figure
ENGINES: tuple[EngineName, ...] = ("eager", "openvino")
ORBS = "ablation-orbs.png"
TABLE, FIGURE = "ablation.md", "figure-9-ablation.png"


def table(results: pd.DataFrame) -> str:
    """Markdown: a line for each run."""
    heads = {
        "run": "run",
        "change": "train.py --variant",
        "step": "step",
        "parameters": "parameters",
        "content": "content",
        "style": "style",
        "lattice_db": f"lattice ratio, dB, {results['photos'].iloc[0]} test photos",
        "array_share": "red spots, % of the yellow area (pictures that have one)",
        "array_contrast": "their contrast, levels",
        "examples_array_share": "red spots, % (the page's examples)",
        "flat_field": "flat field, levels",
        "rim": "rim's chroma",
        **{f"{name}_ms": f"{name}, ms" for name in ENGINES if f"{name}_ms" in results},
    }
    rows = []
    for _, one in results.iterrows():
        words = {
            **{name: str(one[name]) for name in ("run", "change", "step")},
            "parameters": f"{one['parameters']:,}",
            **{name: f"{one[name]:.3f}" for name in ("content", "style")},
            "lattice_db": f"{one['lattice_db']:.1f} ± {one['lattice_db_sd']:.1f}",
            "array_share": _share(one),
            "examples_array_share": _percent(one["examples_array_share"], one["examples_judged"]),
            "array_contrast": _number(one["array_contrast"], 0),
            "flat_field": _number(one["flat_field"], 1),
            "rim": _number(one["rim"], 2),
            **{f"{name}_ms": _number(one.get(f"{name}_ms"), 1) for name in ENGINES},
        }
        rows.append([words[name] for name in heads])
    return markdown_table(list(heads.values()), rows)


def _share(one: pd.Series) -> str:
    if not one["judged"]:
        return "no yellow"
    return f"{100 * one['array_share']:.0f} ± {100 * one['array_share_sd']:.0f} ({one['judged']})"


def _percent(share: float, judged: int) -> str:
    return f"{100 * share:.0f} ({judged})" if judged else "no yellow"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.{digits}f}"


def draw_orbs(names: Sequence[str], strip: Image.Image) -> Image.Image:
    """An orb of each run, 8 times as large, with their names.

    Raises:
        ValueError: the strip holds another number of orbs.
    """
    if strip.width != len(names) * DETAIL:
        raise ValueError(f"{ORBS} does not belong to {RESULTS}")
    shown = 8 * DETAIL
    across, down = min(len(names), PER_ROW), -(-len(names) // PER_ROW)
    size = (across * (shown + GAP) - GAP, down * (HEADING + shown + GAP) - GAP)
    sheet = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for number, name in enumerate(names):
        row, column = divmod(number, PER_ROW)
        left, top = column * (shown + GAP), row * (HEADING + shown + GAP)
        pen.text((left + shown / 2, top + 3), name, fill="black", font=font, anchor="ma")
        orb = strip.crop((number * DETAIL, 0, (number + 1) * DETAIL, DETAIL))
        magnified = orb.resize((shown, shown), Image.Resampling.NEAREST)
        sheet.paste(magnified, (left, top + HEADING))
    return sheet


def report(folder: Path) -> None:
    """Table and figure, from the results in the same folder.

    Raises:
        OSError: they are not there.
        ValueError: they are no results.
    """
    results = pd.read_csv(folder / RESULTS)
    try:
        text = table(results) + "\n"
    except KeyError as error:
        raise ValueError(f"{folder / RESULTS}: no column {error}") from None
    with Image.open(folder / ORBS) as file:
        figure = draw_orbs(list(results["run"]), file.convert("RGB"))
    write_and_say(folder / FIGURE, lambda path: figure.save(path, format="PNG"))
    write_and_say(folder / TABLE, lambda path: Path(path).write_text(text, encoding="utf-8"))


def write_and_say(path: Path, write: Callable[[str], object]) -> None:
    """`write_then_rename`, and the file's name for whoever waits for it."""
    write_then_rename(path, write)
    print(path)
