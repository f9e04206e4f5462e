"""What the server does for visitors whose own device stylizes: it reads the photo."""

from __future__ import annotations

from nst.web.page.session import DEVICE
from tests.web.made import NETWORKS, Made, asking, pictures, stylize


def test_the_photo_is_read_and_no_network_runs(made: Made) -> None:
    visitor = made.visitor()
    *_, last = made.handlers.read(
        asking(made, strength=50), visitor
    )  # of PyTorch, says the request
    assert made.network.runs == 0
    assert pictures(last) == [True] + [False] * len(NETWORKS)
    assert last.view.on_device.model_dump() == {
        "strength": 0.5,
        "keep_colours": False,
        "ending": "-50",
        "begins": True,
    }
    assert "This device" in last.view.caption


def test_another_mix_is_only_told(made: Made) -> None:
    visitor = made.visitor()
    list(made.handlers.read(asking(made), visitor))
    request = asking(made, engine=DEVICE, strength=80, keep_colours=True)
    view = made.handlers.mix(request, visitor).view
    assert made.network.runs == 0
    assert view.report.words == "Shown at 80 % strength, in the photo’s colours."
    assert (view.on_device.ending, view.on_device.begins) == ("-80-keep-colours", False)


def test_the_server_goes_on(made: Made) -> None:
    visitor = made.visitor()
    list(made.handlers.read(asking(made), visitor))
    reading, *_, last = stylize(made, visitor, 2)
    assert reading.view.on_device  # of the photo before
    assert not reading.view.on_device.begins
    assert last.view.on_device is None
    assert all(pictures(last))


def test_the_server_is_measured_with_an_engine_of_its_own(made: Made) -> None:
    *_, last = made.handlers.measure(32, asking(made, engine=DEVICE))
    assert made.network.runs
    assert "32×32" in last.table
