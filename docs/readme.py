"""python -m docs.readme: update the table of studies in the READMEs.

The table gives each study's question and the first sentence of its page's answer. The tests check
that the READMEs are up to date; only this command writes them.
"""

import itertools
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from docs.__main__ import WRITTEN
from docs.making import by_theme
from docs.usage import SCALE, Usage
from pipeline.reporting import imprint

WORDS = {Path("README.md"): Path("studies.yaml"), Path("README.zh.md"): Path("zh/studies.yaml")}
"""The READMEs, and the files in the folder of pages that hold the words of their tables."""
FROM, TO = "<!-- studies -->", "<!-- end of studies -->"
"""The marks before and after the table."""
SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")
"""The space between two sentences of an answer."""


def main() -> None:
    """Write the tables into the READMEs."""
    usage = Usage(Path())
    for path, words in WORDS.items():
        text = brought_to_date(path.read_text(encoding="utf-8"), WRITTEN / words, usage)
        path.write_text(text, encoding="utf-8")


def brought_to_date(text: str, words: Path, usage: Usage) -> str:
    """Return a README's text with a new table of studies, in the language of ``words``."""
    before, _, rest = text.partition(FROM)
    _, _, after = rest.partition(TO)
    said = YAML(typ="safe").load(words.read_text(encoding="utf-8"))
    return f"{before}{FROM}\n{_table(usage, said)}\n{TO}{after}"


def _table(usage: Usage, words: dict[str, Any]) -> str:
    """Return the table in Markdown."""
    lines = [f"| {' | '.join(words['columns'])} |", "|---|---|---|"]
    for study in itertools.chain(*by_theme(usage, words).values()):
        page = imprint.folder_of(study.name, SCALE, Path()).as_posix()
        link = f"[`{study.name}`]({page}/index.html)" if study.counts else f"`{study.name}`"
        answer = SENTENCE.split(study.answer, maxsplit=1)[0] or words["unanswered"]
        marks = "".join(f" *({mark})*" for mark in study.marks)
        cells = (each.replace("|", r"\|") for each in (link, study.question, answer + marks))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
