"""NARX networks: what they are made of, and who drives them."""

import pytest
import torch

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells import narx
from lightning_modules.cells.srn import SRN
from lightning_modules.networks.narx import NARX
from lightning_modules.networks.tdnn import TDNN


@pytest.fixture(autouse=True)
def _double():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_with_one_delay_the_cell_is_elmans_network_and_learns_as_it_does():
    cell, srn = narx.NARX(3, 4, delays=1), SRN(3, 4)
    cell.load_state_dict(srn.state_dict())
    x_TBI, c_TBS = torch.randn(9, 2, 3), torch.randn(9, 2, 4)
    ours, theirs = (
        BPTT().gradient(of, x_TBI, torch.zeros(2, 4), lambda t, s: c_TBS[t]) for of in (cell, srn)
    )
    torch.testing.assert_close(ours, theirs)


def test_an_output_meets_each_delay_at_its_step_and_then_leaves_the_line():
    cell = narx.NARX(1, 1, delays=3)
    with torch.no_grad():
        cell.U.fill_(0)
        cell.b.fill_(0)
        cell.W.copy_(torch.tensor([[0.0, 0.0, 1.0]]))
    s_BS = torch.tensor([[0.5, 0.0, 0.0]])
    seen = []
    for _ in range(6):
        s_BS = cell(torch.zeros(1, 1), s_BS)
        seen.append(float(s_BS[0, 0].detach()))
    first = float(torch.tensor(0.5).tanh())
    assert seen == pytest.approx([0, 0, first, 0, 0, float(torch.tensor(first).tanh())])


def test_running_free_from_the_first_step_the_network_is_the_cell_with_hidden_units():
    network = NARX(3 + 2, 2, hidden=5, delays=3, input_delays=2, known=0)
    cell = narx.NARX(3, 2, delays=3, input_delays=2, units=5)
    cell.load_state_dict(network.state_dict())
    x_TBI = torch.randn(8, 4, 3)
    given_TBI = torch.cat([x_TBI, torch.randn(8, 4, 2)], dim=-1)
    states_TBS = cell.follow(x_TBI, torch.zeros(4, cell.state_size)).states_TBS
    torch.testing.assert_close(network(given_TBI).detach(), states_TBS[..., :2])


def test_teacher_forced_and_without_inputs_it_is_a_time_delay_network():
    network, tdnn = NARX(2, 2, hidden=5, delays=3), TDNN(2, 2, [5], [3])
    weight, bias = tdnn.layers.parameters()
    with torch.no_grad():
        # The delay line of a TDNN is by unit, the oldest first.
        weight.copy_(network.W.unflatten(1, (3, 2)).flip(1).transpose(1, 2).flatten(1))
        bias.copy_(network.b)
    tdnn.readout.load_state_dict(network.readout.state_dict())
    x_TBI = torch.randn(7, 4, 2)
    torch.testing.assert_close(network(x_TBI), tdnn(x_TBI))


@pytest.mark.parametrize("known", [0, 1, 4])
def test_running_free_it_never_sees_a_true_output_again(known: int):
    network = NARX(3, 1, hidden=5, delays=2, known=known)
    x_TBI = torch.randn(9, 2, 3)
    other_TBI = x_TBI.clone()
    other_TBI[known:, :, -1] = 100.0
    assert torch.equal(network(x_TBI), network(other_TBI))
    network.known = None
    assert not torch.allclose(network(x_TBI)[known:], network(other_TBI)[known:])


def test_running_free_after_the_last_known_step_it_goes_on_from_the_true_outputs():
    free, forced = NARX(1, 1, hidden=5, delays=3, known=4), NARX(1, 1, hidden=5, delays=3)
    forced.load_state_dict(free.state_dict())
    y_TBO = torch.randn(4, 2, 1)
    fed = y_TBO
    for _ in range(3):  # one more step at a time, each output given as if it were true
        fed = torch.cat([fed, forced(fed)[-1:]])
    x_TBI = torch.cat([y_TBO, torch.zeros(3, 2, 1)])
    torch.testing.assert_close(free(x_TBI)[3:6], fed[4:])
