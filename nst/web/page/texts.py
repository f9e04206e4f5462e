"""The page's words that are not beside their buttons, as HTML and plain text."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping
from pathlib import Path

from nst.web.page.session import ORIGINAL, Session
from nst.web.page.spots import Spots

NETWORKS = {  # what they are, in a few words
    "baseline": "Johnson et al.",
    "v1": "light residual blocks",
    "v2": "+ light encoder",
    "v3": "+ light decoder",
    "v4": "ours: half-size stem, shuffle head",
}
ENGINES = {  # as they are called on the page
    "openvino": "OpenVINO, fastest",
    "eager": "PyTorch",
}

FIGURES = {  # file in assets/: title, alternative text
    "figure-2-losses.png": (
        "Losses",
        "Training and validation losses of the networks: content, style and their sum.",
    ),
    "figure-3-learning-rate.png": (
        "Learning rate",
        "The learning rate of the networks over the training steps.",
    ),
    "figure-4-step-800.png": (
        "After 800 steps",
        "Three photos as the networks paint them after 800 training steps.",
    ),
    "figure-5-results.png": (
        "In the end",
        "Three photos as the networks paint them after their last step.",
    ),
    "figure-6-yellow-details.png": (
        "Yellow details",
        "The yellowest place of each result, magnified, the same in all networks.",
    ),
}


def heading(title: str, hint: str = "") -> str:
    return f"<h2>{title}</h2>" + (f'<p class="hint">{hint}</p>' if hint else "")


def message(text: str, error: bool = False) -> str:
    """A line that screen readers announce."""
    role, kind = ("alert", "error") if error else ("status", "plain")
    return f'<p role="{role}" class="{kind}">{html.escape(text)}</p>'


def done(session: Session) -> str:
    there = [name for name in session.wanted if name in session.painted]
    seconds = sum(session.seconds[name] for name in there)
    if len(there) < len(session.wanted):
        words = f"Stopped: {len(there)} of {len(session.wanted)} pictures in {seconds:.2f} s."
    else:
        pictures = "one picture" if len(there) == 1 else f"{len(there)} pictures"
        words = f"Done: {pictures} in {seconds:.2f} s."
    return f"{words} {session.remark}" if session.remark else words


def _mixing(session: Session) -> str:
    colours = ", in the photo’s colours" if session.keep_colours else ""
    return f"{round(100 * session.strength)} % strength{colours}"


def mixed(session: Session) -> str:
    return f"Shown at {_mixing(session)}."


def caption(session: Session) -> str:
    """What is shown and how it was made, a line."""
    if not session.source:
        return ""
    return " · ".join([*facts(ORIGINAL, {}, session), _engine(session), _mixing(session)])


def _engine(session: Session) -> str:
    return ENGINES.get(session.source.engine, session.source.engine).partition(",")[0]


def score(spots: Spots, session: Session) -> str:
    """How much of a picture repeats every 4 px, of what the network has made of it."""
    words = f"grid {spots.lattice_db:.1f} dB".replace("-", "−")
    if spots.array_share is not None:
        words += f" · spots {spots.array_share:.0%}".replace("%", " %")
    if session.strength < 1 or session.keep_colours:
        words += " (at full strength)"
    return words


def facts(name: str, parameters: Mapping[str, int], session: Session) -> list[str]:
    """What stands below a picture, as plain text; `parameters` of each network."""
    if name == ORIGINAL:
        size = f"{session.size[0]}×{session.size[1]} px" if session.size else ""
        return [fact for fact in (session.title, size) if fact]
    lines = [NETWORKS[name], f"{parameters[name]:,} parameters"]
    if name in session.seconds:
        lines.append(_engine(session))
    return lines


def time(name: str, session: Session) -> str:
    """How long a network took for this photo, or nothing."""
    return f"{1000 * session.seconds[name]:.0f} ms" if name in session.seconds else ""


def alternative_text(name: str) -> str:
    return "the photo" if name == ORIGINAL else f"the photo as {name} paints it"


def present_figures(assets: Path) -> list[tuple[Path, str, str]]:
    """(file, title, alternative text) of the figures that have been drawn."""
    return [(assets / name, *words) for name, words in FIGURES.items() if (assets / name).exists()]


def missing_figures(assets: Path) -> str:
    """One sentence about what of the training tab has not been made here, or nothing."""
    names = [name for name in (*FIGURES, "claims.md") if not (assets / name).exists()]
    if not names:
        return ""
    return f"Not drawn here yet: {', '.join(names)}. “python -m nst.study.figures” makes them."


TITLE = "Lightweight style transfer"
DESCRIPTION = (
    "Your photo after van Gogh’s Starry Night, by Johnson’s network and by lighter ones: "
    "the pictures side by side, and what each of them costs."
)
PREVIEW = "Lamps at night: a photo, and as the baseline and the lightest network paint it."
HEADING = "<h1>How light can style transfer be?</h1>"
FOOT = """
<p>After Vincent van Gogh’s
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


FAILED = "This picture could not be painted here; a smaller size may work."
NO_PHOTO = "Choose a photo first, or take one of the examples."
NOTHING_YET = "There are no pictures yet; /stylize makes them."
NO_NETWORK = "Choose at least one network."
PHOTO_GONE = "The photo is no longer kept here; please choose it again."

READING = "Reading the picture …"
PAINTING = "Stylizing …"
WAITING = "painting …"  # in a picture's place
NOT_PAINTED = "not painted"
STOPPED = "Stopped."
MEASURING = "Measuring …"
MEASURED = "Measured; below are the times."
WELCOME = "An example. Choose, drop or paste a photo of yours."

