"""`checkpoints/README.md`: what it promises holds, and its code runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from PIL import Image

from nst.models import VARIANTS, build_model, count_parameters
from tests.helpers import ROOT, run_python

CARD = (ROOT / "checkpoints" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", CARD, re.DOTALL)


def run(program: str, folder: Path) -> str:
    """Run a program in a folder like the project's, but with nothing else in it."""
    for name in ("checkpoints", "assets"):
        (folder / name).symlink_to(ROOT / name)
    done = run_python("-c", program, folder=folder, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_picture_is_painted(tmp_path: Path) -> None:
    said = run(BLOCKS[0], tmp_path)
    assert re.fullmatch(r"v4 after \d+ steps\n", said)
    with Image.open(tmp_path / "painted.png") as painted:
        assert painted.size == (512, 384)
        assert painted.info == {}


def test_the_losses_can_be_read(tmp_path: Path) -> None:
    lines = run(BLOCKS[1], tmp_path).splitlines()
    assert [line.split()[0] for line in lines] == list(VARIANTS)
    assert all("content" in line and "style" in line for line in lines)


def test_all_blocks_are_run() -> None:
    assert len(BLOCKS) == 2


@pytest.mark.parametrize("name", VARIANTS)
def test_the_table_is_right(name: str) -> None:
    count = count_parameters(build_model(name))
    assert re.search(rf"\| `{name}\.safetensors` \| [^|]+ \| {count:,} \|", CARD)
    assert (ROOT / "checkpoints" / f"{name}.safetensors").exists()
    assert (ROOT / "checkpoints" / f"{name}-step800.safetensors").exists()


def test_the_front_matter_is_hugging_faces() -> None:
    front = yaml.safe_load(CARD.split("---\n")[1])
    assert front["license"] == "mit"
    assert front["pipeline_tag"] == "image-to-image"
    assert front["library_name"] == "pytorch"
    assert "style-transfer" in front["tags"]
