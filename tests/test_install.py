"""`pip install .`: what is in the package is enough to run from any folder."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from nst.models import VARIANTS
from tests.helpers import ROOT, random_picture, run_python

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as pip installs it, built from a copy, which building litters."""
    pytest.importorskip("setuptools", "77")
    copy, wheels, site = (tmp_path_factory.mktemp(name) for name in ("copy", "wheels", "site"))
    left_out = shutil.ignore_patterns("__pycache__", "*.pyi")
    for name in ("nst", "assets", "checkpoints"):
        shutil.copytree(ROOT / name, copy / name, ignore=left_out)
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-w", wheels)
    built = run_python("-m", "pip", "wheel", ".", *options, folder=copy)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(wheels.glob("nst-*.whl"))) as wheel:
        wheel.extractall(site)
    return site


def test_every_module_is_in_the_package(installed: Path) -> None:
    modules = {path.relative_to(ROOT) for path in (ROOT / "nst").rglob("*.py")}
    assert modules == {
        path.relative_to(installed)
        for path in (installed / "nst").rglob("*.py")
        if path.parent.name != "assets"
    }


def test_what_running_needs_is_in_the_package_and_no_more(installed: Path) -> None:
    package = installed / "nst"
    needed = {Path(f"{name}.png") for name in ("lamps", "face", "circles", "pebbles")}
    needed.add(Path("preview.jpg"))
    for pattern in ("*.js", "*.css", "*.html"):
        needed |= {path.relative_to(ROOT / "assets") for path in (ROOT / "assets").rglob(pattern)}
    files = (path for path in (package / "assets").rglob("*.*") if path.suffix != ".py")
    assert {path.relative_to(package / "assets") for path in files} == needed
    weights = (package / "checkpoints").glob("*.safetensors")
    assert {path.stem for path in weights} == set(VARIANTS)


def test_dependencies_are_those_of_the_requirements(installed: Path) -> None:
    metadata = next(installed.glob("*.dist-info/METADATA")).read_text()
    needed = [line.split("#")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()]
    for line in filter(None, needed):
        name = line.split(">")[0]
        assert f"Requires-Dist: {name}" in metadata


def test_the_installed_program_makes_the_same_picture(installed: Path, tmp_path: Path) -> None:
    random_picture(150, 101).save(tmp_path / "photo.png")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    arguments = ("-m", "nst.stylize", tmp_path / "photo.png", "--variant", "all", "-o")
    for name, folder, path in (("there", elsewhere, installed), ("here", ROOT, ROOT)):
        done = run_python(
            *arguments, tmp_path / name, folder=folder, PYTHONPATH=str(path), PYTHONSAFEPATH="1"
        )
        assert done.returncode == 0, done.stderr
    for variant in VARIANTS:
        file = f"photo-{variant}.png"
        assert (tmp_path / "there" / file).read_bytes() == (tmp_path / "here" / file).read_bytes()
