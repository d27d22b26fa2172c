"""What README.md shows in Python does what it says there, and its table is what pages say."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from docs import readme
from docs.__main__ import WRITTEN
from docs.usage import Usage
from pipeline.commands import COMMANDS
from pipeline.studies import STUDIES

README = Path(__file__).parents[1] / "README.md"
ALGORITHM, NETWORK, WATCH, GRAPH = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)


def _shown(*snippets: str, **given: Any) -> dict[str, Any]:
    """Return the names that hold something after the snippets."""
    for snippet in snippets:
        exec(compile(snippet, README.name, "exec"), given)
    return given


def test_an_algorithm_gives_a_cells_gradient() -> None:
    names = _shown(ALGORITHM)
    assert len(names["gradient_P"]) == sum(w.numel() for w in names["cell"].parameters())
    assert names["gradient_P"].norm() > 0


def test_networks_are_as_large_as_it_says() -> None:
    names = _shown(NETWORK, torch=torch)
    lenet5 = sum(w.numel() for w in names["lenet5"].parameters() if w.requires_grad)
    assert f"{lenet5:,} parameters" in NETWORK
    assert names["classes_TBO"].shape == (1, 8, 10)


@pytest.mark.parametrize(("path", "words"), readme.WORDS.items(), ids=str)
def test_its_table_says_what_the_studies_pages_answer(path: Path, words: Path) -> None:
    text = (README.parent / path).read_text(encoding="utf-8")
    now = readme.brought_to_date(text, WRITTEN / words, Usage(README.parent))
    assert now == text, f"make docs brings the table of {path} to date"
    assert all(f"`{name}`" in text for name in STUDIES)


@pytest.mark.parametrize("name", [name.replace("_", "-") for name in COMMANDS])
def test_every_command_is_told_of(name: str) -> None:
    assert re.search(rf"`python -m pipeline {name}\b", README.read_text())


def test_a_model_is_watched(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.LSTM(3, 4)

    def train(model: nn.LSTM) -> None:
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(5, 2, 3))[0].square().sum().backward()
            optimizer.step()

    names = _shown(WATCH, model=model, train=train)
    assert {row["probe"] for row in names["record"].rows} == {"error_flow", "horizon"}
    assert str(names["record"].rows) in capsys.readouterr().out


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_graph_gives_the_gradient_of_new_inputs() -> None:
    names = _shown(ALGORITHM)

    def credit(t: int, s_BS: Tensor) -> Tensor:
        return s_BS

    given = {name: names[name].to("cuda") for name in ("cell", "x_TBI", "s_BS")}
    given |= {"torch": torch, "ALGORITHMS": names["ALGORITHMS"], "credit": credit}
    next_TBI = torch.randn_like(given["x_TBI"])
    after = _shown(GRAPH, next_TBI=next_TBI, **given)
    expected_P = after["BPTT"].gradient(given["cell"], next_TBI, given["s_BS"], credit)
    torch.testing.assert_close(after["gradient_P"], expected_P)
