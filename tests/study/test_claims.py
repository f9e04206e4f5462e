"""The claims are judged by the numbers, whatever these are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nst.models import VARIANTS
from nst.paths import ASSETS
from nst.study.claims import (
    Claim,
    Interval,
    SeedSpread,
    claims_markdown,
    judge,
    losses_markdown,
    main,
    seed_spread,
)
from nst.study.common import read_logs

OURS = "v4"
SPREAD = SeedSpread(loss=0.01, array_share=0.005, lattice_db=1.0)


def logs(rates: dict[str, float]) -> dict[str, pd.DataFrame]:
    """Made-up logs of 1,000 steps whose losses fall by a rate each step."""
    steps = pd.Series(range(1, 1001))
    return {
        name: pd.DataFrame(
            {"step": steps, "epoch": (steps + 99) // 100}
            | dict.fromkeys(("content", "style"), rate**steps)
        )
        for name, rate in rates.items()
    }


def evaluation(**columns: dict[str, float]) -> pd.DataFrame:
    rows = []
    for part in ("test", "validation"):
        for photo in range(2):
            for name in VARIANTS:
                values = {"content": 1.0, "style": 0.4, "from_baseline": 0.5, "total": 2.0}
                values |= {"lattice_db": 6.0, "array_share": 0.1, "array_contrast": 40.0}
                values |= {column: by_name[name] for column, by_name in columns.items()}
                rows.append({"part": part, "photo": photo, "network": name, **values})
    return pd.DataFrame(rows)


def measured(claim: Claim, network: str) -> list[str]:
    """What was measured of a network, in the table's order."""
    return [values.get(network, "–") for values in claim.measured.values()]


def by_network(*values: float) -> dict[str, float]:
    return dict(zip(VARIANTS, values, strict=True))


ALIKE = by_network(0.9, 0.9, 0.9, 0.9, 0.9)  # rates


def test_verdicts_follow_the_numbers_of_the_papers_networks() -> None:
    found = judge(
        logs(by_network(0.99, 0.995, 0.996, 0.997, 1.1)),
        evaluation(
            total=by_network(2, 2.05, 1.95, 2, 9),
            array_share=by_network(0.04, 0.5, 0.6, 0.7, 0),
            from_baseline=by_network(0, 0.2, 0.2, 0.2, 0.5),
        ),
        style_weight=4,
        spread=SPREAD,
    )
    assert [claim.verdict for claim in found] == [
        "confirmed",
        "confirmed (one seed)",
        "confirmed",
        "confirmed",
    ]
    assert measured(found[2], OURS) == ["+350.0 ± 0.0 %", "0.50 ± 0.00"]
    assert measured(found[3], OURS) == ["0 ± 0", "-4 ± 0", "–", "6.0 ± 0.0"]
    found = judge(
        logs(by_network(0.999, 0.998, 0.9995, 1.001, 0.9)),
        evaluation(
            total=by_network(2, 3, 1.95, 3, 2),
            array_share=by_network(0.9, 0.5, 0.6, 0.7, 1),
            from_baseline=by_network(0, 0.2, 0.2, 0.2, 0.5),
        ),
        style_weight=4,
        spread=SPREAD,
    )
    assert [claim.verdict for claim in found] == [
        "partly: v3 with ups and downs",
        "partly: v2, v3 (one seed)",
        "partly: v2",
        "not confirmed; the baseline has some too",
    ]
    differences = [measured(found[2], name)[0] for name in VARIANTS]
    assert differences[:4] == ["–", "+50.0 ± 0.0 %", "-2.5 ± 0.0 %", "+50.0 ± 0.0 %"]


@pytest.mark.parametrize(
    ("interval", "above", "within"),
    [
        (Interval(7, 1), True, False),
        (Interval(-7, 1), False, False),
        (Interval(5.5, 1), None, None),
        (Interval(3, 1), False, True),
        (Interval(0, 6), None, None),
        (Interval(3, 1).wider(2), None, None),
        (Interval(3, float("nan")), None, None),
    ],
)
def test_what_lies_on_both_sides_of_a_bound_is_undecided(
    interval: Interval, above: bool | None, within: bool | None
) -> None:
    assert interval.is_above(5) is above
    assert interval.is_within(5) is within


