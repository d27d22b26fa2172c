"""The files of parameters: what they multiply out to, and how each kind of mistake is said.

Above 300 lines because of the tables of mistakes.
"""

import itertools
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from dvc.utils.hydra import apply_overrides
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from ruamel.yaml import YAML, tokens

from pipeline import params
from pipeline.errors import UserError
from pipeline.running.fingerprint import Fingerprints
from pipeline.studies import STUDIES
from pipeline.study import (
    AS_TEXT,
    Claim,
    Entries,
    Given,
    Options,
    Part,
    Rows,
    Study,
    Trial,
    join,
    key,
    named,
    single,
)

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "params.yaml", *sorted((ROOT / "params").glob("*.yaml"))]
COMMON = (ROOT / "params.yaml").read_text()


class Run(Trial):
    """A trial of every kind of field."""

    cell: Annotated[str, named(("gru", "lstm", "srn"))]
    size: PositiveInt
    rate: PositiveFloat
    length: PositiveInt | None = None
    hidden: Annotated[list[PositiveInt], Field(min_length=1), *AS_TEXT] | None = None
    options: Options | None = None

    @model_validator(mode="after")
    def _short(self) -> "Run":
        if (self.length or 0) > 100:
            raise ValueError(f"length is {self.length}, beyond 100")
        return self

    def measure(self, given: Given) -> Rows:
        """Measure nothing."""
        return {}


def _expects(_: Any) -> Iterator[Claim]:
    return iter(())


PARTED = join("Why?", first=Part(None, Run, _expects), second=Part(None, Run, _expects))
ALONE = single(Part("Why?", Run, _expects))
SECTION: dict[str, Any] = {"cell": "gru", "size": 3, "rate": 0.1, "seed": 0}


def expand(**section: Any) -> list[Run]:
    """Return the trials of a section that says this beside what each has to."""
    made = params.expand(Run, {**SECTION, **section}, "params/toy.yaml: quick")
    assert all(isinstance(trial, Run) for trial in made)
    return made  # pyright: ignore[reportReturnType]


def written(folder: Path, text: str) -> dict[str, Entries]:
    """Return the trials of a file that holds this, at scale quick, of a study of two parts."""
    return _asked(PARTED, folder, text)


def _asked(study: Study, folder: Path, text: str) -> dict[str, Entries]:
    (folder / "toy.yaml").write_text(text)
    return params.trials("toy", study, "quick", folder)


def loaded(folder: Path, text: str) -> params.Settings:
    """Return the settings of a file that holds this."""
    path = folder / "params.yaml"
    path.write_text(text)
    return params.load(path)


# The project's own files.


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_asks_for_trials_at_every_scale(name: str):
    study = STUDIES[name]
    assert params.scales_of(name, ROOT / "params") == list(params.SCALES)
    for scale in params.SCALES:
        asked = params.trials(name, study, scale, ROOT / "params")
        assert {of.get("part", "") for of in asked.values()} == set(study.parts)
        for text, entries in asked.items():
            own = {field: value for field, value in entries.items() if field != "part"}
            again = study.part_of(entries).trial.model_validate(own).entries()
            assert key(entries) == text == key({**entries, **again}), "read as it was written"


@pytest.mark.parametrize("name", STUDIES)
def test_a_field_of_a_trial_may_be_left_out_only_where_none_is_its_default(name: str):
    for part in STUDIES[name].parts.values():
        for field, of in part.trial.model_fields.items():
            assert of.is_required() or of.get_default(call_default_factory=True) is None, field


@pytest.mark.parametrize("name", STUDIES)
def test_a_name_that_claims_speak_of_stands_in_a_file_and_no_other_is_near_to_one(name: str):
    given: set[tuple[str, str]] = set()
    for scale in params.scales_of(name, ROOT / "params"):
        asked = params.trials(name, STUDIES[name], scale, ROOT / "params")
        given |= {(f, str(v)) for t in asked.values() for f, v in t.items()}
        assert list(params.unheard(name, STUDIES[name], scale, asked)) == []
    for part in STUDIES[name].parts.values():
        for field, spoken in part.speaks_of.items():
            assert {(field, each) for each in spoken} <= given


def unbounded(schema: Any) -> Iterator[Any]:
    """Iterate over the types of whole numbers that may be of any size; a probe checks its own."""
    inner: Any = ()
    if isinstance(schema, dict):
        if schema.get("type") == "integer" and not {"maximum", "enum", "const"} & set(schema):
            yield schema
        inner = [value for name, value in schema.items() if name != "probes"]
    for each in schema if isinstance(schema, list) else inner:
        yield from unbounded(each)


