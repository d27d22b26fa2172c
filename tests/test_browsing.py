"""What people read of runs: names, descriptions, metrics in the order in which they look."""

from pathlib import Path
from typing import Any

from pipeline import params
from pipeline.reporting import imprint
from pipeline.running import browsing
from pipeline.running.browsing import LEARNING, MEASURED, About, curves, metric_of, name_of, telling
from pipeline.running.jobs import jobs
from pipeline.running.journal import Record
from pipeline.study import Entries, Row
from tests import recorded

LONGEST = 100
"""Characters of a run's name; the column of names can be drawn that wide."""


def record(trial: dict[str, Any], rows: list[Row] | None = None) -> Record:
    return recorded.record(trial, rows)[0]


def names(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(name for name, _, _ in curves(record({"seed": 0}, rows))))


def test_a_run_is_called_by_what_varies_and_not_by_what_is_constant():
    trials: list[Entries] = [
        {"seed": seed, "part": "a", "task": "copy", "cell": cell, "kind": cell, "rate": rate}
        for seed in (0, 1)
        for cell in ("gru", "lstm")
        for rate in (0.1, 0.001)
    ]
    found = telling(trials)
    assert found == ["cell", "rate"], "the task is constant, the kind follows from the cell"
    told = About(telling={"a": found})
    called = [name_of(record(trial), told) for trial in trials]
    assert called[0] == "a, gru, rate 0.1, seed 0"
    assert len(set(called)) == len(trials)


def test_one_field_that_tells_all_apart_is_preferred_to_several():
    pairs = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    trials: list[Entries] = [
        {"seed": 0, "first": one, "second": other, "both": f"{one}{other}"} for one, other in pairs
    ]
    assert telling(trials) == ["both"]


def test_switches_and_what_is_not_given_are_said_in_words():
    told = About(telling={"": ["centred", "hidden_size", "clip"]})
    trial = {"centred": False, "hidden_size": 30, "clip": None, "seed": 4}
    assert name_of(record(trial), told) == "not centred, hidden size 30, seed 4"


def test_a_trial_of_which_nothing_is_told_is_called_by_its_words_without_what_is_json():
    trial = {"cell": "gru", "probes": '{"horizon": {"every": 10}}', "sizes": "[2, 3]", "seed": 3}
    assert name_of(record(trial), About()) == "gru, seed 3"


def test_no_two_trials_of_a_study_have_one_name_and_none_is_long():
    made, broken = jobs(params.load().at("standard"))
    assert not broken
    for job in made:
        told = browsing.about(job)
        called = [name_of(record(trial), told) for trial in job.trials.values()]
        assert len(set(called)) == len(called), job.name
        assert max(map(len, called)) <= LONGEST, max(called, key=len)


def test_a_study_says_its_question_its_parts_questions_its_page_and_its_command():
    (job,), _ = jobs(params.load().at("quick"), ["perceptron"])
    told = browsing.about(job)
    assert told.question.startswith("What can a single layer of threshold units do")
    assert set(told.parts) == {"gates", "bound", "digits"}
    assert told.page == str(imprint.folder_of(job.name, job.scale, Path()) / "index.html")
    trial = next(t for t in job.trials.values() if t["part"] == "bound")
    text = browsing.description_of(record(dict(trial)), told)
    assert "never above (R/γ)²" in text
    assert f"`{told.page}#part-bound`" in text
    assert "`python -m pipeline run perceptron --scale quick`" in text


def test_charts_come_in_the_order_in_which_people_look():
    probed: Row = {"probe": "error_flow", "quantity": "norm", "t": 3, "step": 1, "value": 0.5}
    curve: Row = {"step": 1, "held_out_accuracy": 0.5, "train_loss": 1.0, "mistakes": 3, "epoch": 1}
    found = names([probed, curve])
    sections = [name.rpartition("/")[0] for name in found]
    # So MLflow sorts: sections by name, and last what is in none.
    shown = sorted(set(sections) - {""})
    assert shown == [LEARNING, MEASURED, "error_flow"]
    assert {n for n in found if "/" not in n} == {"epoch", "seconds"}
    assert {n for n in found if n.startswith(LEARNING)} == {
        "Learning/held_out_accuracy",
        "Learning/train_loss",
    }
    assert "error_flow/norm t 3" in found


def test_a_probes_metric_is_named_by_words_and_whole_numbers_in_one_section_a_probe():
    row: Row = {
        "probe": "flow",
        "quantity": "norm",
        "lag": 3,
        "layer": "W",
        "step": 5,
        "value": 0.5,
    }
    assert metric_of(row) == "flow/norm lag 3 layer W"
    assert metric_of({**row, "share": 0.25, "none": None}) == "flow/norm lag 3 layer W"
    rows = [{**row, "step": step, "share": 0.1 * step} for step in range(405)]
    assert names(rows) == ["flow/norm lag 3 layer W", "seconds"]


def test_very_many_values_of_probes_are_no_metrics():
    rows: list[Row] = [
        {"probe": "flow", "quantity": "norm", "lag": lag, "step": step, "value": 1.0}
        for lag in range(40)
        for step in range(40)
    ]
    assert names([*rows, {"step": 0, "loss": 1.0}]) == ["Learning/loss", "seconds"]


def test_rows_that_words_tell_apart_are_no_curve():
    rows: list[Row] = [{"way": way, "mistakes": 2.0} for way in ("constant", "decaying")]
    found = names(rows)
    assert found == ["Measured/mistakes constant", "Measured/mistakes decaying", "seconds"]
    assert names([rows[0]]) == ["Measured/mistakes", "seconds"], "what is constant is not said"
    many: list[Row] = [{"text": f"text {place}", "size": place} for place in range(40)]
    assert names(many) == ["Measured/size", "seconds"]


def test_a_metrics_name_has_only_what_mlflow_allows():
    assert browsing.allowed("Measured/size 2 × 3, all") == "Measured/size 2 _ 3_ all"
