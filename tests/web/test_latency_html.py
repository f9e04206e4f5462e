from __future__ import annotations

import re

from nst.inference.latency import Latency
from nst.web.page.latency_html import latency_html

PARAMETERS = {"baseline": 1_679_235, "v1": 381_315, "v3": 207_865, "ours": 100_000}


def test_bars_start_at_zero_and_are_as_long_as_their_numbers() -> None:
    times = {name: [10.0 * (4 - index)] * 3 for index, name in enumerate(PARAMETERS)}
    text = latency_html(PARAMETERS, Latency(512, times, "a CPU"))
    widths = [float(width) for width in re.findall(r'here"><i style="width:([\d.]+)%', text)]
    assert widths == [100, 75, 50, 25]
    assert "1.33×" in text
    assert "Median of 3 interleaved repeats" in text
    assert "512×512 px. a CPU." in text
    assert "paper" not in text  # its times are those of 256×256
    assert "≈" not in text


def test_a_network_that_the_paper_does_not_have_has_no_time_of_its() -> None:
    text = latency_html(PARAMETERS, None)
    assert text.count('bar paper"><i style') == 3
    row = text[text.rindex('<th scope="row">ours</th>') :]
    assert re.findall(r"<td[^>]*>([^<]*)</td>", row) == ["100,000", "–", "–"]
    times = {name: [10.0] * 3 for name in PARAMETERS}
    assert latency_html(PARAMETERS, Latency(256, times, "")).count("–</td>") == 2


def test_a_busy_machine_is_said_beside_the_speed_ups() -> None:
    times = {name: [10.0, 10.0, 12.5, 10.0, 10.0] for name in PARAMETERS}
    assert "busy" not in latency_html(PARAMETERS, Latency(256, times, ""))  # a single one is not
    times["v3"] = [8.0, 8.0, 10.0, 11.0, 12.0]
    text = latency_html(PARAMETERS, Latency(256, times, ""))
    assert re.findall(r"<td[^>]*>(≈?)[^<]*×</td>", text)[::2] == ["", "", "≈", ""]
    assert "≈: the machine was busy" in text
    times["baseline"] = times.pop("v3")
    times["v3"] = times["v1"]
    text = latency_html(PARAMETERS, Latency(256, times, ""))
    assert re.findall(r"<td[^>]*>(≈?)[^<]*×</td>", text).count("≈") == len(PARAMETERS)
