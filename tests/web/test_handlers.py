"""What the page does, without a server and without the real networks."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import pandas as pd
import pytest
from gradio.data_classes import FileData
from gradio.utils import diff
from gradio_client.utils import apply_diff
from PIL import ExifTags, Image

from nst.inference.blend import blend
from nst.models import VARIANTS
from nst.pictures.colours import on_white
from nst.pictures.examples import FIRST_SIDE
from nst.pictures.reading import END_MISSING
from nst.web.page.cost import TABLE, seconds_per_megapixel
from nst.web.page.handlers import bounded
from nst.web.page.session import ORIGINAL, SessionExpiredError, open_png
from nst.web.page.stylizer import MAX_SIDE, MEASURE_REPEATS
from nst.web.page.texts import MEASURED_FULL
from tests.helpers import encoded, random_picture
from tests.web.made import (
    NAMES,
    NETWORKS,
    Made,
    asking,
    negative,
    photo,
    pictures,
    pixels,
    stylize,
)


def test_a_visitor_sees_the_first_example(made: Made) -> None:
    view = made.handlers.first_view()
    assert view.names == list(view.panes) == NAMES
    assert all(view.panes[name].picture and view.panes[name].time for name in NETWORKS)
    assert view.photo == "first"
    assert made.stylizer.store.kept >= set(made.visitor().shown.results.files.values())


def test_a_run_shows_one_picture_after_the_other(made: Made) -> None:
    visitor = made.visitor()
    updates = stylize(made, visitor)
    assert [pictures(update) for update in updates[1:]] == [
        [index <= done for index in range(len(NAMES))] for done in range(len(NAMES))
    ]
    reports = [update.view.report for update in updates]
    assert [report.done for report in reports[1:-1]] == list(range(len(VARIANTS)))
    assert {report.total for report in reports[:-1]} == {len(VARIANTS)}
    assert reports[-1].total == 0
    assert reports[-1].words.startswith("Done")
    assert made.network.runs == len(VARIANTS)
    expected = dict.fromkeys(VARIANTS, negative(photo()).tobytes())
    assert pixels(visitor) == {ORIGINAL: photo().tobytes(), **expected}


def test_the_time_that_is_left_is_told(made: Made) -> None:
    rates = {("eager", name): 1.0 for name in VARIANTS}
    made.stylizer._seconds_per_pixel.update(rates)
    started = [update.view.report.seconds_left for update in stylize(made, made.visitor())]
    assert started[1] == pytest.approx(len(VARIANTS) * 64 * 50)
    assert started[2] == pytest.approx((len(VARIANTS) - 1) * 64 * 50)
    assert started[-1] == 0


def test_networks_are_run_in_the_order_of_the_page(made: Made) -> None:
    updates = stylize(made, made.visitor(), networks=["v3", "v1"])
    assert updates[-1].view.names == [ORIGINAL, "v1", "v3"]


def test_what_is_there_is_not_stylized_again(made: Made) -> None:
    visitor = made.visitor()
    stylize(made, visitor, 1, networks=["v3", "v1"])
    (update,) = stylize(made, visitor, 2, networks=["v1"])
    assert pictures(update) == [True, True]
    stylize(made, visitor, 3, networks=["v1", "v2", "v3"])
    assert made.network.runs == 3
    stylize(made, visitor, 4, networks=["v1"], anew=True)
    assert made.network.runs == 4
    stylize(made, visitor, 5, networks=["v1"], engine="openvino")
    stylize(made, visitor, 6, networks=["v1"], engine="openvino", side=32)
    assert made.network.runs == 6
    assert visitor.shown.results.photo.size == (32, 25)


def test_a_reload_shows_what_is_there(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    stylize(made, made.visitor(), networks=["v1", "v4"])
    again = made.visitor()
    (update,) = stylize(made, again, networks=["v4"], strength=40)
    assert pictures(update) == [True, True]
    assert pixels(again)["v4"] == blend(photo(), negative(photo()), 0.4).tobytes()
    stylize(made, made.visitor(), networks=["v1"], anew=True)  # which forgets nothing of v4
    stylize(made, made.visitor(), networks=["v1", "v4"])
    assert made.network.runs == 3
    monkeypatch.setattr("nst.web.page.stylizer.MAX_MADE", 1)
    stylize(made, made.visitor(), networks=["v1"], side=32)
    stylize(made, made.visitor(), networks=["v1"])
    assert made.network.runs == 5


def test_prepared_examples_are_shown_at_once(made: Made) -> None:
    made.stylizer.prepare()
    made.network.runs = 0
    visitor = made.visitor()
    asked = {"photo": None, "example": "other", "engine": "openvino", "side": FIRST_SIDE}
    (update,) = stylize(made, visitor, 1, **asked, strength=40)
    assert pictures(update) == [True] * len(NAMES)
    assert made.network.runs == 0
    example = random_picture(48, 36, seed=11)
    assert pixels(visitor)["v3"] == blend(example, negative(example), 0.4).tobytes()
    for path in visitor.shown.results.files.values():
        assert path in made.stylizer.store.kept
    stylize(made, visitor, 2, **asked | {"side": 32})
    assert made.network.runs == len(VARIANTS)
    stylize(made, made.visitor(), 1, **asked, networks=["v1"])
    assert made.network.runs == len(VARIANTS)


@pytest.mark.parametrize("missing", [{"photo": None}, {"networks": []}])
def test_without_a_photo_or_networks_what_is_shown_stays(made: Made, missing: dict) -> None:
    visitor = made.visitor()
    (update,) = stylize(made, visitor, **missing)
    assert update.view.report.error
    assert pictures(update) == [True] * len(NAMES)
    assert made.network.runs == 0


def test_a_bad_file_leaves_the_pictures_before(made: Made, tmp_path: Path) -> None:
    visitor = made.visitor()
    (tmp_path / "bad.png").write_bytes(b"<html>")
    for number, name in enumerate(("bad.png", "gone.png")):
        sent = FileData(path=str(tmp_path / name), orig_name=name)
        updates = stylize(made, visitor, number + 1, photo=sent)
        assert all(pictures(update) == [True] * len(NAMES) for update in updates)
        report = updates[-1].view.report
        assert report.error
        assert str(tmp_path) not in report.words
        assert (visitor.shown.results.photo.title, visitor.runs.pending) == ("first.png", False)


def test_what_there_is_to_say_about_a_file_is_said(made: Made) -> None:
    Path(made.photo.path).write_bytes(encoded(photo(), "JPEG")[:-2])
    words = stylize(made, made.visitor())[-1].view.report.words
    assert words.startswith("Done: 5 pictures in ")
    assert words.endswith(END_MISSING)


def test_what_is_downloaded_is_transparent_and_says_how_it_was_made(made: Made) -> None:
    clear, exif = photo(), Image.Exif()
    clear.putalpha(clear.getchannel("R"))
    exif[ExifTags.Base.Artist] = "somebody"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
    clear.save(made.photo.path, "PNG", exif=exif.tobytes(), dpi=(300, 300))
    visitor = made.visitor()
    stylize(made, visitor)
    full = dict(visitor.shown.files)
    made.handlers.mix(asking(made, strength=40), visitor)
    for name, path in [*full.items(), *visitor.shown.files.items()]:
        picture = Image.open(path)
        assert picture.getchannel("A").tobytes() == clear.getchannel("A").tobytes()
        assert picture.text.get("Network", ORIGINAL) == name
        assert dict(picture.getexif())[ExifTags.Base.Artist] == "somebody"
        assert ExifTags.IFD.GPSInfo not in picture.getexif()
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    painted = negative(on_white(clear)).tobytes()
    assert open_png(full["v1"]).convert("RGB").tobytes() == painted
    assert open_png(full[ORIGINAL]).tobytes() == clear.tobytes()
    assert Image.open(visitor.shown.files["v1"]).text["Strength"] == "40%"


def test_strength_and_colours_run_no_network(made: Made) -> None:
    visitor = made.visitor()
    update = made.handlers.mix(asking(made, photo=None, example="first", strength=0), visitor)
    assert made.network.runs == 0
    assert len(set(pixels(visitor).values())) == 1
    assert (
        update.view.report.words
        == "Shown at 0 % strength; grid and spots measured at full strength."
    )


def test_every_request_is_answered_by_another_view(made: Made) -> None:
    """Gradio tells the page's scripts only of what has changed."""
    visitor = made.visitor()
    stylize(made, visitor)
    again = [stylize(made, visitor, number)[-1].view for number in (2, 3)]
    assert again[0].panes == again[1].panes
    assert again[0] != again[1]


