"""The study of stacks of RBMs: claims hold, or must be missed."""

from typing import Any

import pytest

from pipeline import params
from pipeline.errors import UserError
from pipeline.measuring.pictures import unpacked
from pipeline.measuring.recognition import Reading
from pipeline.studies import STUDIES
from pipeline.studies.deep_belief.labels import Labels, judged, wrong
from pipeline.tasks._pictures import Pictures
from tests import toy
from tests.measured import Measured

STACK: dict[str, Any] = {
    "dataset": "mnist",
    "task": "images",
    "hidden": [5, 4],
    "pretraining": 3,
    "pretraining_rate": 0.01,
    "spread": 0.1,
    "sweeps": 1,
    "optimizer": "adam",
    "learning_rate": 0.01,
    "batch_size": 5,
    "steps": 4,
    "evaluations": 2,
    "held_out_size": 10,
    "seeds": 1,
}
SECTION: dict[str, Any] = {
    "labels": {
        **STACK,
        "method": ["from a stack", "from a random start", "nearest neighbours"],
        "depths": [1, 2],
        "labels": [3, 20],
        "few_steps": 2,
    },
    "generation": {
        **STACK,
        "top": "persistent",
        "top_sweeps": 1,
        "asked": 3,
        "gibbs": 2,
        "judge": "mlp",
        "judge_options": {"hidden": [4]},
        "judge_size": 3,
        "judge_rate": 0.01,
        "judge_steps": 2,
        "judge_batch": 3,
    },
}
MEASURED = Measured(STUDIES["deep_belief"], SECTION, {"mnist": toy.images()})
WRONG = {"from a stack": 2.0, "from a random start": 3.0, "nearest neighbours": 4.0}


@pytest.mark.parametrize("part", MEASURED.study.parts)
def test_a_trials_hash_covers_all_that_it_uses(part: str):
    assert MEASURED.beyond(part) == set()


def test_figures_and_tables_can_be_made_of_the_rows():
    MEASURED.assert_shown()


def test_each_depth_learns_from_each_number_of_labels_and_neighbours_have_no_depth():
    ends = judged(MEASURED.rows("labels"))
    found = set(zip(ends["method"], ends["labels"], ends["depth"], strict=True))
    deep = {(m, n, d) for m in list(WRONG)[:2] for n in (3, 20) for d in (1, 2)}
    assert found == deep | {("nearest neighbours", n, 0) for n in (3, 20)}
    assert set(ends.loc[ends["labels"] == 20, "known"]) == {20}
    curve = MEASURED.rows("labels")
    last = curve[curve["record"] == "test"].set_index(["method", "labels", "depth"])["step"]
    assert last["from a stack", 3, 2] == 2
    assert last["from a stack", 20, 2] == 4


def test_the_test_part_is_looked_at_once_for_each_network(monkeypatch: pytest.MonkeyPatch):
    looks: list[int] = []
    test = Pictures.test
    monkeypatch.setattr(Pictures, "test", lambda task: looks.append(1) or test(task))
    MEASURED.run(MEASURED.trials("labels")[0])
    assert len(looks) == 2 * 2


@pytest.mark.parametrize(
    ("words", "worse"),
    [
        ("3 labels, 2 layers: fewer wrong from a stack", {"from a stack": 3.5}),
        ("20 labels, 2 layers: fewer wrong from a stack", {"from a stack": 3.5}),
        ("than by nearest neighbours", {"from a stack": 5.0}),
    ],
)
def test_a_stack_that_brings_nothing_is_missed(words: str, worse: dict[str, float]):
    rows = MEASURED.rows("labels")
    MEASURED.assert_holds("labels", words, rows.assign(wrong=rows["method"].map(WRONG)))
    MEASURED.assert_missed("labels", words, rows.assign(wrong=rows["method"].map(WRONG | worse)))


def test_depth_has_to_take_errors_away_and_the_literature_is_of_mnist_alone():
    rows = MEASURED.rows("labels").assign(wrong=1.4)
    deeper = rows.assign(wrong=rows["wrong"] - 0.1 * rows["depth"])
    MEASURED.assert_holds("labels", "depth takes errors away", deeper)
    worse = rows.assign(wrong=rows["wrong"] + 0.1 * rows["depth"])
    MEASURED.assert_missed("labels", "depth takes errors away", worse)
    assert not [words for words in MEASURED.claims("labels", rows) if "1.5 %" in words]
    mnist = rows.assign(pictures=60_000)
    MEASURED.assert_holds("labels", "at most 1.5 % wrong", mnist)
    MEASURED.assert_missed("labels", "at most 1.5 % wrong", mnist.assign(wrong=1.6))


