from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from nst.benchmark.__main__ import default_repeats, main
from nst.benchmark.peers import OTHER_NETWORKS, CompiledEngine, peers
from nst.benchmark.profile import KINDS, kind_of, profile_table
from nst.benchmark.tables import gigamacs, latency_markdown, latency_table
from nst.inference.engines import build_engines
from nst.inference.latency import WARM_UP, hardware, measure_latency, parse_size
from nst.models import VARIANTS, build_model
from tests.helpers import run_python


def test_repeats_are_interleaved_after_warming_up() -> None:
    calls = []

    def network(name: str):
        def forward(photo: torch.Tensor) -> None:
            assert photo.shape == (1, 3, 20, 30)
            calls.append(name)

        return forward

    times = measure_latency({name: network(name) for name in "ab"}, 30, 20, repeats=4)
    assert calls == ["a", "b"] * (WARM_UP + 4)
    assert {name: len(values) for name, values in times.items()} == {"a": 4, "b": 4}


def test_table_has_medians_quartiles_and_speed_ups() -> None:
    networks = {name: build_model(name) for name in VARIANTS}
    times = {("eager", name): [9.0, 30.0, 10.0, 11.0, 9.5] for name in VARIANTS}
    times["eager", "v3"] = [4.0, 4.0, 4.0, 5.0, 99.0]
    times |= {("openvino", name): [5.0, 5.0] for name in VARIANTS}
    table = latency_table(networks, times).set_index(["engine", "network"])
    assert list(table.index) == list(times)
    assert table.loc[("eager", "baseline"), "latency ms"] == 10.0
    assert table.loc[("eager", "baseline"), "quartiles ms"] == "9.5–11.0"
    v3 = table.loc[("eager", "v3")]
    assert v3["latency ms"] == 4.0
    assert v3["speed-up"] == 2.5
    assert v3["reduction %"] == 87.62
    assert v3["paper speed-up"] == 1.44
    assert table.loc[("openvino", "v3"), "speed-up"] == 1.0


def test_networks_that_the_paper_does_not_have() -> None:
    networks = {name: build_model(name) for name in ("baseline", "v4")}
    times = {("eager", "baseline"): [10.0, 10.0], ("eager", "v4"): [4.0, 4.0]}
    table = latency_table(networks, times)
    assert list(table["paper ms"].isna()) == [False, True]
    assert list(table["paper speed-up"].isna()) == [False, True]
    header, _, row = latency_markdown(table).splitlines()
    assert header == "| size | engine | baseline | v4 | all 2 |"
    assert row == "| 256×256 | eager | 10 (1.00×) | 4 (2.50×) | 14 |"


@pytest.mark.slow
def test_peers_run_the_same_networks() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    networks = {"baseline": build_model("baseline").eval(), "v4": build_model("v4").eval()}
    photo = torch.rand(1, 3, 40, 32)
    for name, runs in peers(networks).items():
        assert list(runs) == (["baseline"] if name == "pytorch/examples" else list(networks))
        for network, run in runs.items():
            result = run(photo)
            assert result.shape == photo.shape
            if (name, network) not in OTHER_NETWORKS:
                with torch.inference_mode():
                    assert torch.allclose(result, networks[network](photo), atol=1e-3)


@pytest.mark.slow
def test_every_network_is_compiled_at_every_size() -> None:
    torch._dynamo.reset()
    engine = CompiledEngine(build_model("v4"), backend="eager")
    counters = torch._dynamo.utils.counters
    counters.clear()
    for side in range(16, 16 + 4 * 10, 4):
        engine(torch.rand(1, 3, side, 16))
    assert counters["stats"]["unique_graphs"] == 10


def test_rows_of_peers() -> None:
    networks = {name: build_model(name) for name in ("baseline", "v4")}
    times = {("plain", "baseline"): [10.0, 10.0], ("plain", "v4"): [5.0, 5.0]}
    times["pytorch/examples", "baseline"] = [12.0, 12.0]
    table = latency_table(networks, times)
    assert list(table["GMAC"]) == [8.27, 0.93, 10.08]
    assert (
        latency_markdown(table).splitlines()[-1]
        == "| 256×256 | pytorch/examples | 12 (1.00×) | – | – |"
    )


