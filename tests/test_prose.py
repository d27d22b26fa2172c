"""Docstrings as pages show them."""

from pipeline.reporting.prose import references, render, sections
from tests.reporting import DOC


def test_a_docstring_is_cut_into_question_expectation_and_references():
    found = sections(DOC)
    assert found["question"] == "How fast does a network forget, & does <depth> matter?"
    assert render(found["about"]) == (
        "<p>A state decays by a factor a step. See <code>decay</code>.</p>"
    )
    assert render(found["expected"]) == (
        "<ol><li>The slope is what theory says, to 10 %.</li><li>Depth does not matter.</li>"
        "<li>Nobody looks at <code>this</code>.</li></ol>"
    )
    first, second = references(found["references"])
    assert first == "Nobody (1990), A title that goes on and on until it is done, Journal 1(2)."
    assert second == (
        'Somebody (1991), Another, <a href="https://arxiv.org/abs/1234.56789">arXiv:1234.56789</a>.'
    )
    inline = sections("Why?\n\nExpected: it falls,\nand stays.\n\n    a < b\n    c\n")
    assert render(inline["expected"]) == "<p>it falls, and stays.</p>\n<pre>a &lt; b\nc</pre>"
    assert sections(None) == {"question": "", "about": "", "expected": "", "references": ""}
