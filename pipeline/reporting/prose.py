"""A docstring as a page shows it: its sections, paragraphs, lists and references."""

import inspect
import re
from collections.abc import Iterator

from markupsafe import Markup, escape

HEADINGS = ("Expected", "References")
_HEADING = re.compile(rf"^({'|'.join(HEADINGS)}):[ \t]*", re.MULTILINE)
_ITEM = re.compile(r"^(?:\d+\.|[-*•])\s+")
_CODE = re.compile(r"``(.+?)``")
_LINK = re.compile(r"https?://[^\s<>]+[^\s<>.,;)]|arXiv:(\d{4}\.\d{4,5})")


def sections(doc: str | None) -> dict[str, str]:
    """Return a docstring's parts: ``question`` (its first paragraph), ``about``, each heading's."""
    opening, *rest = _HEADING.split(inspect.cleandoc(doc or ""))
    question, _, about = opening.strip().partition("\n\n")
    found = {"question": _line(question), "about": about.strip()}
    for heading, text in zip(rest[::2], rest[1::2], strict=True):
        found[heading.lower()] = inspect.cleandoc(text if text[:1] == "\n" else f"\n{text}")
    return {"expected": "", "references": "", **found}


def render(text: str) -> Markup:
    """Return the text's paragraphs, lists and, where it is indented, verbatim blocks."""
    return Markup("\n").join(_block(block) for block in re.split(r"\n\s*\n", text) if block.strip())


def numbered(text: str) -> dict[int, str]:
    """Return the items of a text's numbered lists, by number; without lists, the text as item 1."""
    found = {
        int(item.partition(".")[0]): _line(_ITEM.sub("", item))
        for block in re.split(r"\n\s*\n", text)
        for item in re.split(r"^(?=\d+\.\s)", inspect.cleandoc(f"\n{block}"), flags=re.MULTILINE)
        if re.match(r"\d+\.\s", item)
    }
    return found or ({1: _line(text)} if text.strip() else {})


def inline(text: str) -> Markup:
    """Return a sentence with its code marked as such."""
    return _inline(text)


def references(text: str) -> list[Markup]:
    """Return each reference on its own, with links.

    A reference begins at a line with a year in brackets, if the one before has ended with a full
    stop.
    """
    entries: list[str] = []
    for line in map(str.strip, text.splitlines()):
        ended = not entries or entries[-1].endswith(".")
        if line and ended and re.search(r"\(\d{4}\w?\)", line):
            entries.append(line)
        elif line and entries:
            entries[-1] += f" {line}"
        elif line:
            entries.append(line)
    return [_linked(entry) for entry in entries]


def _block(block: str) -> Markup:
    """Return one block: verbatim if indented, a list if numbered or marked, else a paragraph."""
    block = block.strip("\n")
    if all(line.startswith("    ") for line in block.splitlines()):
        return Markup("<pre>{}</pre>").format(inspect.cleandoc(f"\n{block}"))
    if _ITEM.match(block):
        kind = "ol" if block[0].isdigit() else "ul"
        items = Markup("").join(Markup("<li>{}</li>").format(_inline(i)) for i in _items(block))
        return Markup(f"<{kind}>{{}}</{kind}>").format(items)  # nosec B704 - kind is ol or ul
    return Markup("<p>{}</p>").format(_inline(_line(block)))


def _items(block: str) -> Iterator[str]:
    """Yield the items of a list without their marks."""
    item: list[str] = []
    for line in block.splitlines():
        if _ITEM.match(line) and item:
            yield " ".join(item)
            item = []
        item.append(_ITEM.sub("", line).strip())
    yield " ".join(item)


def _inline(text: str) -> Markup:
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # nosec B704 - it is escaped


def _linked(text: str) -> Markup:
    def link(found: re.Match[str]) -> str:
        address = f"https://arxiv.org/abs/{found[1]}" if found[1] else found[0]
        return f'<a href="{address}">{found[0]}</a>'

    return Markup(_LINK.sub(link, str(escape(text))))  # nosec B704 - it is escaped


def _line(text: str) -> str:
    return " ".join(text.split())
