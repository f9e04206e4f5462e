from __future__ import annotations

from pathlib import Path

import numpy as np

from nst.data import crop_square
from nst.figures import GAP, LABEL, SHOWN, SIDE, results_figure
from nst.images import read_picture
from nst.stylize import load_networks, stylize

LAMPS = Path(__file__).parent.parent / "assets" / "lamps.png"


def test_the_figure_shows_photo_and_results_in_order() -> None:
    figure = np.asarray(results_figure([LAMPS], 50, 50))
    photo = crop_square(read_picture(LAMPS), SIDE)
    pictures = [photo, *(stylize(net, photo).picture for net in load_networks().values())]
    assert figure.shape == (LABEL + 2 * (SHOWN + GAP) - GAP, 5 * (SHOWN + GAP) - GAP, 3)
    for column, picture in enumerate(pictures):
        left, top = column * (SHOWN + GAP), LABEL
        whole = np.asarray(picture.resize((SHOWN, SHOWN), 1))
        assert np.array_equal(figure[top : top + SHOWN, left : left + SHOWN], whole)
        centre = figure[top + SHOWN + GAP + SHOWN // 2, left + SHOWN // 2]
        assert any(
            np.array_equal(centre, np.asarray(picture)[y, x])
            for y in range(SIDE // 2 - 1, SIDE // 2 + 2)
            for x in range(SIDE // 2 - 1, SIDE // 2 + 2)
        )