@pytest.mark.parametrize("name", STUDIES)
def test_every_whole_number_of_a_trial_has_a_largest(name: str):
    for part in STUDIES[name].parts.values():
        assert list(unbounded(part.trial.model_json_schema())) == []


@pytest.mark.parametrize("name", STUDIES)
def test_what_claims_are_made_by_does_not_count_for_a_trial(name: str):
    prints = Fingerprints(STUDIES[name])
    asked = params.trials(name, STUDIES[name], "standard", ROOT / "params")
    one_of_each = {entries.get("part", ""): entries for entries in asked.values()}
    covering = [
        part
        for part, entries in one_of_each.items()
        if "pipeline.measuring.evidence" in prints.modules(entries)
    ]
    assert not covering, "a name of evidence is one in the trial, too: import evidence whole"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_in_the_style_that_dvc_leaves(path: Path, tmp_path: Path):
    copy = shutil.copy(path, tmp_path)
    apply_overrides(copy, [])  # as `dvc exp run -S` does
    assert Path(copy).read_text() == path.read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_has_no_anchors_which_change_one_scale_with_another(path: Path):
    barred = tokens.AnchorToken, tokens.AliasToken, tokens.FlowMappingStartToken
    seen = [token for token in YAML().scan(path.read_text()) if isinstance(token, barred)]
    assert seen == [], [token.start_mark.line + 1 for token in seen]


def test_there_is_a_file_for_each_study_and_no_other():
    assert {path.stem for path in FILES[1:]} == set(STUDIES)


# What a section multiplies out to.


def test_a_value_is_of_all_trials_and_a_list_is_tried_one_by_one():
    assert [t.size for t in expand(size=[3, 5], seed=0)] == [3, 5]
    seen = [
        (t.cell, t.size, t.seed) for t in expand(cell=["lstm", "gru"], size=[3, 5], seed=[0, 7])
    ]
    assert seen == list(itertools.product(["lstm", "gru"], [3, 5], [0, 7])), "seeds vary fastest"


def test_the_order_is_that_of_the_trials_fields_not_of_the_file():
    given = {"rate": [0.1, 0.2], "size": [3, 5], "cell": "gru", "seed": 0}
    made = [t for t in params.expand(Run, given, "") if isinstance(t, Run)]
    assert [(t.size, t.rate) for t in made] == [(3, 0.1), (3, 0.2), (5, 0.1), (5, 0.2)]


def test_a_mapping_tries_its_keys_with_what_each_brings():
    cells = {"gru": {"size": 9, "options": {"a": 1}}, "lstm": None, "srn": {"rate": [0.3, 0.4]}}
    seen = [(t.cell, t.size, t.rate, t.options) for t in expand(cell=cells)]
    assert seen == [
        ("gru", 9, 0.1, {"a": 1}),
        ("lstm", 3, 0.1, None),
        ("srn", 3, 0.3, None),
        ("srn", 3, 0.4, None),
    ]


def test_a_mappings_key_may_bring_several_cases_and_mappings_of_their_own():
    cells = {"gru": [{"size": 1}, {"size": [2, 3], "length": 8}]}
    assert [(t.size, t.length) for t in expand(cell=cells)] == [(1, None), (2, 8), (3, 8)]
    sizes = {4: {"rate": {0.5: {"length": 2}, 0.6: None}}, 5: {"length": 6}}
    seen = [(t.size, t.rate, t.length) for t in expand(size=sizes)]
    assert seen == [(4, 0.5, 2), (4, 0.6, None), (5, 0.1, 6)]


def test_what_a_key_brings_stands_in_place_of_the_sections_own():
    made = expand(cell={"gru": {"rate": 0.5}, "lstm": None}, rate=[0.1, 0.2])
    assert [(t.cell, t.rate) for t in made] == [("gru", 0.5), ("lstm", 0.1), ("lstm", 0.2)]


def test_what_is_structured_is_one_value():
    (trial,) = expand(hidden=[4, 4], options={"b": [1, 2], "a": 1.5})
    assert (trial.hidden, trial.options) == ([4, 4], {"b": [1, 2], "a": 1.5})
    assert trial.entries()["hidden"] == "[4, 4]"
    assert trial.entries()["options"] == '{"b": [1, 2], "a": 1.5}'
    assert Run.model_validate(trial.entries()) == trial


