"""The page's words that are not beside their buttons, as HTML and plain text."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping
from pathlib import Path

from nst.checkpoint import Painting
from nst.paths import ASSETS
from nst.web.page.session import DEVICE, FULL, ORIGINAL, Results, Shown
from nst.web.page.spots import Spots

NETWORKS = {  # what they are, in a few words
    "baseline": "Johnson et al.",
    "v1": "light residual blocks",
    "v2": "+ light encoder",
    "v3": "+ light decoder",
    "v4": "ours: few channels at full size",
}
ENGINES = {  # as they are called on the page
    "openvino": "OpenVINO, fastest",
    "eager": "PyTorch",
    DEVICE: "This device",
}

FIGURES = {  # file in assets/: title, alternative text; what says most comes first
    "figure-5-results.png": (
        "In the end",
        "Three photos, stylized by each network after the last training step.",
    ),
    "figure-6-yellow-details.png": (
        "Yellow details",
        "The yellowest place of each result, magnified, the same in all networks.",
    ),
    "figure-4-step-800.png": (
        "After 800 steps",
        "Three photos, stylized by each network after 800 training steps.",
    ),
    "figure-2-losses.png": (
        "Losses",
        "Training and validation losses of the networks: content, style and their sum.",
    ),
    "figure-3-learning-rate.png": (
        "Learning rate",
        "The learning rate of the networks over the training steps.",
    ),
}
ABLATION = {  # what a training's name says that differs
    "seed1": "another seed",
    "lattice": "with the lattice term in the loss",
    "nolattice": "without it",
    "resize": "nearest upsampling and a convolution in place of each transposed one",
    "k4": "transposed convolutions of 4×4",
    "denselast": "an ordinary last layer",
    "norelu": "no ReLU inside the lightweight layers",
    "nonorm": "no norm there",
    "noinner": "neither there",
    "shift": "VGG sees the picture shifted at random",
    "avgpool": "VGG takes means instead of maxima",
    "margin": "VGG sees 16 px of reflection around the picture",
    "median": "a 3×3 median filter over the finished picture",
}


def heading(title: str, hint: str = "") -> str:
    return f"<h2>{title}</h2>" + (f'<p class="hint">{hint}</p>' if hint else "")


def message(text: str) -> str:
    """A line that screen readers announce."""
    return f'<p role="status" class="plain">{html.escape(text)}</p>'


def done(results: Results) -> str:
    """How a run ended."""
    there = [results.made[name] for name in results.networks if name in results.made]
    seconds = sum(result.seconds for result in there)
    if results.missing:
        words = f"Stopped: {len(there)} of {len(results.networks)} pictures in {seconds:.2f} s."
    else:
        pictures = "one picture" if len(there) == 1 else f"{len(there)} pictures"
        words = f"Done: {pictures} in {seconds:.2f} s."
    return f"{words} {results.photo.remark}" if results.photo.remark else words


def caption(shown: Shown) -> str:
    """What is shown and how it was made, a line."""
    photo, engine = facts(ORIGINAL, {}, shown.results), shown.results.engine
    return " · ".join([*photo, ENGINES.get(engine, engine).partition(",")[0], mixed(shown)])


def mixed(shown: Shown) -> str:
    """The mix that is shown, and of which one grid and spots are told."""
    measured_in_it = shown.mix == FULL or shown.results.engine == DEVICE
    return f"{shown.mix}{'' if measured_in_it else MEASURED_FULL}"


def score(spots: Spots) -> str:
    """How much of a picture repeats every 4 px, as the network made it: in full strength."""
    words = f"grid {spots.lattice_db:.1f} dB".replace("-", "−")
    if spots.array_share is not None:
        words += f" · spots {spots.array_share:.0%}".replace("%", " %")
    return words


def facts(
    name: str,
    parameters: Mapping[str, int],
    results: Results,
    paintings: Mapping[str, Painting] = {},
) -> list[str]:
    """What stands below a picture, as plain text.

    Args:
        parameters: how many each network has.
        paintings: networks that have learned another one than The Starry Night.
    """
    if name == ORIGINAL:
        width, height = results.photo.size
        return [fact for fact in (results.photo.title, f"{width}×{height} px") if fact]
    words = after(paintings[name]) if name in paintings else NETWORKS[name]
    return [words, f"{parameters[name]:,} parameters"]


def after(painting: Painting) -> str:
    """What a network is that has learned another painting."""
    return f"{painting.variant} after “{painting.title}”"


MEASURED_FULL = "; grid and spots measured at full strength"
TITLE = "Lightweight style transfer"
DESCRIPTION = (
    "Your photo in the style of van Gogh’s Starry Night, by Johnson’s network and by lighter ones: "
    "the pictures side by side, and what each of them costs."
)
PREVIEW = (
    "Lamps at night: a photo, and the photo stylized by the baseline and the lightest network."
)
HEADING = """
<a class="skip" href="#viewer">To the pictures</a>
<h1>How light can style transfer be?</h1>
"""
# What tests/web/test_texts.py holds against the measured tables.
INTRODUCTION = """
<p class="hint wide">A photo after van Gogh’s <em>The Starry Night</em>, by five networks of 1.68
to 0.20 million parameters. <b>v4</b> is the fastest and leaves no grid of 4 px; the
<b>baseline</b> is the most faithful.</p>
<p class="hint narrow"><b>v4</b>: fastest, no grid. <b>Baseline</b>: most faithful.</p>
"""
FOOT = """
<p>In the style of Vincent van Gogh’s
<a href="https://www.moma.org/collection/works/79802">The Starry Night</a> (1889), by Johnson’s
network and by lighter ones.</p>
<nav aria-label="More">
<a href="#paper">Paper</a> <a href="#model-card">Model card</a> {code}<a href="?view=api">API</a>
</nav>
"""


def foot() -> str:
    """Where to go from here; to the code where it is known where that lies, on a Space."""
    space = os.environ.get("SPACE_ID")
    address = f"https://huggingface.co/spaces/{html.escape(space or '')}/tree/main"
    return FOOT.format(code=f'<a href="{address}">Code</a> ' if space else "")


def model_card(file: Path) -> str:
    """The model card as Markdown, a section of the page, without links to files beside it."""
    *_, text = file.read_text(encoding="utf-8").split("---\n", 2)
    text = re.sub(r"\s\(\[\w+\]\(\.\./[^)]+\)\)", "", text)
    return re.sub(r"^#", "##", text, flags=re.MULTILINE)


def verdicts(claims: str) -> str:
    """The paper's claims with what our runs say to each, of the last table of assets/claims.md."""
    rows = (line.split(" | ") for line in claims.rpartition("\n\n")[2].splitlines()[2:])
    judged = ((row[0].strip("| "), row[-1].strip("| ")) for row in rows)
    return "\n".join(
        f"- {claim}. **{verdict[0].upper()}{verdict[1:]}.**" for claim, verdict in judged if claim
    )


