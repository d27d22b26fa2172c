"""Pages of methods and studies in Markdown, filled into the templates beside this file."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from docs.members import HOME, Member, Room
from docs.usage import SCALE, Usage
from pipeline.data.sources import SOURCES
from pipeline.reporting import placing, prose
from pipeline.reporting.counts import Counts
from pipeline.reporting.imprint import Imprint
from pipeline.reporting.overview import THEMES
from pipeline.studies import STUDIES

if TYPE_CHECKING:  # it imports torch
    from docs.outlines import Outline

TEMPLATES = Path(__file__).parent / "templates"
PAGES = Path(__file__).parent / "pages"
RECIPES = {"datasets": "data_set"}
"""By room: the page on adding a member, where its name is not the room's in the singular."""
LINE = 88
"""The most characters of a signature on one line."""
OF_PAPERS = re.compile(r"\b(the papers?'?s?|papers|published|drawn otherwise|differs?)\b", re.I)
DIFFERS = re.compile(r"Where we differ from\b")
"""The beginning of a docstring's paragraph on differences from the paper."""
BLANK = re.compile(r"\n\s*\n")
NO_ANSWER = "No answer yet"
SEEN = {
    "passages": "what comes back to a recurrent layer",
    "outputs": "what comes back to the layers of a feed-forward network",
    "modules": "what the layers of a feed-forward network put out",
    "updates": "an update of the weights",
    "losses": "the loss, which it takes again",
}
"""What probes observe, in words, by its name in ``sees``."""
MISSED = -1
"""The verdict of a missed claim in a page's summary."""
BY_WATCH = "passages"
"""What ``watch`` can show to probes in a user's own training loop, by its name in ``sees``."""


class Shown(NamedTuple):
    """A study as the site shows it."""

    name: str
    theme: str
    question: str
    answer: str
    """The study's answer; an empty string if there is none yet."""
    counts: str
    """How many claims hold, in words; an empty string if nothing was measured."""
    marks: list[str]
    """Reservations: missing trials, trials measured by earlier code, stand-ins for data sets."""


def fill(template: str, **shown: Any) -> str:
    """Return a filled template of the site; values that are not ``Markup`` are escaped."""
    filters = {"render": _render, "prose": prose.inline}
    return placing.fill(template, filters, TEMPLATES, scale=SCALE, **shown)


def member_page(member: Member, room: Room, usage: Usage, outline: "Outline | None" = None) -> str:
    """Return the page of a method, with its figure where it has one."""
    says = sections(member.doc)
    blocks, sentences = BLANK.split(says["about"]), list(_sentences(says["about"]))
    return fill(
        "member.md.j2",
        member=member,
        outline=outline,
        says=says,
        about="\n\n".join(block for block in blocks if not DIFFERS.match(block)),
        costs=[s for s in sentences if re.search(r"^Cost: |\bO\(", s)],
        beside=list(_beside_the_paper(says["about"])),
        facts=_facts(member),
        signature=_signature(member),
        studies={name: _question(name) for name in usage.studies_of(member)},
        rows=list(usage.published(member, room)),
        references=prose.references(says["references"]),
        source=(HOME / member.path).read_text(encoding="utf-8"),
    )


def room_page(room: Room, usage: Usage) -> str:
    """Return the page that lists a room's members."""
    title = room.name.replace("_", " ")
    recipe = RECIPES.get(room.name, room.name.removesuffix("s"))
    return fill(
        "room.md.j2",
        title=title[:1].upper() + title[1:],
        room=room,
        folder=room.package.replace(".", "/"),
        contract=room.contract.replace(":", "."),
        recipe=recipe if (PAGES / "add" / f"{recipe}.md").exists() else "",
        claims=any(member.claim for member in room.members),
        members=[(member, usage.studies_of(member)) for member in room.members],
    )


def probes_table(probes: Room) -> str:
    """Return a table in Markdown: which probes ``watch`` takes, and what each observes."""
    lines = ["| probe | your model, by `watch` | what it sees |", "|---|---|---|"]
    for probe in probes.members:
        seen = "; ".join(SEEN.get(what, what) for what in sorted(probe.sees))
        page = f"[`{probe.name}`](methods/{probes.name}/{probe.name}.md)"
        lines.append(f"| {page} | {'yes' if BY_WATCH in probe.sees else 'no'} | {seen} |")
    return "\n".join(lines)


def missed_table(usage: Usage) -> str:
    """Return the claims that were missed, study by study, as a table in Markdown."""
    lines = ["| study | claim |", "|---|---|"]
    for name, left in usage.left.items():
        for claim, verdict in left.summary["verdicts"].items() if left else ():
            if verdict == MISSED:
                said = claim.replace("|", r"\|")
                lines.append(f"| [{name}](studies/{name}.md) | {said} |")
    return "\n".join(lines)


def study_page(name: str, rooms: list[Room], usage: Usage) -> str:
    """Return the page of a study."""
    declared, left = STUDIES[name], usage.left[name]
    says = sections(declared.doc)
    named = {part: of.doc for part, of in declared.parts.items() if part}
    return fill(
        "study.md.j2",
        study=_shown(name, left),
        says=says,
        parts={part: sections(doc) for part, doc in named.items()},
        used=usage.members_of(name, rooms),
        rows=left.reproduced if left else [],
        references=prose.references(says["references"]),
    )