def test_seeds_are_counted_and_a_key_may_have_its_own():
    section = {name: value for name, value in SECTION.items() if name != "seed"}
    made = params.expand(Run, {**section, "seeds": 3}, "")
    assert [trial.seed for trial in made] == [0, 1, 2]
    own = {**section, "cell": {"gru": {"seeds": 2}, "lstm": None, "srn": {"seed": 9}}, "seeds": 1}
    assert [trial.seed for trial in params.expand(Run, own, "")] == [0, 1, 0, 9]


def test_trials_are_told_by_their_part_and_key(tmp_path: Path):
    text = "quick:\n  {}:\n    cell: gru\n    size: [1, 2]\n    rate: 1e-3\n    seeds: 1\n"
    both = text.format("second") + text.format("first").removeprefix("quick:\n")
    asked = written(tmp_path, both)
    seen = [(of["part"], of["size"], of["rate"]) for of in asked.values()]
    assert seen == [(part, size, 0.001) for part in ("first", "second") for size in (1, 2)]
    assert list(asked) == [key(of) for of in asked.values()]
    flat = "quick:\n  cell: gru\n  size: 1\n  rate: 1e-3\n  seeds: 1\n"
    (alone,) = _asked(ALONE, tmp_path, flat).values()
    assert "part" not in alone


def test_a_field_that_is_added_with_default_none_leaves_the_key_as_it_was():
    class Longer(Run):
        added: PositiveInt | None = None

    before, after = Run(**SECTION).entries(), Longer(**SECTION).entries()
    assert key(before) == key(after) == key({**before, "other": None})
    assert key(Longer(**SECTION, added=1).entries()) != key(before)
    assert key(dict(reversed(before.items()))) == key(before)


# Mistakes in a study's own file.

PATH = "params/toy.yaml: quick"


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"cell": "lstn"}, "cell: 'lstn' is unknown: did you mean 'lstm'? allowed: gru, lstm, srn"),
        ({"cell": ["gru", "gruu"]}, "cell.1: 'gruu' is unknown: did you mean 'gru'?"),
        ({"cell": {"gru-2": {"size": 1}}}, "cell.gru-2: 'gru-2' is unknown: did you mean 'gru'?"),
        ({"size": 0}, "size: Input should be greater than 0; given: 0"),
        ({"size": 1.5}, "size: Input should be a valid integer; given: 1.5"),
        ({"size": None}, "size: Input should be a valid integer; given: None"),
        ({"size": [3, -5]}, "size.1: Input should be greater than 0; given: -5"),
        ({"size": True}, "size: Input should be a valid integer; given: True"),
        ({"rate": "1e-3"}, "rate: Input should be a valid number; given: '1e-3'"),
        ({"rate": math.inf}, "rate: Input should be a finite number; given: inf"),
        ({"szie": 3}, "szie: unknown key; did you mean 'size'? allowed: seed, cell, size"),
        ({"sizes": [3]}, "sizes: unknown key; did you mean 'size'?"),
        ({3: 4}, "3: unknown key; allowed: seed, cell, size, rate"),
        ({"size": []}, "size: empty; give at least one value, or leave it out"),
        ({"cell": {}}, "cell: empty; give at least one value, or leave it out"),
        ({"cell": {"gru": []}}, "cell.gru: empty; give at least one value, or leave it out"),
        ({"size": [3, 5, 3]}, "size: 3 stands there twice"),
        ({"rate": [1.0, 1]}, "rate: 1 stands there twice"),
        ({"size": [[3], [5]]}, "size.0: a list holds single values; given: [3]"),
        ({"cell": {"gru": 4}}, "cell.gru: what it brings is a mapping from names to"),
        ({"cell": {"gru": [{}, 4]}}, "cell.gru.1: what it brings is a mapping from names to"),
        ({"cell": {"gru": {"cell": "srn"}}}, "cell.gru.cell: is 'gru' already; leave it out"),
        ({"cell": {"gru": {"szie": 3}}}, "cell.gru.szie: unknown key; did you mean 'size'?"),
        ({"cell": {"gru": {"size": [1, 0]}}}, "cell.gru.size.1: Input should be greater than 0"),
        ({"length": 101}, "length is 101, beyond 100"),
        ({"cell": {"gru": {"length": 101}}}, "cell.gru: length is 101, beyond 100"),
        ({"hidden": 3}, "hidden: Input should be a valid list; given: 3"),
        ({"hidden": [3, 0]}, "hidden.1: Input should be greater than 0; given: 0"),
        ({"hidden": []}, "hidden: List should have at least 1 item"),
        ({"options": [3]}, "options: Input should be a valid dictionary; given: [3]"),
        ({"seeds": 3}, "give one of seed and seeds"),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0; given: -1"),
        (
            {"cell": {"gru": {"seeds": 0}}},
            "cell.gru.seeds: a number of seeds from 1 on, at most 100,000",
        ),
    ],
)
def test_a_mistake_in_a_section_is_one_line_with_its_full_path(section: dict[Any, Any], says: str):
    with pytest.raises(UserError) as caught:
        params.expand(Run, {**SECTION, **section}, PATH)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(PATH)
    assert f"{PATH}.{says}" in line or f"{PATH}: {says}" in line


