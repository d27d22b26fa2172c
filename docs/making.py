"""Methods and studies -> pages in Markdown, by the templates beside this."""

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

if TYPE_CHECKING:  # torch comes with it
    from docs.outlines import Outline

TEMPLATES = Path(__file__).parent / "templates"
PAGES = Path(__file__).parent / "pages"
RECIPES = {"datasets": "data_set"}
"""The recipe for adding a member of a room, where it is not called as one of them."""
LINE = 88
"""Characters of a signature's line."""
OF_PAPERS = re.compile(r"\b(the papers?'?s?|papers|published|drawn otherwise|differs?)\b", re.I)
DIFFERS = re.compile(r"Where we differ from\b")
"""How a docstring's paragraph on the paper begins, where it is one of its own."""
BLANK = re.compile(r"\n\s*\n")
NO_ANSWER = "No answer yet"
SEEN = {
    "passages": "what comes back to a recurrent layer",
    "outputs": "what comes back to the layers of a feed-forward network",
    "modules": "what the layers of a feed-forward network put out",
    "updates": "an update of the weights",
    "losses": "the loss, which it takes again",
}
"""What probes see, in words."""
MISSED = -1
"""A claim's verdict in a summary, where it was missed."""
BY_WATCH = "passages"
"""What of it a training loop of one's own shows."""


class Shown(NamedTuple):
    """A study as its pages show it."""

    name: str
    theme: str
    question: str
    answer: str
    """An empty string while there is none."""
    counts: str
    """How many claims hold; an empty string where nothing was measured."""
    marks: list[str]
    """What has to be known beside: trials that are missing, or were measured by earlier code."""


def fill(template: str, **shown: Any) -> str:
    """Return a filled template of the site; what is no ``Markup`` is escaped."""
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
    """Return which probes work where, as a table in Markdown."""
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
    """Return the page that lists all studies, with ``words`` in the reader's language.

    Args:
        usage: what their pages left.
        words: ``title``, ``opening``, ``unanswered``, ``page``, and translations of ``themes``,
            of ``questions`` and, as patterns and what replaces them, of what is ``said`` of trials
            and claims, where there are any.
        below: where the studies' own pages stand, seen from this one.
        up: the top of the site, seen from this one.
    """
    themes = by_theme(usage, words)
    return fill("studies.md.j2", themes=themes, words=words, below=below, up=up)


def by_theme(usage: Usage, words: dict[str, Any]) -> dict[str, list[Shown]]:
    """Return all studies by their themes, with ``words`` in the reader's language."""
    themes: dict[str, list[Shown]] = {theme: [] for theme in THEMES}
    for name in STUDIES:
        study = _translated(_shown(name, usage.left[name]), words)
        themes.setdefault(study.theme, []).append(study)
    return {theme: studies for theme, studies in themes.items() if studies}


def _shown(name: str, left: Imprint | None) -> Shown:
    """Return a study as its page left it."""
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
    """Return a study with what can be said in the reader's language."""

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
    """Return what ``prose.sections`` does, but for what comes first or last of a docstring.

    What is set verbatim stays so where it comes first, and what is said of the paper behind the
    references is none of them.
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
    """Return a docstring's text as HTML; what is set verbatim can be scrolled by keys."""
    html = str(prose.render(text)).replace("<pre>", '<pre tabindex="0">')
    return Markup(html)  # nosec B704 - it was escaped when it was rendered


def _question(name: str) -> str:
    return prose.sections(STUDIES[name].doc)["question"]


def _sentences(text: str) -> Iterator[str]:
    """Iterate over the sentences of a docstring's paragraphs, without what is set verbatim."""
    for block in BLANK.split(text):
        lines = [line for line in block.splitlines() if not line.startswith("    ")]
        yield from re.split(r"(?<=[.:]) (?=[A-ZÀ-Þ])(?<!vs\. )(?<!i\.e\. )", " ".join(lines))


def _beside_the_paper(text: str) -> Iterator[str]:
    """Iterate over what a docstring says of the paper: a paragraph of its own, or sentences."""
    for block in BLANK.split(text):
        if DIFFERS.match(block):
            yield " ".join(block.split())
        else:
            yield from (s for s in _sentences(block) if OF_PAPERS.search(s))


def _signature(member: Member) -> str:
    """Return how a method is called, a line for each parameter where one line is too short."""
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
    """Return what else is known of a method: of a data set, where it comes from."""
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
