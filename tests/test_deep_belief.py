"""Stacks of RBMs: learned greedily, directed, generating, and as the start of other networks."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.energies.dbn import DBN
from lightning_modules.energies.estimators.contrastive_divergence import ContrastiveDivergence
from lightning_modules.energies.estimators.persistent import Persistent
from lightning_modules.energies.linear_rbm import LinearRBM
from lightning_modules.energies.rbm import RBM
from lightning_modules.networks.autoencoder import Autoencoder
from lightning_modules.networks.mlp import MLP
from lightning_modules.training.energy import EnergyLearner
from lightning_modules.training.fit import fit
from lightning_modules.training.greedy import Lifted, greedy
from lightning_modules.training.stacks import into_autoencoder, into_mlp
from tests.energy_cases import shaken, states_of
from tests.test_energy_learner import Stripes
from tests.test_training_runs import RUN, killed

CD = ContrastiveDivergence


def stack(classes: int = 3, spread: float = 0.7) -> list[RBM]:
    torch.manual_seed(0)
    sizes = {"estimator": CD(), "spread": spread}
    return [RBM(4, 5, **sizes), RBM(5, 3, **sizes), RBM(3, 6, classes=classes, **sizes)]


def biased(rbms: list[RBM]) -> list[RBM]:
    for rbm in rbms:
        shaken(rbm)
    return rbms


def features(network: MLP, x_NI: Tensor) -> Tensor:
    """Return what the last hidden layer gives out."""
    *hidden, _ = network.children()
    return nn.Sequential(*hidden)(x_NI)


def test_a_network_that_starts_from_a_stack_is_that_stack_bit_for_bit() -> None:
    rbms = biased(stack())
    dbn, network = DBN(rbms), MLP(4, 3, [5, 3, 6], "logistic")
    into_mlp(rbms, network)
    x_NI = torch.rand(7, 4)
    with torch.no_grad():
        lower = features(MLP(4, 1, [5], "logistic"), x_NI)
        assert not torch.equal(lower, dbn.means(x_NI)[1])
        h_NH = x_NI
        layers: dict[str, Any] = dict(network.named_children())
        for place, mean_NH in enumerate(dbn.means(x_NI)[1:], start=1):
            h_NH = layers[f"hidden{place}"](h_NH).sigmoid()
            assert torch.equal(h_NH, mean_NH)
        top = dbn.top
        W_IH, W_KH = top.W.split([3, 3])
        z_NK = (h_NH @ W_IH + top.c).sigmoid() @ W_KH.t() + top.b[3:]
    torch.testing.assert_close(network(x_NI), z_NK)
    assert torch.equal(layers["hidden1"].weight, rbms[0].W.t())
    copied = copy.deepcopy(layers["hidden1"].weight)
    with torch.no_grad():
        rbms[0].W.zero_()
    assert torch.equal(layers["hidden1"].weight, copied), "copied, not shared"


def test_fine_tuning_begins_at_the_stack_bit_for_bit() -> None:
    rbms = [RBM(4, 5, CD(), spread=1.0), RBM(5, 6, CD(), spread=1.0)]
    network, twin = MLP(4, 4, [5, 6], "logistic"), MLP(4, 4, [5, 6], "logistic")
    twin.load_state_dict(network.state_dict())
    into_mlp(rbms, network)
    with torch.no_grad():
        for place, rbm in enumerate(rbms, start=1):
            layer = twin.get_submodule(f"hidden{place}")
            layer.weight.copy_(rbm.W.t())  # pyright: ignore
            layer.bias.copy_(rbm.c)  # pyright: ignore
    x_NI = torch.rand(9, 4)
    assert torch.equal(network(x_NI), twin(x_NI))
    ends: list[Any] = [of.get_submodule("output") for of in (network, twin)]
    assert torch.equal(ends[0].weight, ends[1].weight)


def test_an_autoencoder_starts_as_a_stack_goes_up_and_down() -> None:
    torch.manual_seed(1)
    low, code = shaken(RBM(6, 4, CD())), shaken(LinearRBM(4, 2, CD()))
    assert isinstance(low, RBM)
    assert isinstance(code, LinearRBM)
    network = Autoencoder(6, [4, 2])
    into_autoencoder([low, code], network)
    x_NI = torch.rand(5, 6)
    with torch.no_grad():
        told_NH = code.hidden(low.hidden(x_NI))
        torch.testing.assert_close(network.encode(x_NI), told_NH)
        torch.testing.assert_close(network(x_NI), low.visible(code.visible(told_NH)))


def test_what_does_not_fit_is_refused_in_a_line() -> None:
    rbms = stack()
    for build, says in (
        (lambda: DBN([]), "a stack of no RBMs"),
        (lambda: DBN([rbms[1], rbms[0]]), "an RBM of 3 hidden units and 0 classes below"),
        (lambda: DBN([RBM(4, 4, CD(), classes=2), RBM(4, 2, CD())]), "classes stand at the top"),
        (lambda: into_mlp(rbms, MLP(4, 3, [5, 3], "logistic")), "3 RBMs start as many hidden"),
        (lambda: into_mlp(rbms, MLP(4, 3, [5, 3, 7], "logistic")), "build both of the same sizes"),
        (lambda: into_autoencoder(rbms[:2], Autoencoder(4, [5])), "2 RBMs start as many encoding"),
        (lambda: DBN(rbms[:2]).generated(torch.zeros(1).long(), 1), "no classes at the top"),
        (lambda: Lifted(Stripes(), [], True), "an RBM has classes, but the task's loss is"),
    ):
        with pytest.raises(ValueError, match=says) as refused:
            build()
        assert "\n" not in str(refused.value)


def test_the_energy_is_that_of_the_directed_layers_and_the_top() -> None:
    torch.manual_seed(0)
    dbn = DBN(biased([RBM(2, 2, CD()), RBM(2, 2, CD(), classes=2)])).double()
    x_NI, h_NH, top_NH = states_of(2), states_of(2), states_of(2)
    with torch.no_grad():
        total = 0.0
        for h_H in h_NH:
            for k in range(2):
                t_K = torch.eye(2).double()[k]
                for g_H in top_NH:
                    s_NS = torch.cat([x_NI, torch.cat([h_H, t_K, g_H]).expand(4, -1)], dim=1)
                    at_top = dbn.top.energy(torch.cat([h_H, t_K, g_H])[None])
                    total += float((-dbn.energy(s_NS)).exp().sum())
                    each = (-dbn.energy(s_NS) + at_top).exp().sum()
                    assert float(each) == pytest.approx(1), "p(x | h) sums to one"
        assert total == pytest.approx(float(dbn.top.log_partition().exp()))


def test_up_down_is_the_gradient_of_what_each_half_predicts() -> None:
    torch.manual_seed(0)
    dbn = DBN(biased(stack()))
    x_BI, t_BO = torch.rand(200_000, 4), torch.eye(3)[torch.arange(200_000) % 3]
    learned = dbn.learn(x_BI, t_BO)
    by_name = dict(zip(dict(dbn.named_parameters()), learned.gradient, strict=True))
    with torch.no_grad():
        h_NH = dbn.means(x_BI)[1]
        h_NH = torch.rand_like(h_NH).lt(h_NH).float()
    first: Any = dbn.generative[0]
    z_NV = first(h_NH)
    loss = nn.functional.binary_cross_entropy_with_logits(z_NV, x_BI, reduction="none")
    expected = torch.autograd.grad(loss.sum(dim=1).mean(), list(first.parameters()))
    for name, g in zip(("weight", "bias"), expected, strict=True):
        torch.testing.assert_close(by_name[f"generative.0.{name}"], g, rtol=0, atol=0.01)
    assert all(bool(g.any()) for g in learned.gradient)


def test_dreams_move_recognition_alone_and_what_was_seen_generation_alone() -> None:
    dbn, t_BO = DBN(biased(stack())), torch.eye(3)
    torch.manual_seed(1)
    one = dict(
        zip(dict(dbn.named_parameters()), dbn.learn(torch.zeros(3, 4), t_BO)[0], strict=True)
    )
    torch.manual_seed(1)
    seen = torch.tensor([[1.0, 0, 1, 0]] * 3)
    two = dict(zip(dict(dbn.named_parameters()), dbn.learn(seen, t_BO)[0], strict=True))
    assert not torch.equal(one["generative.0.weight"], two["generative.0.weight"])
    exact = copy.deepcopy(dbn)
    for layer in exact.recognition:
        nn.init.zeros_(layer.weight)  # pyright: ignore
        nn.init.constant_(layer.bias, -100.0)  # pyright: ignore
    still = dict(zip(dict(exact.named_parameters()), exact.learn(seen, t_BO)[0], strict=True))
    assert not still["generative.0.weight"].any(), "nothing was on above what was seen"
    assert still["recognition.0.bias"].abs().max() > 0


def test_greedy_layers_learn_the_means_of_those_below(tmp_path: Any) -> None:
    torch.manual_seed(0)
    rbms = [RBM(4, 8, CD(), spread=0.5), RBM(8, 16, CD(), classes=4, spread=0.5)]
    task = Stripes(classes=True)
    rows = greedy(
        rbms, task, steps=300, optimizer="sgd", rates=[0.5, 0.5], seed=0, scratch=tmp_path
    )
    assert [row["layer"] for row in rows] == [1, 1, 2, 2]
    lifted = Lifted(task, rbms[:1], True)
    batch = lifted.batch(3)
    torch.testing.assert_close(batch.x_TBI[0], rbms[0].hidden(task.batch(3).x_TBI[0]).detach())
    assert torch.equal(batch.y_TB, task.batch(3).y_TB)
    assert lifted.input_size == 8
    assert rows[-1]["held_out_accuracy"] == 1


def test_biases_start_at_the_log_odds_of_what_is_seen() -> None:
    torch.manual_seed(0)
    rbm, task = RBM(4, 5, CD()), Stripes()
    greedy([rbm], task, steps=1, optimizer="sgd", rates=[1e-12], seed=0)
    seen = torch.cat([task.batch(i).x_TBI[0] for i in range(10)])
    torch.testing.assert_close(rbm.b.detach().sigmoid(), seen.mean(dim=0), rtol=1e-4, atol=1e-4)


def test_a_class_that_is_asked_for_is_generated() -> None:
    torch.manual_seed(0)
    task = Stripes(classes=True)
    rbms = [RBM(4, 8, CD(), spread=0.5), RBM(8, 16, Persistent(), classes=4, spread=0.5)]
    greedy(rbms, task, steps=800, optimizer="sgd", rates=[0.5, 0.5], seed=0)
    class_N = torch.arange(4).repeat_interleave(50)
    for dbn in (DBN(rbms), DBN([_alone()])):
        x_NI = dbn.generated(class_N, 50)
        assert x_NI.shape == (200, 4)
        nearest_N = torch.cdist(x_NI, task.x_NI).argmin(dim=1)
        assert float((nearest_N == class_N).double().mean()) > 0.8


def _alone() -> RBM:
    """Return a single RBM that learned pictures and classes."""
    torch.manual_seed(0)
    rbm = RBM(4, 16, Persistent(), classes=4, spread=0.5)
    greedy([rbm], Stripes(classes=True), steps=800, optimizer="sgd", rates=[0.5], seed=0)
    return rbm


def test_up_down_that_was_killed_goes_on_bit_for_bit(tmp_path: Any) -> None:
    def run(**saving: Any) -> tuple[Any, list[Tensor]]:
        torch.manual_seed(0)
        dbn = DBN([RBM(4, 5, CD()), RBM(5, 6, Persistent(), classes=4)])
        one = EnergyLearner(dbn, "cross_entropy", "sgd", 0.1, anneal=True)
        rows = fit(one, Stripes(classes=True), **RUN, **saving)
        return rows, [w.detach() for w in one.parameters()]

    expected = run()
    with killed(of=Stripes):
        run(scratch=tmp_path, checkpoint_every_seconds=0)
    rows, weights = run(scratch=tmp_path)
    assert rows == expected[0]
    assert all(map(torch.equal, weights, expected[1]))
