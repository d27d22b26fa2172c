"""The journal survives kills and merges; the table is a function of it."""

import dataclasses
import math
import os
import random
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.running.journal import Adoption, Facts, Journal, Record, fact, table
from pipeline.study import Row, key

REAL, STAND_IN = ({"served": s, "embedded": e} for s, e in (("MNIST", False), ("digits", True)))
(REAL_DATA,), (STAND_IN_DATA,), (CODE,) = fact(REAL), fact(STAND_IN), fact({"cells.gru": "a hash"})
FACTS: Facts = fact(REAL) | fact(STAND_IN) | fact({"cells.gru": "a hash"})


def record(seed: int, loss: float = 0.5, started: float = 100.0, **others: Any) -> Record:
    rows: list[Row] = [{"step": step, "loss": loss + step} for step in (0, 1)]
    given: dict[str, Any] = {
        "hash": f"hash{seed}",
        "code": CODE,
        "trial": {"cell": "grü", "seed": seed},
        "rows": rows,
        "status": "finished",
        "error": "",
        "started": started,
        "seconds": 2.0,
        "versions": {"torch": "2.13.0"},
        "data": {"mnist": REAL_DATA},
    }
    return Record(**given | others)


FAILED = record(2, status="failed", error="ValueError: no")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "quick" / "study.jsonl")


def filled(journal: Journal, *records: Record) -> Journal:
    for each in records:
        journal.append(each, FACTS)
    return journal


def read(journal: Journal) -> list[Record]:
    return list(journal.read().records.values())


def test_a_file_that_is_not_there_holds_no_record(journal: Journal):
    assert read(journal) == []


def test_what_was_appended_is_read_back_with_the_facts_that_it_names(journal: Journal):
    adopted = record(3, adopted=Adoption("former", "c0ffee", again=True))
    odd = record(1, rows=[{"loss": math.inf}, {"loss": -0.0, "x": None}])
    records = [record(0), odd, FAILED, adopted]
    assert read(filled(journal, *records)) == records
    assert journal.read().facts == {f: FACTS[f] for f in (CODE, REAL_DATA)}


def test_a_fact_is_written_once_whoever_writes(journal: Journal):
    filled(journal, record(0), record(1))
    filled(Journal(journal.path), record(2, data={"mnist": STAND_IN_DATA}), record(3))
    lines = journal.path.read_text().splitlines()
    assert sum('{"fact"' in line for line in lines) == len(FACTS)
    assert len(lines) == len(FACTS) + 4


def test_a_file_cut_anywhere_loses_at_most_the_record_that_is_cut(journal: Journal):
    whole = filled(journal, *map(record, range(3))).path.read_bytes()
    records = [i for i, line in enumerate(whole.splitlines()) if b'"hash"' in line]
    ends = [i for i, byte in enumerate(whole) if byte == ord("\n")]
    for size in range(0, len(whole), 3):
        journal.path.write_bytes(whole[:size])
        assert len(read(journal)) == sum(ends[line] < size for line in records)


def test_a_record_appended_after_a_torn_line_is_whole(journal: Journal):
    filled(journal, record(0), record(1))
    journal.path.write_bytes(journal.path.read_bytes()[:-20])
    assert read(filled(journal, record(2))) == [record(0), record(2)]


def test_the_trial_that_ended_last_wins_however_lines_were_merged(journal: Journal):
    records = [record(0, loss=float(time), started=float(time)) for time in range(6)]
    random.Random(0).shuffle(records)
    assert read(filled(journal, *records)) == [record(0, loss=5.0, started=5.0)]


def test_real_data_win_over_what_stands_in_for_them_whichever_came_last(journal: Journal):
    real, later = record(0), record(0, started=500.0, data={"mnist": STAND_IN_DATA})
    assert read(filled(journal, real, later)) == [real]
    assert read(filled(journal, later, real)) == [real]


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", "{}", "[1]", '{"hash": "a"}'])
def test_a_line_that_is_no_record_is_named_with_the_remedy(journal: Journal, line: str):
    filled(journal, record(0))
    with journal.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match=r"study\.jsonl, line 4, .*delete the line") as caught:
        journal.read()
    assert "\n" not in str(caught.value)


def test_compacting_keeps_what_is_read_and_drops_what_is_superseded(journal: Journal):
    stand_in = record(0, data={"mnist": STAND_IN_DATA})
    filled(journal, stand_in, record(1), record(0, loss=9.0, started=200.0))
    before = journal.read()
    journal.compact()
    assert journal.read().records == before.records
    assert journal.read().facts == {f: FACTS[f] for f in (CODE, REAL_DATA)}
    assert len(journal.path.read_text().splitlines()) == 4
    unchanged = journal.path.stat()
    journal.compact()
    assert journal.path.stat().st_ino == unchanged.st_ino, "what is compact isn't touched"
    filled(journal, record(2, data={"mnist": STAND_IN_DATA}))
    assert journal.read().facts == FACTS, "a fact that was dropped is written again"


def test_a_second_driver_is_refused_with_a_line(journal: Journal):
    refused = pytest.raises(UserError, match="being written by another run")
    with journal.locked(), refused, journal.locked():
        pytest.fail("two drivers hold one journal")
    with journal.locked():
        filled(journal, record(0))


def test_appending_costs_the_same_however_much_there_is(journal: Journal):
    long = record(0, rows=[{"step": step, "loss": 0.125} for step in range(250)])
    filled(journal, long)
    line = journal.path.read_text().splitlines()[-1]

    def cost() -> float:
        costs = []
        for _ in range(20):
            start = time.thread_time()
            filled(journal, long)
            costs.append(time.thread_time() - start)
        return min(costs)

    few = cost()
    with journal.path.open("a") as file:
        file.write(f"{line}\n" * 3000)
    assert os.path.getsize(journal.path) > 20 * 2**20
    assert cost() < 2 * few + 0.0005


def test_a_trial_has_one_key_whatever_the_order_of_its_entries():
    assert key({"a": 1, "b": "ü"}) == key({"b": "ü", "a": 1})
    assert key({"a": 1}) != key({"a": 1.5})
    assert key({"a": 1, "b": None}) == key({"a": 1}), "None says nothing"


def test_the_table_holds_finished_trials_in_the_order_of_the_declaration(tmp_path: Path):
    asked, frames = [record(seed).key for seed in (0, 1, 3)], []
    for order in ([0, 1, 3, 5], [5, 3, 1, 0]):
        journal = filled(Journal(tmp_path / f"{order[0]}.jsonl"), FAILED, *map(record, order))
        frames.append(table(journal.read().records, [*asked, FAILED.key]))
    pd.testing.assert_frame_equal(frames[0], frames[1])
    assert frames[0]["seed"].tolist() == [0, 0, 1, 1, 3, 3]
    assert set(frames[0]["hash"]) == {"hash0", "hash1", "hash3"}
    again = dataclasses.replace(record(0), rows=[{"loss": math.nan}])
    assert table({again.key: again}, [again.key])["loss"].isna().all()
