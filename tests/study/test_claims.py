"""The claims are judged by the numbers, whatever these are."""

from __future__ import annotations

import pandas as pd
import pytest

from nst.checkpoint import CheckpointError
from nst.models import VARIANTS
from nst.study.claims import claims, losses_table, read_evaluation, read_logs


def logs(rates: dict[str, float]) -> dict[str, pd.DataFrame]:
    """Made-up logs of 1,000 steps whose losses fall by a rate each step."""
    steps = pd.Series(range(1, 1001))
    return {
        name: pd.DataFrame({"step": steps, "content": rate**steps, "style": rate**steps})
        for name, rate in rates.items()
    }


def evaluation(**columns: dict[str, float]) -> pd.DataFrame:
    rows = []
    for part in ("test", "validation"):
        for photo in range(2):
            for name in VARIANTS:
                values = {"content": 1.0, "style": 0.4, "from_baseline": 0.5, "total": 2.0}
                values |= {"red_spots": 10.0, "grid_db": 6.0}
                values |= {column: by_name[name] for column, by_name in columns.items()}
                rows.append({"part": part, "photo": photo, "network": name, **values})
    return pd.DataFrame(rows)


def by_network(*values: float) -> dict[str, float]:
    return dict(zip(VARIANTS, values, strict=True))


def test_verdicts_follow_the_numbers() -> None:
    found = claims(
        logs(by_network(0.99, 0.995, 0.996, 0.997)),
        evaluation(total=by_network(2, 2.05, 1.95, 2), red_spots=by_network(1, 5, 6, 7)),
    )
    assert [claim.verdict for claim in found] == [
        "confirmed",
        "confirmed",
        "confirmed in loss",
        "confirmed",
    ]
    found = claims(
        logs(by_network(0.999, 0.998, 0.9995, 1.001)),
        evaluation(total=by_network(2, 3, 1.95, 3), red_spots=by_network(9, 5, 6, 7)),
    )
    assert [claim.verdict.partition(":")[0] for claim in found] == [
        "partly",
        "partly",
        "partly",
        "not confirmed",
    ]
    assert "v1 +50.0 %, v2 -2.5 %, v3 +50.0 %" in found[2].measured


def test_a_few_more_red_spots_than_the_photos_differ_by_are_not_more() -> None:
    table = evaluation(red_spots=by_network(10, 11, 11, 11))
    noisy = (table["network"] == "v2") & (table["photo"] == 1)
    table.loc[noisy, "red_spots"] = 15.0  # v2: +3 on average, but ± 2
    found = claims(logs(by_network(0.9, 0.9, 0.9, 0.9)), table)[-1]
    assert found.verdict == "partly: v1, v3"
    assert "v1 +1 ± 0, v2 +3 ± 2, v3 +1 ± 0" in found.measured


def test_means_and_deviations() -> None:
    table = evaluation()
    table.loc[(table["part"] == "test") & (table["photo"] == 1), "total"] = 4.0
    row = next(line for line in losses_table(table).splitlines() if line.startswith("| v2"))
    assert row == "| v2 | 1.000 | 0.400 | 2.000 | 1.000 ± 0.000 | 0.400 ± 0.000 | 3.000 ± 1.414 |"


def test_missing_files_are_named(tmp_path: object) -> None:
    with pytest.raises(CheckpointError, match=r"baseline\.csv"):
        read_logs(tmp_path)
    with pytest.raises(CheckpointError, match=r"evaluation\.csv: missing"):
        read_evaluation(tmp_path)