def studies_page(usage: Usage, words: dict[str, Any], below: str, up: str) -> str:
    """Return the page that lists all studies, in the language of ``words``.

    Args:
        usage: the records of the studies' pages.
        words: ``title``, ``opening``, ``unanswered``, ``page``, and translations, if any: of
            ``themes``, of ``questions`` and, as patterns and replacements, of phrases ``said`` of
            trials and claims.
        below: the relative path from this page to the studies' own pages.
        up: the relative path from this page to the top of the site.
    """
    themes = by_theme(usage, words)
    return fill("studies.md.j2", themes=themes, words=words, below=below, up=up)


def by_theme(usage: Usage, words: dict[str, Any]) -> dict[str, list[Shown]]:
    """Return all studies by theme, in the language of ``words``."""
    themes: dict[str, list[Shown]] = {theme: [] for theme in THEMES}
    for name in STUDIES:
        study = _translated(_shown(name, usage.left[name]), words)
        themes.setdefault(study.theme, []).append(study)
    return {theme: studies for theme, studies in themes.items() if studies}


def _shown(name: str, left: Imprint | None) -> Shown:
    """Return a study as the record of its page, ``left``, describes it."""
    question = _question(name)
    if left is None:
        return Shown(name, STUDIES[name].theme, question, "", "", [])
    answer = "" if left.answer.startswith(NO_ANSWER) else left.answer
    trials = left.summary["trials"]
    asked, finished, stale = (trials[kind] for kind in ("asked", "finished", "stale"))
    marks = [f"{asked - finished:,} of {asked:,} trials are missing"] if asked > finished else []
    marks += [f"Measured by earlier code: {stale:,} of {finished:,} trials"] if stale else []
    marks += ["With stand-ins for data sets"] if left.summary["embedded"] else []
    counts = Counts(**left.summary["claims"]).words()
    return Shown(name, left.theme, question, answer, counts, marks)


def _translated(study: Shown, words: dict[str, Any]) -> Shown:
    """Return a study with question, counts and marks translated where ``words`` has them."""

    def said(text: str) -> str:
        for pattern, instead in words["said"].items():
            text = re.sub(pattern, instead, text)
        return text

    return study._replace(
        question=words["questions"].get(study.name, study.question),
        counts=said(study.counts),
        marks=[said(mark) for mark in study.marks],
    )


def sections(doc: str | None) -> dict[str, str]:
    """Return the sections of a docstring as ``prose.sections`` does, with two differences.

    An indented block at the beginning of ``about`` stays verbatim, and a paragraph on differences
    from the paper that follows the references is moved to ``about``.
    """
    text = inspect.cleandoc(doc or "").partition("\n\n")[2]
    about = re.split(rf"^(?:{'|'.join(prose.HEADINGS)}):", text, maxsplit=1, flags=re.MULTILINE)[0]
    says = prose.sections(doc)
    blocks = BLANK.split(says["references"])
    beside = [block for block in blocks if DIFFERS.match(block)]
    return says | {
        "about": "\n\n".join([about.strip("\n"), *beside]).strip("\n"),
        "references": "\n".join(block for block in blocks if block not in beside),
    }


def _render(text: str) -> Markup:
    """Return a docstring's text as HTML, in which verbatim blocks can be scrolled by keyboard."""
    html = str(prose.render(text)).replace("<pre>", '<pre tabindex="0">')
    return Markup(html)  # nosec B704 - it was escaped when it was rendered


def _question(name: str) -> str:
    return prose.sections(STUDIES[name].doc)["question"]


def _sentences(text: str) -> Iterator[str]:
    """Iterate over the sentences of a docstring's paragraphs, without indented lines."""
    for block in BLANK.split(text):
        lines = [line for line in block.splitlines() if not line.startswith("    ")]
        yield from re.split(r"(?<=[.:]) (?=[A-ZÀ-Þ])(?<!vs\. )(?<!i\.e\. )", " ".join(lines))


def _beside_the_paper(text: str) -> Iterator[str]:
    """Iterate over what a docstring says of the paper: paragraphs on differences, or sentences."""
    for block in BLANK.split(text):
        if DIFFERS.match(block):
            yield " ".join(block.split())
        else:
            yield from (s for s in _sentences(block) if OF_PAPERS.search(s))


def _signature(member: Member) -> str:
    """Return the call that builds a method, with a line for each parameter if it is too long."""
    arguments = [
        of.name + (f": {of.type}" if of.type else "") + (f" = {of.default}" if of.default else "")
        for of in member.parameters
    ]
    line = f"{member.class_name}({', '.join(arguments)})"
    if len(line) <= LINE:
        return line
    each = textwrap.indent(",\n".join(arguments), "    ")
    return f"{member.class_name}(\n{each},\n)"


def _facts(member: Member) -> dict[str, str | Markup]:
    """Return further facts about a method: for a data set its source, for others none."""
    source = SOURCES.get(member.name) if member.room == "datasets" else None
    if source is None:
        return {}
    links = Markup(", ").join(
        Markup('<a href="{0}">{0}</a>').format(address.removesuffix("{file}"))
        for address in source.addresses
    )
    return {
        "size": f"{source.count:,} {source.unit}",
        "licence": source.licence,
        "citation": source.citation,
        "without network": source.embedded.title if source.embedded else "nothing stands in",
        "addresses": links or "none: it comes from DATA_MIRROR, or with a package",
    }
