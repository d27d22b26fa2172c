"""The studies of pictures: claims hold, or must be missed."""

import json

import pandas as pd
import pytest

from pipeline import params
from pipeline.errors import UserError
from pipeline.studies.mnist_classifiers.classifiers import Classifier
from pipeline.studies.mnist_classifiers.reconstruction import Reconstruction
from pipeline.study import HOLDS, MISSED
from pipeline.tasks._pictures import Pictures
from tests.pictures_study import MEASURED, ROWS, SECTIONS, claims, verdict


@pytest.mark.parametrize("name", MEASURED)
def test_a_trials_hash_covers_all_that_it_uses(name: str):
    measured = MEASURED[name]
    assert [part for part in measured.study.parts if measured.beyond(part)] == []


@pytest.mark.parametrize("name", MEASURED)
def test_figures_and_tables_can_be_made_of_the_rows(name: str):
    MEASURED[name].assert_shown()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *(("weight_sharing", part) for part in ("counts", "lengths", "equivariance")),
        ("pooling", "worked"),
    ],
)
def test_what_is_exact_holds_at_any_size(name: str, part: str):
    for found in claims(name, part, MEASURED[name].rows(part)).values():
        assert found.verdict == HOLDS, found


def test_a_count_that_is_off_by_one_is_missed():
    rows = MEASURED["weight_sharing"].rows("counts")
    at = rows[(rows["counted"] == "LeNet-5") & (rows["module"] == "C3")].index[0]
    rows.loc[at, ["parameters", "connections"]] += 1
    for words in ("LeNet-5: 60,000 parameters", "340,908", "layer by layer"):
        assert verdict("weight_sharing", "counts", rows, words) == MISSED
    assert verdict("weight_sharing", "counts", rows, "AlexNet: 60,965,224") == HOLDS
    rows.loc[rows["counted"] == "local filters", "parameters"] += 1
    assert verdict("weight_sharing", "counts", rows, "144") == MISSED


def test_a_recurrent_network_that_grows_with_the_length_is_missed():
    rows = MEASURED["weight_sharing"].rows("lengths")
    longest = rows["length"] == rows["length"].max()
    rows.loc[longest, "parameters"] += 1
    for form in ("srn", "tdnn", "untied"):
        assert verdict("weight_sharing", "lengths", rows, f"{form}:") == MISSED
    silent = MEASURED["weight_sharing"].rows("lengths")
    silent.loc[longest, "answers"] -= 1
    assert verdict("weight_sharing", "lengths", silent, "srn:") == MISSED


def test_units_that_do_not_move_with_the_picture_are_found_out():
    rows = MEASURED["weight_sharing"].rows("equivariance")
    swapped = rows.assign(form=rows["form"].replace({"shared": "local", "local": "shared"}))
    for words in ("shared filters see moves", "local units see does not"):
        assert verdict("weight_sharing", "equivariance", swapped, words) == MISSED


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("weight_sharing", "places"),
        ("weight_sharing", "time"),
        ("pooling", "trained"),
        ("mnist_classifiers", "classifiers"),
        ("mnist_classifiers", "reconstruction"),
    ],
)
def test_the_test_part_is_looked_at_once_after_training(
    name: str, part: str, monkeypatch: pytest.MonkeyPatch
):
    looks: list[int] = []
    test = Pictures.test
    monkeypatch.setattr(Pictures, "test", lambda task: looks.append(1) or test(task))
    entries = MEASURED[name].trials(part)[-1]
    rows = pd.DataFrame(MEASURED[name].run(entries))
    assert len(looks) == 1 + len(json.loads(str(entries.get("shifts", "[]"))))
    (end,) = rows.index[rows["record"] == "test"]
    curve = rows[rows["record"] == "curve"]
    assert end > curve.index.max()
    assert rows.loc[end, "step"] == curve["step"].iloc[-1]


