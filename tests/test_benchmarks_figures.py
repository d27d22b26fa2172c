"""What each benchmark of gradients reports, at a tiny size: agreement and ratios, no times."""

import importlib.util
import time
from collections.abc import Iterator

import pytest
from torch import Tensor

from benchmarks import (
    _braintrace,
    _timing,
    alexnet,
    approximate,
    bptt,
    peers,
    probes,
    rbm,
    rtrl,
    som,
    stream,
)
from lightning_modules.probes.updates import Updates


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_timing, "ROUNDS", 2)


def test_rtrl_fits_exponents_and_can_leave_out_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtrl, "LARGE", 4)
    *rows, fitted = rtrl.run(sizes=(4, 6, 8), dense=6, every=3, summed=5)
    assert [row["n"] for row in rows if "dense_us" in row] == [4, 6]
    assert {(row["every_steps"], row["summed_steps"]) for row in rows} == {(3, 5)}
    assert fitted["n"] == "4-8"
    assert fitted["every_exponent_at_most_3.2"] == (fitted["every_exponent"] <= 3.2)


def test_rtrl_judges_the_figures_it_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    least = {"every_under_floor": 0.0, "summed_under_floor": 1e9, "dense_of_peak": 0.0}
    monkeypatch.setitem(rtrl.TARGETS, ("srn", 4, 2), least)
    (row,) = rtrl.run(sizes=4, batch=2, dense=0)
    assert row["every_under_floor_at_least_0"] is True
    assert row["remembering_under_floor_at_least_0"] is True
    assert row["summed_under_floor_at_least_1e+09"] is False
    assert "dense_of_peak_at_least_0" not in row


def test_bptt_agrees_with_torchs_layers_and_reports_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bptt, "STEPS", 7)
    rows = bptt.run(sizes=5)
    assert [row["cell"] for row in rows] == ["srn", "gru", "lstm"]
    for row in rows:
        assert row["error"] < 1e-13
        assert row["of_layer"] == pytest.approx(row["ours_ms"] / row["layer_ms"])
        assert row["of_loop"] == pytest.approx(row["ours_ms"] / row["loop_ms"])


def test_approximate_has_every_algorithm_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "STEPS", 6)
    small, large = approximate.run(sizes=(4, 6), dense=4)
    for name in approximate.CELL_OF:
        assert f"{name}_every_of_torch" in small
        assert f"{name}_summed_of_torch" in small
    assert "snap_n_every_us" not in large
    assert large["rflo_every_of_torch"] == pytest.approx(large["rflo_every_us"] / large["torch_us"])
    assert large["rflo_every_at_most_1"] == (large["rflo_every_of_torch"] <= 1)


def test_probes_compares_steps_with_them_to_the_same_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probes, "STEPS", 8)
    rows = probes.run(sizes=4)
    assert [row["cell"] for row in rows] == ["srn", "gru", "lstm", "stack"]
    for row in rows:
        for form, most in (("always", "1.1"), ("seldom", "1.08")):
            ratio = row[f"{form}_of_plain"]
            assert 0 < ratio <= row[f"{form}_median"]
            assert row[f"{form}_at_most_{most}"] == (ratio <= float(most))


def test_a_probe_that_takes_its_time_is_seen_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(*_: object) -> None:
        end = time.process_time() + 0.01
        while time.process_time() < end:
            pass

    monkeypatch.setattr(probes, "STEPS", 8)
    monkeypatch.setattr(Updates, "updated", slowly)
    (row,) = probes.run(sizes=4, cells="srn")
    assert row["always_of_plain"] > 2
    assert row["always_at_most_1.1"] is False


def test_no_tensor_is_added_along_a_stream() -> None:
    for row in stream.run(steps=800, run_length=4, hidden=4):
        assert row["steps"] == 800
        assert row["tensor_bytes_growth"] == 0
        assert row["tensor_bytes_end"] > 0


def test_a_stream_that_keeps_everything_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    states, kept = stream._stream, list[Tensor]()

    def hoarding(name: str, *sizes: int) -> Iterator[Tensor]:
        for norm in states(name, *sizes):
            kept.append(norm)
            yield norm

    monkeypatch.setattr(stream, "_stream", hoarding)
    (row,) = stream.run(steps=400, run_length=4, algorithms="snap1")
    assert row["tensor_bytes_growth"] == 4 * 90
    assert row["constant"] is False


def test_without_peers_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_braintrace, "missing", lambda: ["braintrace", "jax"])
    with_torch, absent = peers.run(sizes=4)
    assert with_torch["summed_of_peer"] > 0
    assert absent["state"] == "not installed (braintrace, jax): pip install -e '.[peers]'"


def test_braintrace_agrees_where_both_claim_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    if _braintrace.missing():
        pytest.skip("needs the extra `peers`")
    for name in ("XLA_FLAGS", "JAX_PLATFORMS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(peers, "COMPARED", 9)
    pairs = tuple(pair for pair in peers.PAIRS if pair.cell == "srn")
    for row in peers.run(sizes=4, pairs=pairs)[1:]:
        assert row.get("error", 0.0) < 1e-12
        assert row["ours_first"] < 1e-12
        assert row["every_of_peer"] == pytest.approx(row["ours_every_us"] / row["peer_every_us"])


def test_alexnet_is_timed_in_both_forms() -> None:
    two, one = alexnet.run(batch=2, width=1 / 24, side=67)
    assert (two["groups"], one["groups"]) == (2, 1)
    assert two["parameters"] < one["parameters"]
    for row in (two, one):
        seconds = (row["forward_ms"] + row["back_ms"]) / 1e3
        assert row["pictures_per_second"] == pytest.approx(2 / seconds)
        assert row["gflops"] == pytest.approx(12 * row["connections"] / seconds / 1e9)


def test_persistent_chains_are_timed_beside_a_peer_and_the_floor() -> None:
    rows = rbm.run(batch=(2, 10), steps=2)
    assert [row["batch"] for row in rows] == [2, 10]
    assert "of_peer_holds" not in rows[0]
    assert rows[1]["of_peer_holds"] == (rows[1]["of_peer"] <= 0.5)
    assert all(
        row[f"{name}_ms"] > 0 for row in rows for name in ("ours", "trainer", "peer", "floor")
    )


def test_a_batch_map_is_minisoms_and_is_timed_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(som, "INPUTS", 12)
    monkeypatch.setattr(som._Pictures, "input_size", 12)
    monkeypatch.setattr(som._Pictures, "output_size", 12)
    (row,) = som.run(pictures=30, rounds=2)
    assert min(row["ours_ms"], row["double_ms"], row["trainer_ms"], row["floor_ms"]) > 0
    if importlib.util.find_spec("minisom") is not None:
        assert row["error"] < 1e-12
        assert row["of_peer"] > 0
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (row,) = som.run(pictures=30, rounds=2)
    assert row["peer"] == "not installed (minisom): pip install -e '.[dev]'"