TRAINING = heading(
    "How they were trained",
    "All networks saw the same photos in the same order. The figures are drawn from the logs "
    "and checkpoints that come with the program.",
)


def trained(checkpoints: Path) -> str:
    """How long each network was trained, by the last lines of the logs; nothing without logs."""
    lasts = []
    for log in sorted(checkpoints.glob("*.csv")):
        head, *_, last = log.read_text(encoding="utf-8").splitlines()
        row = dict(zip(head.split(","), last.split(","), strict=False))
        if {"step", "epoch", "seconds"} <= row.keys():
            lasts.append(
                f"<li>{log.stem}: {int(row['step']):,} steps, {row['epoch']} epochs, "
                f"{float(row['seconds']) / 60:.0f} minutes of its own steps</li>"
            )
    where = "On which machine, the model card says."
    return f"<ul>{''.join(lasts)}</ul><p>{where}</p>" if lasts else ""


RED_SPOTS = heading(
    "Where the red spots come from",
    "24 trainings of 5 epochs that differ in one thing; the numbers are the share of the yellow "
    "area that has red spots in rows and columns, and the lattice ratio, on 50 test photos.",
)
ORBS = "The yellowest place that each training paints of one photo, magnified."

ABOUT = """
<h2 id="paper">The paper</h2>
<p>“Can Depthwise Separable Convolution Make Neural Style Transfer More Lightweight?” takes the
feed-forward network of Johnson, Alahi and Fei-Fei (2016), 1,679,235 parameters, and replaces
ordinary convolutions by depthwise separable ones: in the residual blocks (v1, 381,315), in the
encoder too (v2, 292,796), and in the decoder too (v3, 207,865). A depthwise separable layer first
filters every channel alone and then mixes channels pixel by pixel.</p>
<h2>What we chose where the paper is silent</h2>
<p>Padding reflects the picture’s edge; the decoder is transposed convolutions, as the text says; a
light layer is depthwise, instance norm, ReLU, pointwise without biases, the reading that gives the
paper’s four parameter counts exactly. The model card lists every choice with its reason.</p>
<h2 id="grid">Grid and red spots</h2>
<p>A decoder of transposed convolutions leaves a grid of 4 px, in yellow as red spots in rows and
columns; “Training” shows how we know.
“Grid” is the lattice ratio: how much of the detail repeats every 2 or 4 px at fixed places, against
what detail that is locked to nothing would have; 0 dB is noise, most photos have 0 to 4, and a
picture all of whose detail is grid 18. “Spots” is the share of the yellow area in which redness
repeats every 4 px both ways. “Worst place” moves all pictures to the strongest spots of the network
that its name says: the one clicked last, or the first of a pair. The heat map is the grid of each
32 px. How both are computed, and tested on planted grids, photos and paintings, stands in
nst/artifacts/measure.py.</p>
<h2>Limits</h2>
<ul>
<li>One style. A network is trained for one painting.</li>
<li>A photo is made smaller to the size chosen, at most 2048 px along its longer side, and never
enlarged. Strokes keep their size in pixels, so that small pictures look more abstract.</li>
<li>The networks look at the whole picture (instance norm): a part stylized alone comes out
differently, so the viewer magnifies the full result.</li>
<li>A time below a picture is one single run. “Measure” gives numbers that can be compared.</li>
</ul>
<h2>What happens to your photo</h2>
<p>It is sent to the machine that runs this page, and nowhere else. The file and the results made
of it lie there in a temporary folder for at most 70 minutes after their last use; then they are
deleted. Nobody else’s page shows them. Frames of “Live” are kept nowhere. Results carry no metadata
of your file. The page counts nobody, sets no cookies of its own and loads nothing from other
sites.</p>
"""

PYTHON = """\
from gradio_client import Client, handle_file

client = Client("http://127.0.0.1:7860")
answer = client.predict(
    handle_file("photo.jpg"), 512, networks=["baseline", "v4"], api_name="/stylize"
)
print(answer["files"]["v4"], answer["milliseconds"])
"""
SHELL = """\
api=http://127.0.0.1:7860/gradio_api
path=$(curl -s -F files=@photo.jpg $api/upload | tr -d '[]')
photo="{\\"path\\": $path, \\"meta\\": {\\"_type\\": \\"gradio.FileData\\"}}"
wishes="[$photo, 512, [\\"v4\\"], \\"eager\\", 100, false]"
event=$(curl -s -H "Content-Type: application/json" -d "{\\"data\\": $wishes}" \\
    $api/call/stylize | cut -d '"' -f 4)
picture=$(curl -s $api/call/stylize/$event | grep -o 'http[^"]*-v4.png')
curl -s -o v4.png $picture
"""
FOR_PROGRAMS = """
<h2>For programs</h2>
<p>“API” at the foot of the page: <code>/stylize</code>, and for what it has made
<code>/mix</code>, <code>/magnify</code>, which returns what the viewer shows from 2× on, and
<code>/contact_sheet</code>; <code>/measure</code>. In Python:</p>
<pre tabindex="0"><code>{python}</code></pre>
<p>In a shell, with <code>curl</code>: upload, ask, wait for the answer, fetch a picture.</p>
<pre tabindex="0"><code>{shell}</code></pre>
"""


def for_programs() -> str:
    """How programs ask, as HTML."""
    return FOR_PROGRAMS.format(python=html.escape(PYTHON), shell=html.escape(SHELL))


MODEL_CARD = '<h2 id="model-card">Model card</h2>'
LATENCY = heading(
    "Latency",
    "Each network alone on this machine, without reading and saving; beside it the paper’s times.",
)
