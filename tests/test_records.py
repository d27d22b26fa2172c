"""The journal survives kills and merges; the table is a function of it."""

import dataclasses
import math
import random
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.running.journal import Journal, Record, key, save, table


def record(
    seed: int, loss: float = 0.5, started: float = 100.0, status: str = "finished"
) -> Record:
    return Record(
        hash=f"hash{seed}",
        code=f"code{seed}",
        trial={"cell": "grü", "seed": seed},
        rows=[{"step": step, "loss": loss + step} for step in (0, 1)],
        status=status,
        error="" if status == "finished" else "ValueError: no",
        started=started,
        seconds=2.0,
        versions={"torch": "2.13.0"},
        data={"mnist": "digits"},
    )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "quick" / "study.jsonl")


def test_a_file_that_is_not_there_holds_no_record(journal: Journal):
    assert journal.read() == {}


def test_what_was_appended_is_read_back(journal: Journal):
    records = [record(0), record(1, loss=math.inf), record(2, status="failed")]
    for each in records:
        journal.append(each)
    assert list(journal.read().values()) == records


def test_a_file_cut_anywhere_loses_at_most_the_record_that_is_cut(journal: Journal):
    for seed in range(3):
        journal.append(record(seed))
    whole = journal.path.read_bytes()
    ends = [i for i, byte in enumerate(whole) if byte == ord("\n")]
    for size in range(len(whole)):
        journal.path.write_bytes(whole[:size])
        assert len(journal.read()) == sum(end < size for end in ends)


def test_a_record_appended_after_a_torn_line_is_whole(journal: Journal):
    journal.append(record(0))
    journal.append(record(1))
    journal.path.write_bytes(journal.path.read_bytes()[:-20])
    journal.append(record(2))
    assert list(journal.read().values()) == [record(0), record(2)]


def test_the_trial_that_ended_last_wins_however_lines_were_merged(journal: Journal):
    records = [record(0, loss=float(time), started=float(time)) for time in range(6)]
    random.Random(0).shuffle(records)
    for each in records:
        journal.append(each)
    assert list(journal.read().values()) == [record(0, loss=5.0, started=5.0)]


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", "{}", "[1]", '{"hash": "a"}'])
def test_a_line_that_is_no_record_is_named_with_the_remedy(journal: Journal, line: str):
    journal.append(record(0))
    with journal.path.open("a") as file:
        file.write(line + "\n")
    journal_of_three = journal.path.read_text() + journal.path.read_text().splitlines()[0] + "\n"
    journal.path.write_text(journal_of_three)
    with pytest.raises(UserError, match=r"study\.jsonl, line 2, .*delete the line") as caught:
        journal.read()
    assert "\n" not in str(caught.value)


def test_compacting_keeps_what_is_read_and_drops_what_is_superseded(journal: Journal):
    for each in (record(0), record(1), record(0, loss=9.0, started=200.0)):
        journal.append(each)
    before = journal.read()
    journal.compact()
    assert journal.read() == before
    assert len(journal.path.read_text().splitlines()) == 2


def test_compacting_what_is_compact_does_not_touch_the_file(journal: Journal):
    journal.append(record(0))
    before = journal.path.stat()
    journal.compact()
    assert journal.path.stat().st_ino == before.st_ino
    assert journal.path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_second_driver_is_refused_with_a_line(journal: Journal):
    refused = pytest.raises(UserError, match="being written by another run")
    with journal.locked(), refused, journal.locked():
        pytest.fail("two drivers hold one journal")
    with journal.locked():
        journal.append(record(0))


def test_a_trial_has_one_key_whatever_the_order_of_its_entries():
    assert key({"a": 1, "b": "ü"}) == key({"b": "ü", "a": 1})
    assert key({"a": 1}) != key({"a": 1.5})


def test_the_table_follows_the_declaration_not_the_order_of_ending(tmp_path: Path):
    trials = [record(seed).trial for seed in range(4)]
    frames = []
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        journal = Journal(tmp_path / f"{order[0]}.jsonl")
        for seed in order:
            journal.append(record(seed))
        frames.append(table(journal.read(), trials, {"study": "s"}))
    pd.testing.assert_frame_equal(frames[0], frames[1])
    assert frames[0]["seed"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_the_table_holds_only_finished_trials_that_are_asked_for(journal: Journal):
    for each in (record(0), record(1, status="failed"), record(2)):
        journal.append(each)
    frame = table(journal.read(), [record(0).trial, record(1).trial], {})
    assert frame["seed"].unique().tolist() == [0]
    assert frame.attrs["trials"] == 2
    assert frame.attrs["failed"] == 1
    assert frame.attrs["failures"] == [{"trial": record(1).trial, "error": "ValueError: no"}]
    assert frame.attrs["seconds"] == 4.0
    assert frame.attrs["hashes"] == {record(0).key: "code0"}


def test_facts_and_non_finite_values_survive_the_file_and_the_bytes_repeat(tmp_path: Path):
    odd = dataclasses.replace(record(0), rows=[{"loss": math.inf}, {"loss": math.nan, "x": None}])
    frame = table({odd.key: odd}, [odd.trial], {"params": {"sizes": [1, 2]}, "study": "s"})
    for name in ("a", "b"):
        save(frame, tmp_path / name)
    back = pd.read_parquet(tmp_path / "a")
    assert back.attrs == frame.attrs
    assert back["loss"][0] == math.inf
    assert math.isnan(back["loss"][1])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]
