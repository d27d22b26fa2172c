"""The pages that are made of files: every method has one, and it says what the file says."""

import importlib
import inspect
import re
from html import unescape
from pathlib import Path

import pytest

from docs.__main__ import write
from docs.links import broken
from docs.making import sections
from docs.members import Member, Room, rooms
from docs.outlines import DRAWN
from docs.usage import Usage
from lightning_modules.registry import Registry
from pipeline.reporting import prose
from pipeline.rooms import rooms as declared
from pipeline.studies import STUDIES

ROOMS = rooms()
EACH = [pytest.param(room, m, id=f"{room.name}.{m.name}") for room in ROOMS for m in room.members]
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pages = tmp_path_factory.mktemp("site") / "pages"
    write(pages)
    return pages


@pytest.fixture(scope="module")
def usage() -> Usage:
    return Usage(ROOT)


def _words(page: str) -> str:
    """Return the words of a page as a reader sees them."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page)).replace("``", "").split())


def _registry(room: Room) -> Registry:
    module = importlib.import_module(room.package)
    (found,) = (of for of in vars(module).values() if isinstance(of, Registry))
    return found


def test_every_room_that_keeps_a_contract_is_shown():
    assert {room.name for room in ROOMS} == declared().keys() - {
        "studies",
        "examinations",
        "contracts",
    }


@pytest.mark.parametrize(("room", "member"), EACH)
def test_every_method_has_a_page_that_holds_all_that_its_file_says(
    room: Room, member: Member, pages: Path
):
    page = (pages / "methods" / room.name / f"{member.name}.md").read_text()
    seen = _words(page.partition("## The file")[0])
    assert ("<svg xmlns" in page) == ('<figure class="outline">' in page) == (room.name in DRAWN)
    says = sections(member.doc)
    assert says["question"].replace("``", "") in seen
    for reference in prose.references(says["references"]):
        assert _words(reference) in seen
    for block in re.split(r"\n\s*\n", sections(member.doc)["about"]):
        assert _words(block.replace("<", "&lt;")) in seen
    assert _words(member.doc.partition("Where we differ")[2].split("\n\n")[0]) in seen
    assert not re.search(r"</?(pre|p|li|code)\b", seen), "HTML is shown as text"
    assert (
        f'<a href="{member.name}.html">' in (pages / "methods" / room.name / "index.md").read_text()
    )


@pytest.mark.parametrize(("room", "member"), EACH)
def test_a_page_describes_the_class_that_the_registry_picks(room: Room, member: Member):
    of = _registry(room)[member.name]
    assert of.__name__ == member.class_name
    expected = inspect.signature(of).parameters.values()
    assert [p.name for p in member.parameters] == [
        f"**{p.name}" if p.kind is p.VAR_KEYWORD else p.name for p in expected
    ]
    assert [bool(p.default) for p in member.parameters] == [
        p.default is not p.empty for p in expected
    ]
    claim = getattr(of, "claim", None)
    assert member.claim == (f"{claim.name.lower()}: its gradient {claim.value}" if claim else "")


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_a_page_with_its_question_and_its_answer(
    name: str, pages: Path, usage: Usage
):
    page = _words((pages / "studies" / f"{name}.md").read_text())
    assert prose.sections(STUDIES[name].doc)["question"] in page
    left = usage.left[name]
    if left:
        answers = re.findall(r'<p class="answer">(.*?)</p>', left.entry, re.DOTALL)
        for answer in map(_words, answers):
            assert answer in page or answer.startswith("No answer yet")
        for row in left.reproduced:
            assert row["row"] in page
            assert row["seen"] in page


def test_a_method_names_the_studies_whose_trials_reach_it_and_no_others(usage: Usage):
    (algorithms,) = (room for room in ROOMS if room.name == "algorithms")
    uoro, bptt = (m for name in ("uoro", "bptt") for m in algorithms.members if m.name == name)
    assert usage.studies_of(uoro) == ["online_algorithms"]
    assert "perceptron" not in usage.studies_of(bptt)
    used = usage.members_of("perceptron", ROOMS)
    assert [m.name for m in used["rules"]] == ["perceptron_rule"]


def test_a_published_figure_stands_on_the_page_of_what_it_is_about(usage: Usage):
    tasks = next(room for room in ROOMS if room.name == "tasks")
    adding = next(m for m in tasks.members if m.name == "adding")
    copy = next(m for m in tasks.members if m.name == "copy")
    assert "adding-chance-le" in [row["row"] for row in usage.published(adding, tasks)]
    assert "adding-chance-le" not in [row["row"] for row in usage.published(copy, tasks)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('<a href="gone.html">x</a>', "gone.html: is not there"),
        ('<a href="b.html#gone">x</a>', "b.html#gone: has no such place"),
        ('<a href="#gone">x</a>', "#gone: has no such place"),
        ('<a href="../outside.html">x</a>', "lies outside the site"),
        ('<img src="gone.png">', "gone.png: is not there"),
        ('<script src="https://cdn.example/x.js"></script>', "is fetched from the network"),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', "is fetched from the network"),
    ],
)
def test_what_leads_nowhere_or_into_the_network_is_told(tmp_path: Path, wrong: str, said: str):
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.html").write_text("")
    (site / "b.html").write_text('<h1 id="there">B</h1><a href="https://example.org">out</a>')
    right = '<a href="b.html#there">b</a><a href="#">top</a><p id="here"><a href="#here">here</a>'
    (site / "a.html").write_text(right)
    assert list(broken(site)) == []
    (site / "a.html").write_text(right + wrong)
    (line,) = broken(site)
    assert line.startswith("a.html: ")
    assert said in line
    assert list(broken(site, ("a.html",))) == []