FAILED = "This picture could not be stylized here; a smaller size may work."
NO_PHOTO = "Choose a photo first, or take one of the examples."
NO_NETWORK = "Choose at least one network."
PHOTO_GONE = "The photo is no longer kept here; please choose it again."

READING = "Reading the picture …"
STYLIZING = "Stylizing …"
WAITING = "stylizing …"  # in a picture's place
NOT_STYLIZED = "not stylized"
STOPPED = "Stopped."
MEASURING = "Measuring …"
MEASURED = "Measured; the times are below."
ON_DEVICE = "Measure on this device"
MEASURE_ON_DEVICE = """side => {
    document.dispatchEvent(new CustomEvent("measure-on-device", { detail: side }));
}"""
MEASURED_ANEW = "Another measurement has begun and ended this one; please ask again."
WELCOME = "An example. Choose, drop or paste a photo of yours."

TRAINING = heading(
    "How they were trained",
    "All networks saw the same photos in the same order; settings, hardware and times are in the "
    "<a href='#model-card'>model card</a>. What the paper claims, and what our trainings say:",
)
NUMBERS = "The numbers behind it"
RED_SPOTS = heading(
    "Where the red spots come from",
    "24 trainings of 5 epochs, each with one thing changed, which its name says. Spots are the "
    "share of the yellow area that has red spots in rows and columns, the grid is the lattice "
    "ratio, where 0 dB is noise: means over 50 test photos.",
) + "".join(
    (
        '<p class="hint">',
        "; ".join(f"<b>{name}</b>: {what}" for name, what in ABLATION.items()),
        ".</p>",
    )
)
ORBS = "The yellowest place of one photo, stylized by the network of each training and magnified."

ABOUT = (ASSETS / "about.html").read_text(encoding="utf-8")
MODEL_CARD = "Model card"
LATENCY = heading(
    "Latency",
    "Each network alone on the server, without reading and saving, or on your own device’s GPU, "
    "beside the paper’s times.",
)