@pytest.mark.parametrize("words", ["10 digits: shared", "30 digits: shared", "moved by 4 pixels"])
def test_the_shared_form_has_to_be_wrong_least_often(words: str):
    rows = MEASURED["weight_sharing"].rows("places")
    shared = rows["form"] == "shared"
    better = rows.assign(wrong=rows["wrong"].where(~shared, 0.0).where(shared, 50.0))
    assert verdict("weight_sharing", "places", better, words) == HOLDS
    worse = rows.assign(wrong=rows["wrong"].where(~shared, 51.0).where(shared, 50.0))
    assert verdict("weight_sharing", "places", worse, words) == MISSED


def test_tied_steps_have_to_be_wrong_less_often_and_to_be_fewer():
    rows = MEASURED["weight_sharing"].rows("time")
    of = {"tied": 20.0, "untied": 30.0, "tdnn": 40.0}
    better = rows.assign(
        wrong=rows["form"].map(of), parameters=rows["form"].map({**of, "untied": 999})
    )
    assert verdict("weight_sharing", "time", better, "10 digits: tied") == HOLDS
    assert verdict("weight_sharing", "time", better, "twenty times") == HOLDS
    worse = better.assign(wrong=-better["wrong"], parameters=20.0)
    assert verdict("weight_sharing", "time", worse, "10 digits: tied") == MISSED
    assert verdict("weight_sharing", "time", worse, "twenty times") == MISSED


def test_untied_steps_have_to_be_wrong_less_often_where_digits_are_many():
    rows = MEASURED["weight_sharing"].rows("time")
    wrong = rows["form"].map({"tied": 30.0, "untied": 20.0, "tdnn": 40.0})
    many = pd.concat([rows.assign(wrong=wrong), rows.assign(wrong=wrong, train_size=30)])
    assert verdict("weight_sharing", "time", many, "30 digits: untied") == HOLDS
    fewer = many.assign(wrong=-many["wrong"])
    assert verdict("weight_sharing", "time", fewer, "30 digits: untied") == MISSED


def test_a_digit_that_is_not_the_one_by_hand_is_missed():
    rows = MEASURED["pooling"].rows("worked")
    for example, words in (("convolution", "3×3 filter"), ("maximum", "maximum"), ("mean", "mean")):
        other = rows.copy()
        other.loc[other[other["example"] == example].index[0], "value"] += 1
        assert verdict("pooling", "worked", other, words) == MISSED


def test_poolings_are_compared_by_their_means():
    rows = MEASURED["pooling"].rows("trained")
    by_window = {1: 2.0, 2: 1.0, 3: 1.5, 4: 3.0}
    wrong = rows["window"].map(by_window) + (rows["pooling"] == "mean")
    found = claims("pooling", "trained", rows.assign(wrong=wrong))
    assert len(found) == 5
    assert all(claim.verdict == HOLDS for claim in found.values())
    other = claims("pooling", "trained", rows.assign(wrong=-wrong, parameters=1)).values()
    assert all(claim.verdict == MISSED for claim in other)


def test_a_classifier_is_held_to_its_mean_over_seeds():
    rows = MEASURED["mnist_classifiers"].rows("classifiers")
    assert rows.loc[rows["wrong"].notna(), "wrong"].between(0, 100).all()
    better, worse = rows.assign(wrong=98.0), rows.assign(wrong=100.0)
    for name in ("MLP", "by rows"):
        assert verdict("mnist_classifiers", "classifiers", better, name) == HOLDS
        assert verdict("mnist_classifiers", "classifiers", worse, name) == MISSED


def test_the_autoencoder_is_held_to_its_error_and_the_components_to_mnists():
    rows = MEASURED["mnist_classifiers"].rows("reconstruction")
    assert set(rows["method"]) == {
        "principal components",
        "autoencoder",
        "autoencoder, pre-trained",
    }
    near = claims("mnist_classifiers", "reconstruction", rows.assign(error=5.0)).values()
    assert [claim.verdict for claim in near] == [HOLDS] * 2, "what is no MNIST has no known figure"
    mnist = rows.assign(pictures=60_000, hidden="[1000, 30]", error=13.9)
    found = claims("mnist_classifiers", "reconstruction", mnist).values()
    assert [claim.verdict for claim in found] == [HOLDS, MISSED, MISSED]
    off = claims("mnist_classifiers", "reconstruction", mnist.assign(error=14.1)).values()
    assert next(iter(off)).verdict == MISSED
    lost = rows.assign(error=rows["error"].where(rows["method"] == "principal components"))
    seen = claims("mnist_classifiers", "reconstruction", lost).values()
    assert all(claim.verdict == MISSED for claim in seen), "a run that diverged learned nothing"


