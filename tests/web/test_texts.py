from __future__ import annotations

from pathlib import Path

from nst.models import VARIANTS
from nst.paths import CHECKPOINTS
from nst.web.page.texts import (
    FIGURES,
    NETWORKS,
    message,
    missing_figures,
    model_card,
    present_figures,
    trained,
)


def test_every_network_is_described() -> None:
    assert NETWORKS.keys() >= VARIANTS.keys()


def test_messages_are_escaped() -> None:
    assert "<b>" not in message("<b>", error=True)
    assert 'role="alert"' in message("no", error=True)


def test_what_has_not_been_drawn_is_named(tmp_path: Path) -> None:
    first, *others = FIGURES
    (tmp_path / first).write_bytes(b"")
    assert [path.name for path, *_ in present_figures(tmp_path)] == [first]
    assert all(name in missing_figures(tmp_path) for name in [*others, "claims.md"])
    for name in [*others, "claims.md"]:
        (tmp_path / name).write_bytes(b"")
    assert missing_figures(tmp_path) == ""


def test_how_long_they_were_trained_is_what_the_logs_say(tmp_path: Path) -> None:
    assert trained(tmp_path) == ""
    (tmp_path / "evaluation.csv").write_text("part,photo\ntest,0\n")
    (tmp_path / "v1.csv").write_text("step,epoch,total,seconds\n1,1,2,0.5\n1200,2,1,90.00\n")
    assert "<li>v1: 1,200 steps, 2 epochs, 2 minutes of its own steps</li>" in trained(tmp_path)
    assert "evaluation" not in trained(tmp_path)


def test_the_model_card_has_no_links_that_lead_nowhere_on_the_page(tmp_path: Path) -> None:
    assert "](../" not in model_card(CHECKPOINTS / "README.md")
    card = tmp_path / "README.md"
    card.write_text("---\na: b\n---\n# Slow\n\nIt grows\n([figure](../assets/x.png)). End.\n")
    assert model_card(card) == "## Slow\n\nIt grows. End.\n"
