"""params.yaml is validated whole: each mistake is one line with the key's path and a remedy."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline import params
from pipeline.errors import UserError
from pipeline.studies import STUDIES

ROOT = Path(__file__).parents[1]


@pytest.fixture
def raw() -> dict[str, Any]:
    return YAML(typ="safe").load((ROOT / "params.yaml").read_text())


def load(raw: dict[str, Any], tmp_path: Path) -> params.Settings:
    path = tmp_path / "params.yaml"
    with path.open("w") as file:
        YAML(typ="safe").dump(raw, file)
    return params.load(path)


@pytest.mark.parametrize("scale", ["quick", "standard", "paper"])
@pytest.mark.parametrize("study", STUDIES)
def test_every_study_has_a_valid_section_and_trials_at_every_scale(
    raw: dict[str, Any], tmp_path: Path, study: str, scale: str
):
    settings = load({**raw, "scale": scale}, tmp_path)
    section = params.section(settings, study)
    trials = list(STUDIES[study].trials(section))
    assert trials
    assert all("seed" in trial for trial in trials)
    assert len({tuple(trial.items()) for trial in trials}) == len(trials)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("scale", "tiny", ["scale", "'quick'", "'paper'", "'tiny'"]),
        ("dispatch.cpu", 2, ["dispatch.cpu", "unknown key", "did you mean 'cpus'?"]),
        ("dispatch.cpus", -1, ["dispatch.cpus", "greater than 0", "-1"]),
        ("dispatch.gpus", "one", ["dispatch.gpus", "valid number", "'one'"]),
        ("dispatch.workers", 0, ["dispatch.workers", "greater than 0"]),
        ("data.offline", "maybe", ["data.offline", "'embedded'", "'error'"]),
        ("data.sets", ["mnits"], ["data.sets", "did you mean 'mnist'?"]),
        ("studies.bptt_vs_rtl", {"quick": {}}, ["did you mean 'bptt_vs_rtrl'?"]),
    ],
)
def test_a_mistake_outside_the_studies_is_one_line(
    raw: dict[str, Any], tmp_path: Path, path: str, value: object, says: list[str]
):
    _put(raw, path, value)
    with pytest.raises(UserError) as caught:
        load(raw, tmp_path)
    assert len(str(caught.value).splitlines()) == 1
    for words in says:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("exactness.cells", ["lstn"], ["exactness.cells", "did you mean 'lstm'?"]),
        ("exactness.algorithms", ["rtlr"], ["exactness.algorithms", "did you mean 'rtrl'?"]),
        ("exactness.length", 0, ["exactness.length", "greater than 0", "given: 0"]),
        ("exactness.lenght", 9, ["exactness.lenght", "unknown key", "did you mean 'length'?"]),
        ("cost.cell", "gruu", ["cost.cell", "did you mean 'gru'?"]),
        ("truncation.horizons", [10_000], ["truncation", "10000", "beyond length"]),
        ("training.online.horizons", [10_000], ["training.online", "beyond length"]),
        ("training.online.steps", 1.5, ["training.online.steps", "integer", "1.5"]),
        ("training.held.optimizer", "adm", ["training.held.optimizer", "'sgd'", "'adm'"]),
    ],
)
def test_a_mistake_in_a_study_names_the_keys_full_path(
    raw: dict[str, Any], tmp_path: Path, path: str, value: object, says: list[str]
):
    _put(raw, f"studies.bptt_vs_rtrl.quick.{path}", value)
    settings = load({**raw, "scale": "quick"}, tmp_path)
    with pytest.raises(UserError) as caught:
        params.section(settings, "bptt_vs_rtrl")
    assert len(str(caught.value).splitlines()) == 1
    for words in ["studies.bptt_vs_rtrl.quick.", *says]:
        assert words in str(caught.value)


def test_a_missing_key_is_named(raw: dict[str, Any], tmp_path: Path):
    del raw["studies"]["bptt_vs_rtrl"]["quick"]["cost"]["sizes"]
    with pytest.raises(UserError, match=r"studies\.bptt_vs_rtrl\.quick\.cost\.sizes: missing"):
        params.section(load({**raw, "scale": "quick"}, tmp_path), "bptt_vs_rtrl")


def test_a_missing_scale_names_those_that_are_there(raw: dict[str, Any], tmp_path: Path):
    del raw["studies"]["bptt_vs_rtrl"]["paper"]
    with pytest.raises(UserError, match="paper: missing; sections there are: quick, standard"):
        params.section(load({**raw, "scale": "paper"}, tmp_path), "bptt_vs_rtrl")


@pytest.mark.parametrize("text", ["scale: [", "scale: quick\nscale: paper", "\tx: 1", "3"])
def test_a_file_that_is_no_settings_is_one_line(tmp_path: Path, text: str):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        params.load(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_is_one_line(tmp_path: Path):
    with pytest.raises(UserError, match="no such file"):
        params.load(tmp_path / "params.yaml")


def test_numbers_are_read_as_dvc_reads_them(raw: dict[str, Any], tmp_path: Path):
    text = (
        (ROOT / "params.yaml").read_text().replace("next_character: 0.003", "next_character: 3e-3")
    )
    assert "3e-3" in text, "the file has no such value: change the test's"
    path = tmp_path / "params.yaml"
    path.write_text(text)
    params.section(params.load(path), "bptt_vs_rtrl")


def _put(raw: dict[str, Any], path: str, value: object) -> None:
    """Set the value at a dotted path."""
    *parents, last = path.split(".")
    for step in parents:
        raw = raw[step]
    raw[last] = value