def test_what_gradio_sends_of_a_change_is_all_of_it(made: Made) -> None:
    """It sends differences, and gets those of lists within lists wrong."""
    visitor = made.visitor()
    updates = stylize(made, visitor)
    for number, networks in enumerate((["v1", "v4"], ["v3"], NETWORKS), start=2):
        updates += stylize(made, visitor, number, networks=networks, anew=True)
    views = [update.view.model_dump(mode="json") for update in updates]
    for before, after in pairwise(views):
        assert apply_diff(before, diff(before, after)) == after


def test_what_is_saved_says_what_it_is(made: Made) -> None:
    visitor = made.visitor()
    view = stylize(made, visitor, strength=60)[-1].view
    assert view.stem == "my-photo"
    assert view.caption == f"my photo.png · 64×50 px · PyTorch · 60 % strength{MEASURED_FULL}"


def test_every_picture_has_its_score_and_places(made: Made) -> None:
    visitor = made.visitor()
    panes = stylize(made, visitor)[-1].view.panes
    for pane in panes.values():
        assert re.fullmatch(r"grid −?\d+\.\d dB( · spots \d+ %)?", pane.found.score)
        for x, y, _ in chain(*pane.found.worst.values()):
            assert 0 <= x < visitor.shown.results.photo.size[0]
            assert 0 <= y < visitor.shown.results.photo.size[1]
        for rows in pane.found.heat.values():
            assert re.fullmatch("[0-3]+", "".join(rows))