@pytest.mark.parametrize("seeds", [0, -1, 1.0, True, "3", None, [1, 2]])
def test_seeds_are_a_whole_number_from_1_on(seeds: object):
    section = {name: value for name, value in SECTION.items() if name != "seed"}
    with pytest.raises(
        UserError, match=r"quick\.seeds: a number of seeds from 1 on, at most 100,000; given: "
    ):
        params.expand(Run, {**section, "seeds": seeds}, PATH)


def test_every_mistake_of_a_section_is_said_once():
    with pytest.raises(UserError) as caught:
        params.expand(Run, {"cell": ["lstn", "gru"], "rate": -1.0, "seeds": 9, "a": 1}, PATH)
    assert len(str(caught.value).splitlines()) == 4, "cell, rate, size, a"
    assert f"{PATH}.size: missing; give it a value" in str(caught.value)


def test_a_long_value_is_cut():
    with pytest.raises(UserError) as caught:
        expand(cell="x" * 1000)
    assert f"given: '{'x' * 56}..." in str(caught.value)


GOOD = "  first:\n    cell: gru\n    size: 1\n    rate: 1.0\n    seed: 0\n"
SECOND = GOOD.replace("first", "second")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": holds no scales: it should name quick, standard, paper"),
        ("3", ": holds no scales: it should name quick, standard, paper"),
        ("- quick", ": holds no scales: it should name quick, standard, paper"),
        (f"quik:\n{GOOD}", ": quik: no such scale: did you mean 'quick'? allowed: quick, "),
        (f"paper:\n{GOOD}", ": quick: missing; scales there are: paper"),
        ("quick:\n", ": quick: missing; scales there are: none"),
        (f"quick:\n{GOOD}", ": quick.second: missing; give the part its values"),
        (f"quick:\n{GOOD}  second:\n", ": quick.second: missing; give the part its values"),
        (f"quick:\n{GOOD}  second: 3\n", ": quick.second: a part's values are named; given: 3"),
        (
            f"quick:\n{GOOD}{SECOND}  frist: 3\n",
            ": quick.frist: no such part: did you mean 'first'? allowed: first, second",
        ),
        (
            f"quick:\n{GOOD}{SECOND}".replace("size: 1", "size: 0", 1),
            ": quick.first.size: Input should be greater than 0; given: 0",
        ),
        (
            f"quick:\n{GOOD}{SECOND}".replace("rate: 1.0", "rate: [1.0, .inf]", 1),
            ": quick.first.rate.1: must be finite",
        ),
        (
            f"quick:\n{GOOD}{SECOND}    options:\n      a: .nan\n",
            ": quick.second.options.a: must be finite",
        ),
        (
            f"quick:\n{GOOD}{SECOND}    length:\n      5:\n      6:\n        length: 5\n",
            ": quick.second.length.6.length: is 6 already; leave it out",
        ),
        (
            f"quick:\n{GOOD}{SECOND}".replace("gru", "\n      gru:\n      - {}\n      - {}", 1),
            ": quick.first: asks twice for one trial: ",
        ),
        (f"quick:\n{GOOD}{GOOD}", ": not readable as YAML: "),
        (f"quick:\n{GOOD}\tsecond: 1", ": not readable as YAML: "),
    ],
)
def test_a_mistake_in_a_study_s_file_is_one_line(tmp_path: Path, text: str, says: str):
    with pytest.raises(UserError) as caught:
        written(tmp_path, text)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path / 'toy.yaml'}{says}")


def test_a_study_without_a_file_is_one_line(tmp_path: Path):
    with pytest.raises(UserError, match=r"toy\.yaml: no such file; a study's values stand there"):
        params.trials("toy", PARTED, "quick", tmp_path)


