from __future__ import annotations

from pathlib import Path

from nst.models import VARIANTS
from nst.paths import CHECKPOINTS
from nst.web.page.texts import NETWORKS, message, model_card


def test_every_network_is_described() -> None:
    assert NETWORKS.keys() >= VARIANTS.keys()


def test_messages_are_escaped_and_announced() -> None:
    assert "<b>" not in message("<b>")
    assert 'role="status"' in message("no")


def test_the_model_card_has_no_links_that_lead_nowhere_on_the_page(tmp_path: Path) -> None:
    assert "](../" not in model_card(CHECKPOINTS / "README.md")
    card = tmp_path / "README.md"
    card.write_text("---\na: b\n---\n# Slow\n\nIt grows\n([figure](../assets/x.png)). End.\n")
    assert model_card(card) == "## Slow\n\nIt grows. End.\n"