def test_each_trial_names_what_it_alone_has():
    trials = MEASURED["pooling"].trials("trained")
    of = {(trial["pooling"], trial["window"], trial["network"]) for trial in trials}
    modern = {(name, size, "modern_lenet5") for name in ("maximum", "mean") for size in range(1, 5)}
    assert of == modern | {("trainable", 2, "lenet5")}
    seeds = [trial["seed"] for trial in MEASURED["mnist_classifiers"].trials("classifiers")]
    assert seeds == [0, 1, 0], "a classifier may have more seeds than the others"


def test_the_options_of_a_network_are_one_entry_and_reach_it():
    trials = MEASURED["weight_sharing"].trials("places")
    (local,) = {trial["options"] for trial in trials if trial["form"] == "local"}
    assert json.loads(str(local)) == {"maps": 2, "size": 5, "stride": 2}
    pooled = (
        MEASURED["pooling"].rows("trained").groupby(["pooling", "window"])["parameters"].first()
    )
    assert pooled["maximum", 2] == pooled["mean", 2]
    assert pooled["maximum", 1] > pooled["maximum", 2] > pooled["maximum", 4]


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ({"network": "mlp"}, "give one of network and cell"),
        ({"anneal": True}, "anneal is of networks: a cell's rate is constant"),
        ({"clip": "norm"}, "clip and threshold go together: give both or none"),
        ({"evaluate_every": 2}, "give one of evaluations and evaluate_every"),
        ({"cell": "lsmt"}, "'lsmt' is unknown: did you mean 'lstm'?"),
        ({"probes": {"eror_flow": {}}}, "'eror_flow' is unknown: did you mean 'error_flow'?"),
    ],
)
def test_a_classifier_that_contradicts_itself_is_one_line(of: dict[str, object], says: str):
    section = {**ROWS, "cell": "lstm", "at_most": 9, "classifier": "by rows", **of}
    with pytest.raises(UserError) as caught:
        params.expand(Classifier, section, "quick.classifiers")
    (line,) = str(caught.value).splitlines()
    assert line.startswith("quick.classifiers")
    assert says in line


@pytest.mark.parametrize(
    ("method", "pretraining"),
    [("autoencoder", 3), ("principal components", 3), ("autoencoder, pre-trained", None)],
)
def test_pretraining_is_of_the_method_that_is_called_so(method: str, pretraining: int | None):
    of = {**SECTIONS["mnist_classifiers"]["reconstruction"], "method": method}
    with pytest.raises(UserError, match="pretraining and its rate go with the method"):
        params.expand(Reconstruction, {**of, "pretraining": pretraining}, "")


def test_what_cannot_be_counted_or_compared_is_one_line_with_the_nearest_name():
    for name, part, field, given, nearest in (
        ("weight_sharing", "counts", "counted", "AlexNett", "AlexNet"),
        ("weight_sharing", "places", "form", "shard", "shared"),
        ("weight_sharing", "time", "form", "tide", "tied"),
        ("mnist_classifiers", "reconstruction", "method", "autoencodr", "autoencoder"),
    ):
        study = MEASURED[name].study
        section = {**SECTIONS[name][part], field: {given: None}}
        with pytest.raises(UserError) as caught:
            params.expand(study.parts[part].trial, section, part)
        lines = str(caught.value).splitlines()
        (line,) = [line for line in lines if line.startswith(f"{part}.{field}.{given}: ")]
        assert f"did you mean {nearest!r}?" in line


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_predicted_can_be_judged_where_some_of_it_was_not_run(name: str):
    for part, column in (
        ("counts", "counted"),
        ("lengths", "form"),
        ("equivariance", "form"),
        ("places", "form"),
        ("time", "form"),
        ("trained", "pooling"),
        ("classifiers", "classifier"),
    ):
        if part in MEASURED[name].study.parts:
            rows = MEASURED[name].rows(part)
            for value in rows[column].unique():
                claims(name, part, rows[rows[column] == value])
