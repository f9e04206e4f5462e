"""The recipe, its networks' own settings, and the command line that is made of it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from nst import paper
from nst.loss import LossSettings
from nst.models import VARIANTS
from nst.training.settings import (
    Options,
    Settings,
    noted_loss_settings,
    parse_arguments,
    settings_for,
)


def test_the_recipe() -> None:
    recipe = settings_for("baseline", {})
    assert (recipe.photo_side, recipe.loss_window, recipe.batch_size) == (256, 0, paper.BATCH_SIZE)
    assert (recipe.learning_rate, recipe.validate_every, recipe.validation_photos) == (1e-3, 0, 0)
    assert (recipe.loss.content_weight, recipe.loss.style_weight, recipe.seed) == (1, 4, 0)
    assert Options(variant=("all",)).snapshot_step == 800


def test_only_v4_minimises_the_lattice_term() -> None:
    options, given = parse_arguments("", ["--variant", "all"])
    recipes = {name: settings_for(name, given) for name in options.networks}
    assert list(recipes) == list(VARIANTS)
    weights = {name: recipe.loss.lattice_weight for name, recipe in recipes.items()}
    assert weights == {"baseline": 0, "v1": 0, "v2": 0, "v3": 0, "v4": 200}
    assert settings_for("v4-nolattice", given).loss.lattice_weight == 0
    _, given = parse_arguments("", ["--variant", "all", "--lattice-weight", "7"])
    assert {settings_for(name, given).loss.lattice_weight for name in recipes} == {7}


def test_every_field_is_a_flag_with_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments("", ["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for kind in (Options, Settings, LossSettings):
        for each in fields(kind):
            if each.name != "loss":
                assert f"--{each.name.replace('_', '-')}" in shown
                assert each.metadata["help"] in shown


def test_flags_are_read_by_their_types() -> None:
    line = "--variant v1 v3 --photos a b --no-compile --steps 5 --style-layers relu1_2 relu2_2/2"
    options, given = parse_arguments("", [*line.split(), "--learning-rate", "0.1"])
    assert options.networks == ("v1", "v3")
    assert [str(path) for path in options.photos] == ["a", "b"]
    assert (options.compile, options.steps, options.resume) == (False, 5, False)
    settings = settings_for("v1", given)
    assert settings.learning_rate == 0.1
    assert settings.loss.style_layers == ("relu1_2", "relu2_2/2")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--batch-size 0", "argument --batch-size: 0 is not at least 1"),
        ("--batch-size -1", "argument --batch-size: -1 is not at least 1"),
        ("--steps 0", "argument --steps: 0 is not at least 1"),
        ("--threads 0", "argument --threads: 0 is not at least 1"),
        ("--photo-side 8", "argument --photo-side: 8 is not at least 32"),
        ("--validate-every -1", "argument --validate-every: -1 is not at least 0"),
        ("--learning-rate nan", "argument --learning-rate: nan is not at least 0"),
        ("--style-weight inf", "argument --style-weight: inf is not a finite number"),
        ("--seed x", "argument --seed: invalid whole number value: 'x'"),
        ("--precision fp16", "argument --precision: invalid choice: 'fp16'"),
        ("--learning-rat 1", "unrecognized arguments: --learning-rat 1"),
    ],
)
def test_values_out_of_range_are_one_sentence(
    line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments("", ["--variant", "v3", *line.split()])
    usage, error = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: train.py --variant NAME")
    assert message in error


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--variant v9", "--variant v9: choose from all, baseline, v1"),
        ("--variant v3 v3", "names a network twice"),
        ("--variant v3 --epochs 1 --steps 5", "--epochs and --steps exclude each other"),
    ],
)
def test_what_does_not_go_together_is_refused(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_arguments("", line.split())


def test_settings_of_the_loss_are_read_from_a_checkpoint() -> None:
    training = {
        "seed": 0,
        "loss.style_weight": 2.0,
        "loss.style_layers": ["relu1_2"],
    }
    assert noted_loss_settings(training) == LossSettings(
        style_weight=2.0, style_layers=("relu1_2",)
    )
