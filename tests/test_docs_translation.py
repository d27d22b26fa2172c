"""What is said in Simplified Chinese as well has the same commands and code."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from docs.__main__ import WRITTEN
from docs.making import studies_page
from docs.usage import Usage
from pipeline.studies import STUDIES

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
COMMAND = re.compile(r"^(python|make|dvc|source|gradient-dynamics|pip|ray)\b")
TRANSLATED = [
    pytest.param(ROOT / "README.md", ROOT / "README.zh.md", id="README"),
    pytest.param(WRITTEN / "index.md", WRITTEN / "zh" / "index.md", id="start"),
]


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED)
def test_commands_and_code_of_a_translation_are_those_of_the_original(english: Path, chinese: Path):
    texts = [path.read_text(encoding="utf-8") for path in (english, chinese)]
    one, other = (BLOCK.findall(text) for text in texts)
    why = f"{chinese.name} is to be brought to date with {english.name}"
    assert one == other, why
    bare = [BLOCK.sub("", text) for text in texts]
    one, other = (sorted(filter(COMMAND.match, CODE.findall(text))) for text in bare)
    assert one == other, why
    one, other = (len(re.findall(r"^#+ ", text, re.MULTILINE)) for text in bare)
    assert one == other, why


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED)
def test_a_translation_and_its_original_are_linked(english: Path, chinese: Path):
    to = chinese.relative_to(english.parent).as_posix()
    assert f"[简体中文]({to})" in english.read_text(encoding="utf-8")
    up = "../" * (len(chinese.relative_to(english.parent).parts) - 1)
    assert f"[English]({up}{english.name})" in chinese.read_text(encoding="utf-8")


def test_every_study_is_asked_in_chinese_and_nothing_of_it_is_left_out():
    words = YAML(typ="safe").load((WRITTEN / "zh" / "studies.yaml").read_text(encoding="utf-8"))
    assert set(words["questions"]) <= set(STUDIES), "a question of a study that is gone"
    page = studies_page(Usage(ROOT), words, "../studies/", "../")
    for name in STUDIES:
        assert f'<a href="../studies/{name}.html">' in page
    for said in ("hold", "undecided", "missing", "earlier code"):
        counts = re.findall(r'<p class="counts">(.*?)</p>', page, re.DOTALL)
        assert not any(said in re.sub(r"<code>.*?</code>|<a .*?</a>", "", each) for each in counts)
