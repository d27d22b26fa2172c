"""Networks of trees, and the expressions that they read."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lightning_modules.interfaces import Batch
from lightning_modules.networks._trees import TreeNetwork
from lightning_modules.networks.recursive import Recursive
from lightning_modules.networks.sequence_classifier import SequenceClassifier
from lightning_modules.networks.tree_lstm import TreeLSTM
from pipeline.tasks import TASKS
from pipeline.tasks._expressions import Expressions
from pipeline.tasks.listops import ListOps
from pipeline.tasks.nested_arithmetic import NestedArithmetic

NETWORKS = pytest.mark.parametrize("kind", [Recursive, TreeLSTM])
EXPRESSIONS = pytest.mark.parametrize("name", ["nested_arithmetic", "listops"])


def task(name: str, depth: int = 3, **options: Any) -> Expressions:
    return TASKS[name](seed=1, batch_size=20, held_out_size=30, depth=depth, **options)


def words_of(source: Expressions, batch: Batch) -> list[list[str]]:
    """Return each expression's tokens."""
    return [
        [source.symbols[i] for i in ids_T if i] for ids_T in batch.x_TBI[..., 0].t().long().tolist()
    ]


def plainly(network: TreeNetwork, x_TI: Tensor) -> Tensor:
    """Return a tree's outputs by a recursion over nodes, one at a time."""

    def state(node: int) -> Tensor:
        s_1S = network.leaf(network.embedding(x_TI[node, :1].long()))
        for child, (_, parent) in enumerate(x_TI.tolist()):
            if parent == node + 1 and child != node:
                s_1S = network.merge(s_1S, state(child))
        return s_1S

    (root,) = (i for i, (_, parent) in enumerate(x_TI.tolist()) if parent == i + 1)
    return network.readout(state(root)[0, : network.hidden_size])


