"""This photo's times and the measured ones beside the paper's, as HTML: bars and a table."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from nst.inference.latency import speed_ups
from nst.paper import LATENCY_MS as PAPER_LATENCY_MS
from nst.paper import LATENCY_SIDE as PAPER_SIDE
from nst.web.page.session import Latency

NONE = "–"  # the paper has no time for our own network


def latency_html(
    parameters: Mapping[str, int], seconds: Mapping[str, float], measured: Latency | None
) -> str:
    """Bars, their table and a note about how it was measured.

    Args:
        parameters: how many each network has.
        seconds: of each that has run for this photo.
    """
    if measured:
        note = (
            f"Median of {measured.repeats} interleaved repeats after warm-up, with quartiles, "
            f"on a picture of {measured.side}×{measured.side} px. {measured.hardware}."
        )
    else:
        note = "Not measured yet; the bars are the paper's, on its own CPU."
    return (
        f"{_bars(list(parameters), measured)}{_table(parameters, seconds, measured)}"
        f'<p class="hint">{html.escape(note)}</p>'
    )


def _bars(names: Sequence[str], measured: Latency | None) -> str:
    """Horizontal bars from 0; the paper's beside them where the size is the paper's."""
    with_paper = measured is None or measured.side == PAPER_SIDE
    papers = PAPER_LATENCY_MS if with_paper else {}
    tops = [measured.quartiles(name)[2] for name in names] if measured else []
    tops += [papers[name] for name in names if name in papers]
    step = tick_step(max(tops))
    end = step * -(-max(tops) // step)  # the next tick

    def percent(value: float) -> str:
        return f"{100 * value / end:.2f}%"

    rows = []
    for name in names:
        bars = ""
        if measured:
            low, middle, high = measured.quartiles(name)
            bars += (
                f'<div class="bar here"><i style="width:{percent(middle)}"></i>'
                f'<b style="left:{percent(low)};width:{percent(high - low)}"></b>'
                f'<span style="left:{percent(max(middle, high))}">{middle:.1f} ms</span></div>'
            )
        if name in papers:
            value = papers[name]
            bars += (
                f'<div class="bar paper"><i style="width:{percent(value)}"></i>'
                f'<span style="left:{percent(value)}">{value:.1f} ms</span></div>'
            )
        bars = bars or f'<div class="bar"><span>{NONE}</span></div>'
        rows.append(f'<div class="name">{name}</div><div class="track">{bars}</div>')
    ticks = "".join(
        f'<span style="left:{percent(tick)}">{tick:g}</span>'
        for tick in (step * index for index in range(round(end / step) + 1))
    )
    legend = '<span class="bar here"><i></i></span> measured here ' if measured else ""
    legend += '<span class="bar paper"><i></i></span> the paper' if with_paper else ""
    # The table says the same in words.
    return (
        f'<div class="bars" aria-hidden="true"><p class="legend">{legend}</p>{"".join(rows)}'
        f'<div class="name">ms</div><div class="track axis">{ticks}</div></div>'
    )


def tick_step(longest: float) -> float:
    """A round distance of axis ticks that gives three to seven of them."""
    step = 1.0
    while longest / step > 6:
        for factor in (2, 5, 10):
            if longest / (step * factor) <= 6:
                return step * factor
        step *= 10
    return step


def _table(
    parameters: Mapping[str, int], seconds: Mapping[str, float], measured: Latency | None
) -> str:
    papers = speed_ups(PAPER_LATENCY_MS)
    heads = ["network", "parameters", "this photo, one run"]
    if measured:
        ours = speed_ups({name: measured.quartiles(name)[1] for name in parameters})
        heads += [f"here, {measured.side}×{measured.side}", "quartiles", "speed-up"]
    heads += [f"paper, {PAPER_SIDE}×{PAPER_SIDE}", "paper’s speed-up"]
    rows = ""
    for name, count in parameters.items():
        here = f"{1000 * seconds[name]:.0f} ms" if name in seconds else NONE
        cells = [f"{count:,}", here]
        if measured:
            low, median, high = measured.quartiles(name)
            cells += [f"{median:.1f} ms", f"{low:.1f}–{high:.1f} ms", f"{ours[name]:.2f}×"]
        if name in PAPER_LATENCY_MS:
            cells += [f"{PAPER_LATENCY_MS[name]:.2f} ms", f"{papers[name]:.2f}×"]
        else:
            cells += [NONE, NONE]
        values = "".join(
            f'<td data-head="{head}">{cell}</td>'
            for head, cell in zip(heads[1:], cells, strict=True)
        )
        rows += f'<tr><th scope="row">{name}</th>{values}</tr>'
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    return f'<table class="latency"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