def test_without_onnx_peers_end_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["--peers", "--repeats", "2"]) == 1
    assert "pip install onnx" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_does_not_cost_the_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    command = ("--size", 32, "--repeats", 2, "--csv", tmp_path / "file" / "a.csv")
    assert main([*map(str, command)]) == 1
    printed = capsys.readouterr()
    assert "| 32×32 | eager |" in printed.out
    assert printed.err.count("\n") == 1
    assert "nst.benchmark: " in printed.err


def test_arithmetic_is_that_of_the_layers() -> None:
    """The 9×9 layers and one residual block of v3, counted by hand."""
    network = build_model("v3").eval()
    counted = gigamacs(network, (64, 64))
    assert counted == pytest.approx(gigamacs(network, (128, 128)) / 4)
    residual = 10 * 16 * 16 * (128 * 9 + 128 * 128)
    encoder = 64 * 64 * 3 * (81 + 32) + 32 * 32 * 32 * (9 + 64) + 16 * 16 * 64 * (9 + 128)
    # A transposed convolution meets each of its inputs with all 9 weights.
    upsampling = 16 * 16 * 128 * 9 + 32 * 32 * 128 * 64 + 32 * 32 * 64 * 9 + 64 * 64 * 64 * 32
    last = 64 * 64 * 32 * (81 + 3)
    assert counted == pytest.approx((residual + encoder + upsampling + last) / 1e9)


def test_sizes() -> None:
    assert parse_size("512") == (512, 512)
    assert parse_size("640x480") == (640, 480)
    assert parse_size("1080p") == (1920, 1080)
    for wrong in ("big", "12x", "-5", "8", "640x15"):
        with pytest.raises(ValueError, match=wrong):
            parse_size(wrong)
    assert default_repeats((256, 256)) == 50
    assert default_repeats((1920, 1080)) == 7


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["plain", "eager", "openvino"])
def test_profile_finds_convolutions_norms_and_padding(engine: str) -> None:
    networks = {"v3": build_model("v3")}
    table = profile_table({engine: build_engines(networks, engine)}, (64, 48))
    row = table.iloc[0]
    assert row["ms"] > 0
    assert sum(row[f"{kind} %"] for kind in KINDS) == pytest.approx(100, abs=0.5)
    assert all(row[f"{kind} %"] > 0 for kind in ("convolution", "norm", "padding"))


def test_kinds_of_operators() -> None:
    assert kind_of("aten::mkldnn_convolution") == "convolution"
    assert kind_of("GroupConvolutionBackpropData") == "convolution"
    assert kind_of("aten::native_group_norm") == "norm"
    assert kind_of("aten::reflection_pad2d") == "padding"
    assert kind_of("aten::relu_") == "activation"
    assert kind_of("Reorder") == "memory"


@pytest.mark.slow
def test_command_line(tmp_path: Path) -> None:
    command = ("-m", "nst.benchmark", "--size", "32", "--repeats", "2", "--threads", "1")
    result = run_python(*command, "--engine", "eager", "openvino", "--csv", tmp_path / "a.csv")
    assert result.returncode == 0, result.stderr
    assert "1 CPU thread(s)" in result.stdout
    assert "32×32, median of 2 interleaved repeats" in result.stdout
    rows = pd.read_csv(tmp_path / "a.csv")
    assert list(rows["network"]) == [*VARIANTS, *VARIANTS]
    assert list(rows["engine"]) == 5 * ["eager"] + 5 * ["openvino"]
    assert (rows["latency ms"] > 0).all()


def test_the_hardware_names_what_matters() -> None:
    assert torch.__version__ in hardware()
    assert f"{torch.get_num_threads()} CPU thread(s)" in hardware()
    assert "OpenVINO" in hardware("openvino")
