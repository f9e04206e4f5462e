from __future__ import annotations

import re

from nst.web.page.latency_html import latency_html
from nst.web.page.session import Latency

PARAMETERS = {"baseline": 1_679_235, "v1": 381_315, "v3": 207_865, "ours": 100_000}


def test_bars_start_at_zero_and_are_as_long_as_their_numbers() -> None:
    times = {name: [10.0 * (4 - index)] * 3 for index, name in enumerate(PARAMETERS)}
    text = latency_html(PARAMETERS, {}, Latency(512, times, "a CPU"))
    widths = [float(width) for width in re.findall(r'here"><i style="width:([\d.]+)%', text)]
    assert widths == [100, 75, 50, 25]
    assert "1.33×" in text
    assert "Median of 3 interleaved repeats" in text
    assert "512×512 px. a CPU." in text
    assert 'class="bar paper"' not in text  # its times are those of 256×256


def test_a_network_that_the_paper_does_not_have_has_no_time_of_its() -> None:
    text = latency_html(PARAMETERS, {}, None)
    assert text.count('bar paper"><i style') == 3
    row = text[text.rindex('<th scope="row">ours</th>') :]
    assert re.findall(r"<td[^>]*>([^<]*)</td>", row) == ["100,000", "–", "–", "–"]
    times = {name: [10.0] * 3 for name in PARAMETERS}
    assert latency_html(PARAMETERS, {}, Latency(256, times, "")).count("–</td>") == 6