def test_pictures_that_are_gone_are_said_to_be(made: Made) -> None:
    asked = asking(made, strength=50)
    visitor = made.visitor()
    stylize(made, visitor)
    for path in visitor.shown.results.files.values():
        Path(path).unlink()
    for gone in (visitor, made.visitor()):  # the last one sees another photo
        with pytest.raises(SessionExpiredError, match="stylize again"):
            made.handlers.mix(asked, gone)


def test_pictures_that_are_gone_are_stylized_again(made: Made) -> None:
    visitor = made.visitor()
    stylize(made, visitor)
    Path(visitor.shown.results.made["v2"].file).unlink()
    stylize(made, visitor, 2)
    assert pixels(visitor)["v2"] == negative(photo()).tobytes()


def test_measuring_fills_the_table(made: Made) -> None:
    *_, update = made.handlers.measure(32, asking(made))
    assert f"Median of {MEASURE_REPEATS} " in update.table
    assert update.table.count("<tr>") == 1 + len(VARIANTS)
    assert "here, 32×32" in update.table


def test_sides_are_bounded() -> None:
    assert [bounded(side) for side in (-5, 16, 700, 10**9)] == [16, 16, 700, MAX_SIDE]


def test_examples_have_small_pictures_and_sizes(made: Made) -> None:
    examples = made.stylizer.thumbnails()
    assert [(name, size) for name, _, size in examples] == [
        ("first", (48, 36)),
        ("other", (48, 36)),
    ]
    view = made.handlers.first_view()
    assert view.thumbnail == examples[0][1]
    assert view.thumbnail.startswith("data:image/jpeg;base64,")


def test_what_a_large_picture_costs_follows_from_a_small_one(made: Made) -> None:
    results = made.visitor().shown.results
    made_of = {name: one._replace(seconds=0.01) for name, one in results.made.items()}
    photo = replace(results.photo, size=(512, 512))
    table = pd.read_csv(TABLE).groupby(["width", "height"])["seconds"].sum()
    grown = table[1024, 1024] / table[512, 512] / 4
    costs = seconds_per_megapixel(replace(results, photo=photo, made=made_of), 1024)
    assert costs == dict.fromkeys(NETWORKS, pytest.approx(0.01 / 0.512**2 * grown, abs=0.01))
    assert grown > 1.2
