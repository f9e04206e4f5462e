"""Arrows go down only: who may import whom, and what the page may load when it starts."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers import ROOT, run_python

COMMANDS = {"nst.stylize", "nst.export", "nst.jobs", "nst.video"}
PAPER = {"nst.models", "nst.loss", "nst.vgg", "nst.paper"}
# What each floor may use; "nst" are the modules that lie directly in the package.
BELOW = {"nst", "nst.pictures", "nst.inference"}
MAY_USE = {
    "nst": {"nst"},
    "nst.pictures": {"nst", "nst.pictures"},
    "nst.artifacts": {"nst", "nst.pictures", "nst.artifacts"},
    "nst.inference": BELOW,
    "nst.training": {"nst", "nst.pictures", "nst.training"},
    "nst.benchmark": {*BELOW, "commands", "nst.benchmark"},
    "nst.study": {*BELOW, "nst.artifacts", "nst.training", "nst.benchmark", "nst.study"},
    "commands": {*BELOW, "commands"},
    "nst.web": {"nst"},
    "nst.web.server": {*BELOW, "nst.web.server"},
    "nst.web.live": {*BELOW, "nst.web.server", "nst.web.live"},
    "nst.web.page": {*BELOW, "nst.artifacts", "nst.web.server", "nst.web.live", "nst.web.page"},
    "nst.web.painting": {*BELOW, "nst.web.server", "nst.web.page", "nst.web.painting"},
    "app": {*BELOW, "nst.web.server", "nst.web.live", "nst.web.page", "nst.web.painting"},
    "train": {"nst", "nst.training"},
}
PAGE_ONLY = {"gradio", "gradio_client", "spaces"}
NOT_AT_START = {"torchvision", "matplotlib", "pandas"}  # each takes a second or more


class Import(NamedTuple):
    module: str  # "torch.nn", or one of ours: "nst.models"
    at_start: bool  # in the module's body, so that it happens whenever the importer is imported


def modules() -> dict[str, Path]:
    """Our modules by their dotted name."""
    found = {"app": ROOT / "app.py", "train": ROOT / "train.py"}
    for path in (ROOT / "nst").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(name: str) -> list[Import]:
    """What a module imports, wherever in its text; for type checkers only, too."""
    return list(_imports(ast.parse(MODULES[name].read_text(encoding="utf-8")), at_start=True))


def _imports(node: ast.AST, at_start: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import():
                yield from (Import(alias.name, at_start) for alias in child.names)
            case ast.ImportFrom():
                assert child.level == 0, "imports are absolute"
                assert child.module is not None
                for alias in child.names:
                    inside = f"{child.module}.{alias.name}"
                    yield Import(inside if inside in MODULES else child.module, at_start)
            case ast.If(
                test=ast.Name(id="TYPE_CHECKING") | ast.Compare(left=ast.Name(id="__name__"))
            ):  # for type checkers; of a command
                yield from _imports(child, at_start=False)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _imports(child, at_start=False)
            case _:
                yield from _imports(child, at_start)


def floor(name: str) -> str:
    if name in COMMANDS:
        return "commands"
    if name in MAY_USE:
        return name
    return name.rpartition(".")[0]


def ours(name: str, *, only_at_start: bool = False) -> set[str]:
    """Our modules that a module imports."""
    found = {one.module for one in imports(name) if one.at_start or not only_at_start}
    return {module for module in found if module in MODULES}


def loaded_with(name: str) -> set[str]:
    """The module and all of ours that are imported with it."""
    loaded, waiting = set(), {name}
    while waiting:
        module = waiting.pop()
        parents = {module.rpartition(".")[0]} & MODULES.keys()
        loaded.add(module)
        waiting |= (ours(module, only_at_start=True) | parents) - loaded
    return loaded


@pytest.mark.parametrize("name", sorted(MODULES))
def test_arrows_go_down(name: str) -> None:
    for module in ours(name):
        assert floor(module) in MAY_USE[floor(name)], f"{name} imports {module}"


def test_studies_are_leaves() -> None:
    for name in MODULES:
        if floor(name) == "nst.study":
            assert {one for one in ours(name) if floor(one) == "nst.study"} <= {"nst.study.common"}


def test_the_paper_stands_alone() -> None:
    for name in PAPER:
        assert ours(name) <= PAPER | {"nst.files"}  # which knows no pictures either


def test_there_is_no_circle() -> None:
    """Imports inside of functions and for type checkers count too: none gets around a circle."""
    order = list(TopologicalSorter({name: ours(name) for name in MODULES}).static_order())
    assert set(order) == set(MODULES)


def test_gradio_belongs_to_the_page() -> None:
    for name in MODULES:
        for module, at_start in imports(name):
            if module.partition(".")[0] in PAGE_ONLY and not floor(name).startswith(
                ("nst.web", "app")
            ):
                assert not at_start, f"{name} imports {module}"


def test_reading_needs_neither_pytorch_nor_numpy() -> None:
    """`nst.web.server.upload_decoding` starts one for each upload, which has to be up at once."""
    foreign = {one.module for name in loaded_with("nst.pictures.reading") for one in imports(name)}
    assert {"torch", "numpy"}.isdisjoint(module.partition(".")[0] for module in foreign)


def test_what_our_modules_load_when_the_page_starts() -> None:
    """Gradio imports pandas by itself; we do not, so that it can stop."""
    for name in loaded_with("app"):
        for module, at_start in imports(name):
            assert not (at_start and module.partition(".")[0] in NOT_AT_START), f"{name}: {module}"


@pytest.mark.slow
def test_what_the_page_loads_when_it_starts() -> None:
    modules_after = "loaded.append(list(sys.modules))"
    program = f"""
import json, sys
loaded = []
import gradio; {modules_after}
import app; {modules_after}
print(json.dumps(loaded))
"""
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    with_gradio, with_the_page = map(set, json.loads(done.stdout))
    assert with_the_page.isdisjoint({"torchvision", "matplotlib"})
    assert with_the_page.isdisjoint(NOT_AT_START - with_gradio)
    assert {name for name in with_the_page if name.partition(".")[0] == "nst"} == (
        loaded_with("app") - {"app"}
    )


def test_the_walk_sees_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the tests above could not fail."""
    (tmp_path / "x.py").write_text(
        "from nst import paper\n"
        "try:\n    import pandas.core\nexcept ImportError:\n    pass\n"
        "if TYPE_CHECKING:\n    import openvino\n"
        "class A:\n    def f(self):\n        from nst.web.page import message\n"
    )
    monkeypatch.setitem(MODULES, "x", tmp_path / "x.py")
    assert imports("x") == [
        Import("nst.paper", True),
        Import("pandas.core", True),
        Import("openvino", False),
        Import("nst.web.page", False),
    ]