def test_a_network_that_diverged_has_everything_wrong():
    rows = MEASURED.rows("labels")
    lost = rows.assign(wrong=rows["wrong"].where(rows["record"] != "test"))
    assert set(judged(lost)["wrong"]) == {100.0}
    assert wrong(lost, "from a stack", 20, 2).tolist() == [100.0]


@pytest.mark.parametrize(
    ("words", "column", "good", "bad"),
    [
        ("at least 90% are taken", "recognised", 0.95, 0.85),
        ("of each class at least 50% are", "recognised", 0.95, 0.4),
    ],
)
def test_asked_for_digits_are_held_to_what_the_judge_takes_them_for(
    words: str, column: str, good: float, bad: float
):
    rows = MEASURED.rows("generation")
    MEASURED.assert_holds("generation", words, rows.assign(**{column: good}))
    MEASURED.assert_missed("generation", words, rows.assign(**{column: bad}))


def test_one_class_that_is_never_made_is_missed():
    rows = MEASURED.rows("generation").assign(recognised=1.0)
    rows.loc[(rows["stage"] == "up-down") & (rows["digit"] == 3), "recognised"] = 0.0
    MEASURED.assert_missed("generation", "of each class", rows)


def test_up_down_has_to_take_errors_away():
    rows = MEASURED.rows("generation")
    usual = {"greedy": 9.0, "up-down": 5.0, "independent pixels": 17.0}
    good = rows.assign(wrong=rows["stage"].map(usual))
    worse = rows.assign(wrong=rows["stage"].map(usual | {"up-down": 18.0}))
    for words in ("up-down takes errors away", "better than independent pixels"):
        MEASURED.assert_holds("generation", words, good)
        MEASURED.assert_missed("generation", words, worse)


def test_pictures_of_each_class_and_filters_are_kept():
    rows = MEASURED.rows("generation")
    shown = rows[rows["record"] == "picture"]
    assert shown.groupby(["stage", "digit"]).size().to_dict() == {
        (stage, digit): 3
        for stage in ("greedy", "up-down", "independent pixels")
        for digit in range(10)
    }
    filters = rows.loc[rows["record"] == "filter", "pixels"]
    assert len(filters) == 5
    assert all(unpacked(text).shape == (3, 2) for text in [*shown["pixels"], *filters])
    assert rows.loc[rows["record"] == "judge", "accuracy"].between(0, 1).all()


def test_the_judge_never_saw_a_digit_that_the_network_learned_from(
    monkeypatch: pytest.MonkeyPatch,
):
    judged_by, learned = set[int](), set[int]()
    learn, batch = Reading.learned, Pictures.batch

    def watched(self: Reading, images: Any, *rest: Any) -> Any:
        judged_by.update(images.train_x_NHW[:, 0, 0].tolist())
        return learn(self, images, *rest)

    def seen(self: Pictures, index: int) -> Any:
        if len(self._images.train_y_N) == 30:  # pyright: ignore[reportAttributeAccessIssue]
            learned.update((255 * batch(self, index).x_TBI[0, :, 0]).round().int().tolist())
        return batch(self, index)

    monkeypatch.setattr(Reading, "learned", watched)
    monkeypatch.setattr(Pictures, "batch", seen)
    MEASURED.run(MEASURED.trials("generation")[0])
    assert len(judged_by) == 10
    assert len(learned) == 20
    assert not judged_by & learned


def test_more_layers_than_there_are_is_one_line():
    with pytest.raises(UserError, match="there are 2 layers"):
        params.expand(Labels, {**SECTION["labels"], "depths": [1, 3]}, "quick.labels")


def test_what_is_predicted_can_be_judged_where_some_of_it_was_not_run():
    rows = MEASURED.rows("labels")
    for method in rows["method"].unique():
        MEASURED.claims("labels", rows[rows["method"] == method])