# params.yaml


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("scale: quick", "scale: tiny", "scale: Input should be 'quick', 'standard' or 'paper'"),
        ("scale: quick\n", "", "scale: missing; give it a value"),
        ("scale: quick", "scale: quick\nscales: 3", "scales: unknown key; did you mean 'scale'?"),
        ("studies: all", "studies: pooling", "studies: should be all, or a list of names; given"),
        ("studies: all", "studies: [poolin]", "studies.0: 'poolin' is unknown: did you mean 'pool"),
        ("studies: all", "studies: []", "studies: List should have at least 1 item"),
        ("studies: all", "studies: [cures, cures]", "studies: 'cures' stands there twice; given"),
        ("- mnist", "- mnits", "data.sets.0: 'mnits' is unknown: did you mean 'mnist'?"),
        ("- mnist", "- mnist\n  - mnist", "data.sets: 'mnist' stands there twice"),
        ("quick: embedded", "quick: maybe", "data.offline.quick: Input should be 'embedded' or"),
        ("quick: embedded", "quik: error", "data.offline.quik: Input should be 'quick', 'standard"),
        ("  retries: 3", "  retires: 3", "dispatch.retires: unknown key; did you mean 'retries'?"),
        ("  retries: 3", "", "dispatch.retries: missing; give it a value"),
        (
            "cpus: 1 ",
            "cpus: -1 ",
            "dispatch.cpus: Input should be greater than or equal to 1; given: -1",
        ),
        ("gpus: 0 ", "gpus: one ", "dispatch.gpus: Input should be a valid number; given: 'one'"),
        ("gpus: 0 ", "gpus: .inf ", "dispatch.gpus: must be finite"),
        (
            "workers: auto",
            "workers: 0",
            "dispatch.workers: Input should be greater than or equal to 1, or: In",
        ),
        ("workers: auto", "workers: [2]", "dispatch.workers: Input should be a valid integer, or"),
        ("scale: quick", "scale: quick\n1: 2", "1: Keys should be strings; given: 1"),
        ("scale: quick", "scale: quick\nscale: paper", "not readable as YAML: "),
        ("scale: quick", "scale: 2001-99-99", "not readable as YAML: "),
        (COMMON, "3", "the whole file: Input should be a valid dictionary"),
        (COMMON, "", "the whole file: Input should be a valid dictionary"),
        (COMMON, "scale: [", "not readable as YAML: "),
        (COMMON, "\tx: 1", "not readable as YAML: "),
    ],
)
def test_a_mistake_in_what_is_common_is_one_line(tmp_path: Path, old: str, new: str, says: str):
    assert COMMON.count(old) == 1, "params.yaml has changed: change the test"
    with pytest.raises(UserError) as caught:
        loaded(tmp_path, COMMON.replace(old, new))
    lines = str(caught.value).splitlines()
    assert [line for line in lines if line.startswith(f"{tmp_path / 'params.yaml'}: {says}")]
    assert len(lines) == 1 + (old == "  retries: 3" and bool(new)), "and what is missing then"


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path):
    with pytest.raises(UserError, match="no such file; run from the folder that holds it"):
        params.load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").mkdir()
    with pytest.raises(
        UserError, match=r"params\.yaml: Is a directory; a folder lies where a file belongs"
    ):
        params.load(tmp_path / "params.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"scale: \xff")
    with pytest.raises(UserError, match=r"bytes\.yaml: not readable as YAML: "):
        params.load(tmp_path / "bytes.yaml")


def test_all_studies_are_asked_for_or_those_that_are_named(tmp_path: Path):
    assert loaded(tmp_path, COMMON).studies == list(STUDIES)
    one = COMMON.replace("studies: all", "studies: [pooling]")
    assert loaded(tmp_path, one).studies == ["pooling"]


def test_another_scale_changes_what_happens_to_missing_data(tmp_path: Path):
    settings = loaded(tmp_path, COMMON)
    assert (settings.scale, settings.offline) == ("quick", "embedded")
    assert settings.at("paper").offline == "error", "real rows are not replaced by stand-ins"
    assert settings.at(None) is settings
    with pytest.raises(UserError, match=r"'papr' is no scale: did you mean 'paper'\?"):
        settings.at("papr")


def test_a_scale_of_which_nothing_is_said_of_missing_data_waits(tmp_path: Path):
    text = COMMON.replace("    standard: error\n", "")
    assert loaded(tmp_path, text).at("standard").offline == "error"
