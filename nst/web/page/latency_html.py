"""The measured times beside the paper's, as HTML: bars and a table."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence

from nst.inference.latency import Latency, speed_ups
from nst.paper import LATENCY_MS as PAPER_LATENCY_MS
from nst.paper import LATENCY_SIDE as PAPER_SIDE

NONE = "–"  # the paper has no time for our own network
BUSY = "≈: the machine was busy; quartiles lie more than a quarter of the median apart."


def latency_html(parameters: Mapping[str, int], measured: Latency | None) -> str:
    """Bars, their table and a note about how it was measured.

    Args:
        parameters: how many each network has.
    """
    busy = ""
    if measured:
        if any(measured.is_rough(name) for name in parameters):
            busy = f'<p class="hint">{BUSY}</p>'
        note = (
            f"Median of {measured.repeats} interleaved repeats after warm-up, with quartiles, "
            f"on a picture of {measured.side}×{measured.side} px. {measured.hardware}."
        )
    else:
        note = "Not measured yet; the bars are the paper's, on its own CPU."
    return (
        f"{_bars(list(parameters), measured)}{_table(parameters, measured)}"
        f'{busy}<p class="hint">{html.escape(note)}</p>'
    )


def _bars(names: Sequence[str], measured: Latency | None) -> str:
    """Horizontal bars from 0; the paper's beside them where the size is the paper's."""
    papers = _papers(measured)
    quartiles = {name: measured.quartiles(name) for name in names} if measured else {}
    ends = [high for _, _, high in quartiles.values()]
    longest = max([*ends, *(papers[name] for name in names if name in papers)])

    def percent(value: float) -> str:
        return f"{100 * value / longest:.2f}%"

    def bar(kind: str, value: float, spread: str = "", end: float = 0) -> str:
        return (
            f'<div class="bar {kind}"><i style="width:{percent(value)}"></i>{spread}'
            f'<span style="left:{percent(max(value, end))}">{value:.1f} ms</span></div>'
        )

    rows = ""
    for name in names:
        bars = ""
        if name in quartiles:
            low, middle, high = quartiles[name]
            spread = f'<b style="left:{percent(low)};width:{percent(high - low)}"></b>'
            bars += bar("here", middle, spread, high)
        if name in papers:
            bars += bar("paper", papers[name])
        bars = bars or f'<div class="bar"><span>{NONE}</span></div>'
        rows += f'<div class="name">{name}</div><div class="track">{bars}</div>'
    legend = '<span class="bar here"><i></i></span> the server ' if measured else ""
    legend += '<span class="bar paper"><i></i></span> the paper' if papers else ""
    known = ""
    if measured:  # for assets/latency/
        medians = {name: middle for name, (_, middle, _) in quartiles.items()}
        text = json.dumps({"side": measured.side, "medians": medians})
        known = f' data-measured="{html.escape(text)}"'
    # The table says the same in words.
    return f'<div class="bars" aria-hidden="true"{known}><p class="legend">{legend}</p>{rows}</div>'


def _papers(measured: Latency | None) -> Mapping[str, float]:
    """The paper's times, which stand beside those of a picture as large alone."""
    return PAPER_LATENCY_MS if measured is None or measured.side == PAPER_SIDE else {}


def _table(parameters: Mapping[str, int], measured: Latency | None) -> str:
    papers = _papers(measured)
    heads = ["network", "parameters"]
    if measured:
        heads += [f"here, {measured.side}×{measured.side}", "quartiles", "speed-up"]
    if papers:
        heads += [f"paper, {PAPER_SIDE}×{PAPER_SIDE}", "paper’s speed-up"]
    rows = ""
    for name, count in parameters.items():
        cells = [f"{count:,}"]
        if measured:
            low, median, high = measured.quartiles(name)
            cells += [f"{median:.1f} ms", f"{low:.1f}–{high:.1f} ms", _speed_up(measured, name)]
        if name in papers:
            cells += [f"{papers[name]:.2f} ms", f"{speed_ups(papers)[name]:.2f}×"]
        elif papers:
            cells += [NONE, NONE]
        values = "".join(
            f'<td data-head="{head}">{cell}</td>'
            for head, cell in zip(heads[1:], cells, strict=True)
        )
        rows += f'<tr><th scope="row">{name}</th>{values}</tr>'
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    return f'<table class="latency"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _speed_up(measured: Latency, name: str) -> str:
    medians = {each: measured.quartiles(each)[1] for each in ("baseline", name)}
    rough = any(measured.is_rough(each) for each in medians)
    return f"{'≈ ' if rough else ''}{speed_ups(medians)[name]:.2f}×"