@NETWORKS
@EXPRESSIONS
def test_trees_composed_at_once_are_those_composed_by_recursion_with_the_same_gradient(
    kind: Any, name: str
) -> None:
    torch.manual_seed(0)
    source = task(name)
    x_TBI = source.batch(0).x_TBI
    network = kind(len(source.symbols), source.output_size, hidden_size=5).double()
    z_BO = network(x_TBI)[0]
    by_recursion_BO = torch.stack([plainly(network, x_TI) for x_TI in x_TBI.unbind(1)])
    torch.testing.assert_close(z_BO, by_recursion_BO, rtol=1e-12, atol=1e-12)
    v_BO, weights = torch.randn_like(z_BO), list(network.parameters())
    at_once, recursive = (
        torch.autograd.grad((z * v_BO).sum(), weights) for z in (z_BO, by_recursion_BO)
    )
    for one, other in zip(at_once, recursive, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_a_tree_lstm_is_its_equations() -> None:
    torch.manual_seed(0)
    network = TreeLSTM(5, 2, hidden_size=3).double()
    s_1S, child_1S = torch.randn(1, 6).double(), torch.randn(1, 6).double()
    (h, c), (k, d) = s_1S[0].split(3), child_1S[0].split(3)
    W, b = network.pair.weight, network.pair.bias
    i, f, f_child, o, g = (W @ torch.cat([h, k]) + b).split(3)
    memory = i.sigmoid() * g.tanh() + f.sigmoid() * c + f_child.sigmoid() * d
    expected = torch.cat([o.sigmoid() * memory.tanh(), memory])
    torch.testing.assert_close(network.merge(s_1S, child_1S)[0], expected)


@NETWORKS
def test_padding_brackets_and_ids_of_other_floats_change_nothing(kind: Any) -> None:
    torch.manual_seed(0)
    source = task("nested_arithmetic")
    x_TBI = source.batch(0).x_TBI
    network = kind(len(source.symbols), 10, hidden_size=5)
    longer_TBI = torch.cat([x_TBI, torch.zeros_like(x_TBI[:4])])
    no_brackets_TBI = x_TBI.clone()
    no_brackets_TBI[..., 0] = x_TBI[..., 0] * (x_TBI[..., 1] > 0)
    for other_TBI in (longer_TBI, no_brackets_TBI, x_TBI.float()):
        torch.testing.assert_close(network(other_TBI)[0], network(x_TBI)[0])


def test_an_error_flows_over_merges_not_over_tokens() -> None:
    torch.manual_seed(0)
    source = task("nested_arithmetic", depth=4)
    (batch,) = source.of_depth(4)
    network = Recursive(len(source.symbols), 10, hidden_size=5)
    composed = network.composed(batch.x_TBI)
    assert len(composed.rounds) - 1 == 2 * 4
    assert len(batch.x_TBI) > 16
    assert len(composed.step_N) == int((batch.x_TBI[..., 1] > 0).sum())


@pytest.mark.parametrize(
    "parents",
    [[0, 0, 0], [1, 2, 0], [3, 3, 0], [1, 3, 2], [1, 1, 4], [1, 1, -1], [1, 1, 9]],
    ids=["none", "two roots", "no node above", "circle", "beyond", "negative", "far beyond"],
)
def test_what_is_no_tree_is_refused_in_a_line(parents: list[int]) -> None:
    x_TBI = torch.tensor([[[1, parent]] for parent in parents])
    with pytest.raises(ValueError, match="column 1 of x holds no trees") as refused:
        Recursive(3, 2, hidden_size=2)(x_TBI)
    assert "\n" not in str(refused.value)


def test_a_sequential_network_reads_the_tokens_alone() -> None:
    torch.manual_seed(0)
    source = task("listops")
    x_TBI = source.batch(0).x_TBI
    network = SequenceClassifier(
        len(source.symbols), 10, pooling="last", word_size=4, hidden_size=5, layer="gru"
    )
    other_TBI = x_TBI.clone()
    other_TBI[..., 1] = 0
    torch.testing.assert_close(network(other_TBI), network(x_TBI), rtol=0, atol=0)


def arithmetic(tokens: list[str]) -> int:
    """Return the value of a sum or difference, by Python itself."""
    return eval("".join(tokens))


def listops(tokens: list[str]) -> int:
    """Return the value of a list, by reading from the left with a stack."""
    stack: list[list[Any]] = [[]]
    for token in tokens:
        if token.startswith("["):
            stack.append([token])
        elif token == "]":
            operator, *values = stack.pop()
            values.sort()
            value = {
                "[MAX": values[-1],
                "[MIN": values[0],
                "[SM": sum(values) % 10,
                "[MED": (values[(len(values) - 1) // 2] + values[len(values) // 2]) // 2,
            }[operator]
            stack[-1].append(value)
        else:
            stack[-1].append(int(token))
    return stack[0][0]


@pytest.mark.parametrize(("depth", "modulus"), [(1, 10), (4, 10), (6, 5)])
def test_a_nested_sum_has_the_value_that_python_gives_it(depth: int, modulus: int) -> None:
    source = task("nested_arithmetic", modulus=modulus)
    for batch in (source.batch(0), *source.of_depth(depth)):
        y_B = batch.y_TB[batch.mask_TB.long().argmax(dim=0), torch.arange(batch.y_TB.shape[1])]
        values = [arithmetic(tokens) % modulus for tokens in words_of(source, batch)]
        assert y_B.tolist() == values


@pytest.mark.parametrize("depth", [1, 4, 6])
def test_a_list_has_the_value_that_a_stack_gives_it(depth: int) -> None:
    source = task("listops")
    for batch in (source.batch(0), *source.of_depth(depth)):
        y_B = batch.y_TB[batch.mask_TB.long().argmax(dim=0), torch.arange(batch.y_TB.shape[1])]
        assert y_B.tolist() == [listops(tokens) for tokens in words_of(source, batch)]


@EXPRESSIONS
@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_expressions_of_a_depth_are_of_that_depth_in_brackets_and_in_the_tree(
    name: str, depth: int
) -> None:
    source = task(name)
    (batch,) = source.of_depth(depth)
    for b, tokens in enumerate(words_of(source, batch)):
        opened = np.cumsum([("(" in t or "[" in t) - (t in (")", "]")) for t in tokens])
        assert max(opened) == depth
        assert opened[-1] == 0
        parents = batch.x_TBI[: len(tokens), b, 1].tolist()
        heights = [_height(parents, node) for node, up in enumerate(parents) if up]
        assert max(heights) == depth
        assert sum(up == 0 for up in parents) == sum(t in ("(", ")", "]") for t in tokens)


def _height(parents: list[int], node: int) -> int:
    up = parents[node] - 1
    return 0 if up == node else 1 + _height(parents, up)


@EXPRESSIONS
def test_what_is_trained_on_is_shallow_and_the_last_token_counts_alone(name: str) -> None:
    source = task(name, depth=2)
    seen = set()
    for i in range(5):
        batch = source.batch(i)
        lengths_B = (batch.x_TBI[..., 0] > 0).sum(dim=0)
        assert torch.equal(batch.mask_TB.long().argmax(dim=0), lengths_B - 1)
        assert (batch.mask_TB.sum(dim=0) == 1).all()
        for b in range(20):
            parents = batch.x_TBI[..., 1][:, b].tolist()
            seen.add(max(_height(parents, node) for node, up in enumerate(parents) if up))
    assert seen == {1, 2}
    first, again = (torch.cat([x.x_TBI.flatten() for x in source.of_depth(3)]) for _ in range(2))
    assert torch.equal(first, again)


def test_sizes_that_make_no_expressions_are_refused() -> None:
    with pytest.raises(ValueError, match="depth is 0"):
        task("listops", depth=0)
    with pytest.raises(ValueError, match="arguments is 1"):
        ListOps(0, 1, 1, 1, arguments=1)
    with pytest.raises(ValueError, match="modulus is 1"):
        NestedArithmetic(0, 1, 1, 1, modulus=1)
