from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from nst.inference.engines import has_bf16
from nst.models import build_model
from nst.paths import ASSETS
from nst.study.quantize import FORMS, TABLE, answer, compare, compiled, quantized
from tests.helpers import ROOT


def test_without_nncf_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "nncf", None)  # its import then fails
    with pytest.raises(ModuleNotFoundError, match="nncf"):
        quantized(build_model("v4"), "int8", [])


@pytest.mark.slow
def test_the_forms_of_a_random_network() -> None:
    pytest.importorskip("nncf")
    torch.manual_seed(0)
    network = build_model("v4").eval()
    photos = torch.rand(3, 3, 64, 64)
    few = [photo.numpy() for photo in photos.split(1)]
    runs = {("v4", form): compiled(quantized(network, form, few)) for form in FORMS}
    table = compare(runs, dict.fromkeys(runs, 1.0), photos).set_index("form")
    assert list(table.index) == list(FORMS)
    assert table.psnr_db["fp32"] == np.inf
    assert table.largest["fp32"] == 0
    for form in ("int8", "weights"):
        assert 20 < table.psnr_db[form] < 80
        assert 1 <= table.largest[form] <= 255
        assert table.worst_psnr_db[form] <= table.psnr_db[form]


def test_fp32_and_bf16_need_no_nncf(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "nncf", None)
    torch.manual_seed(0)
    network = build_model("v3").eval()
    forms = {"fp32": "fp32", "bf16": "bf16" if has_bf16() else "fp32"}  # the model for bf16 anyway
    runs = {
        ("v3", form): compiled(quantized(network, form, []), precision)
        for form, precision in forms.items()
    }
    table = compare(runs, dict.fromkeys(runs, 1.0), torch.rand(2, 3, 64, 64)).set_index("form")
    assert table.largest["fp32"] == 0
    assert table.largest["bf16"] <= (40 if has_bf16() else 1)
    assert table.psnr_db["bf16"] > 30


def test_the_answer_is_read_off_the_table() -> None:
    rows = [
        {"network": name, "form": form, "MB": size, "lattice_db": lattice, "latency_ms": latency}
        | {"psnr_db": psnr}
        for name, form, size, lattice, latency, psnr in (
            ("a", "fp32", 4.0, 10.0, 40.0, np.inf),
            ("a", "int8", 1.0, 9.5, 20.0, 31.0),
            ("b", "fp32", 2.0, 5.0, 10.0, np.inf),
            ("b", "int8", 1.0, 6.0, 10.0, 40.0),
        )
    ]
    assert answer(pd.DataFrame(rows)) == (
        "the lattice ratio stays within 1.00 dB; files shrink to 25–50 %, speed grows 1.00 (b) to "
        "2.00 times (a), PSNR to fp32 is 40 (b) to 31 dB (a)"
    )


def test_readme_and_findings_say_what_the_table_does() -> None:
    said = answer(pd.read_csv(ASSETS / TABLE))
    assert said in (ASSETS / "red-spots.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert said.partition(";")[0] in " ".join(readme.split())