def test_the_style_weighs_what_it_weighed_in_training() -> None:
    made_up = logs(by_network(0.999, 0.999, 0.999, 0.999, 0.999))
    for log in made_up.values():
        log["content"], log["style"] = 1.0, 0.5
    for weight, total in ((2, "2.00"), (4, "3.00")):
        found = judge(made_up, evaluation(), weight, SPREAD)
        assert f"content + {weight} × style, first and last epoch" in found[0].measured
        assert measured(found[0], "v3") == [f"{total} → {total}", "0"]
        assert measured(found[1], "baseline") == [total, "–"]
        assert measured(found[1], OURS) == [total, "+0.00 ± 0.00"]


def test_a_few_more_red_spots_than_the_photos_differ_by_are_not_more() -> None:
    table = evaluation(array_share=by_network(0.1, 0.11, 0.11, 0.11, 0))
    noisy = (table["network"] == "v2") & (table["photo"] == 1)
    table.loc[noisy, "array_share"] = 0.15  # v2: +3 % on average, but ± 2
    found = judge(logs(ALIKE), table, 4, SPREAD)[-1]
    assert found.verdict == "partly: v1, v3; undecided: v2; the baseline has some too"
    differences = [measured(found, name)[1] for name in ("v1", "v2", "v3")]
    assert differences == ["+1 ± 0", "+3 ± 4", "+1 ± 0"]


def test_spots_in_the_baseline_too_do_not_confirm_that_it_has_none() -> None:
    table = evaluation(array_share=by_network(0.3, 0.5, 0.6, 0.7, 0))
    found = judge(logs(ALIKE), table, 4, SPREAD)[-1]
    assert found.verdict == "partly; the baseline has some too"


def test_what_a_second_seed_may_change_is_undecided() -> None:
    table = evaluation(
        array_share=by_network(0.01, 0.1, 0.3, 0.3, 0),
        total=by_network(2, 2.3, 2.02, 2.1, 2),
        from_baseline=by_network(0, 0.2, 0.2, 0.2, 0.2),
    )
    spread = SeedSpread(loss=0.03, array_share=0.2, lattice_db=1.0)
    *_, same, spots = judge(logs(ALIKE), table, 4, spread)
    assert spots.verdict == "partly: v2, v3; undecided: v1"
    assert same.verdict == "partly: v2; undecided: v3"
    runs = {"v1": (1.0, 0.5, 0.3, 9.0), "v1-seed1": (0.8, 0.5, 0.4, 6.0), "v2": (9.0, 0, 0, 0)}
    columns = ["content", "style", "array_share", "lattice_db"]
    found = seed_spread(pd.DataFrame.from_dict(runs, orient="index", columns=columns), 2)
    assert found == pytest.approx((0.1, 0.1, 3.0))


def test_photos_without_yellow_do_not_count_for_red_spots() -> None:
    table = evaluation(array_share=by_network(0.1, 0.2, 0.2, 0.2, 0))
    table.loc[(table["network"] == "baseline") & (table["photo"] == 0), "array_share"] = None
    table.loc[(table["network"] == "v1") & (table["photo"] == 0), "array_share"] = 0.9
    found = judge(logs(ALIKE), table, 4, SPREAD)[-1]
    assert measured(found, "baseline") == ["10 ± nan", "–", "40", "6.0 ± 0.0"]
    # One photo is left of v1 that the baseline has too, which has no error.
    assert measured(found, "v1") == ["55 ± 49", "+10 ± nan", "40", "6.0 ± 0.0"]
    assert measured(found, OURS) == ["0 ± 0", "-10 ± nan", "–", "6.0 ± 0.0"]


def test_a_claim_stands_beside_the_first_of_its_lines() -> None:
    one = Claim(
        "It works", "partly", {"losses": {"baseline": "1", "v1": "2"}, "spots": {"v1": "3"}}
    )
    assert claims_markdown([one]).splitlines()[2:] == [
        "| It works | losses | 1 | 2 | – | – | – | partly |",
        "|  | spots | – | 3 | – | – | – |  |",
    ]


def test_means_and_deviations() -> None:
    table = evaluation()
    table.loc[(table["part"] == "test") & (table["photo"] == 1), "total"] = 4.0
    row = next(line for line in losses_markdown(table).splitlines() if line.startswith("| v2"))
    assert row == "| v2 | 1.000 | 0.400 | 2.000 | 1.000 ± 0.000 | 0.400 ± 0.000 | 3.000 ± 1.414 |"


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"baseline\.csv"):
        read_logs(tmp_path)


def test_the_command_writes_what_is_published(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "claims.md").read_bytes() == (ASSETS / "claims.md").read_bytes()
