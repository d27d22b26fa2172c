"""Figures of architectures: what they show is what the models do."""

import math
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor, nn

from docs.members import Member, rooms
from docs.outlines import DRAWN, adversary_parts, cell, examples, network_parts, outlined
from docs.outlines.cells import Level, levels
from docs.outlines.energies import coupled, groups
from docs.outlines.maps import FAR, plane
from docs.outlines.networks import Flow, traced
from lightning_modules.cells import CELLS
from lightning_modules.cells.ablated_lstm import AblatedLSTM
from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.narx import NARX
from lightning_modules.energies.boltzmann import Boltzmann
from lightning_modules.energies.estimators.exact import Exact
from lightning_modules.interfaces import Cell
from lightning_modules.machines import MACHINES
from lightning_modules.maps.batch_som import BatchSOM
from tests.cases import CELL_CASES

MEMBERS = [
    pytest.param(member, id=f"{room.name}.{member.name}")
    for room in rooms()
    if room.name in DRAWN
    for member in room.members
]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("member", MEMBERS)
def test_every_member_of_a_drawn_room_has_a_figure_whose_label_says_all_of_it(member: Member):
    outline = outlined(member)
    assert outline
    assert outline.caption.startswith("Drawn from the")
    drawing, picture = outline.drawing, ElementTree.fromstring(str(outline.svg))
    assert picture.get("role") == "img"
    label = picture.get("aria-label") or ""
    assert member.name in label
    for box in [*drawing.boxes, *drawing.frames]:
        assert box.name in label
        assert -1 <= box.left <= box.left + box.width <= drawing.wide + 1
        assert -1 <= box.top <= box.bottom <= drawing.high + 1
    for arrow in drawing.arrows:
        assert arrow.source in label
        assert arrow.target in label
    assert len(picture.findall(f"{SVG}path")) == len(drawing.arrows)
    shown = [text.text for text in picture.findall(f"{SVG}text")]
    assert all(line in shown for box in drawing.boxes for line in box.lines)


@pytest.mark.parametrize(
    "name", ["cells.lstm", "energies.dbn", "maps.artmap", "networks.tree_lstm"]
)
def test_a_figure_is_the_same_each_time_and_draws_nothing_from_the_generator(name: str):
    (member,) = (of.values[0] for of in MEMBERS if of.id == name)
    assert isinstance(member, Member)
    before, first = torch.get_rng_state(), outlined(member)
    torch.manual_seed(7)
    assert outlined(member) == first
    torch.set_rng_state(before)
    outlined(member)
    assert torch.equal(torch.get_rng_state(), before)


def test_nothing_is_drawn_of_a_room_without_architectures():
    (member,) = (of for room in rooms() for of in room.members if of.module.endswith(".uoro"))
    assert outlined(member) is None


def _pairs(level: Level, pairs: set[tuple[int, int]], kinds: str) -> set[tuple[str, str]]:
    """Return pairs by name; ``kinds`` are z or s, of either side."""
    names = {"z": [of.gate or of.name for of in level.z], "s": [of.name for of in level.state]}
    return {(names[kinds[0]][a], names[kinds[1]][b]) for a, b in pairs}


def test_an_lstm_s_gates_reach_the_content_and_h_but_for_the_output_gate():
    (level,) = levels(cell("lstm"))
    assert [(of.name, of.gate) for of in level.z] == [
        ("i", "input"), ("f", "forget"), ("o", "output"), ("g", ""),
    ]  # fmt: skip
    assert _pairs(level, level.z_to_s, "zs") == {
        (of, to) for of in ("input", "forget", "g") for to in "hc"
    } | {("output", "h")}
    assert _pairs(level, level.s_to_s, "ss") == {("c", "c"), ("c", "h")}
    assert {source for source, _ in level.s_to_z} == {0}
    assert level.x_to_z == {0, 1, 2, 3}


def test_peepholes_show_the_content_to_the_gates():
    (level,) = levels(cell("peephole_lstm"))
    assert {of for of in _pairs(level, level.s_to_z, "sz") if of[0] == "c"} == {
        ("c", "input"), ("c", "forget"), ("c", "output"),
    }  # fmt: skip
    assert level.weights == ["p_i", "p_f", "p_o"]


def test_a_gru_has_no_second_block_and_an_srn_no_gates():
    (gru,), (srn,) = levels(cell("gru")), levels(cell("srn"))
    assert [of.name for of in gru.state] == ["h"]
    assert [of.gate for of in gru.z] == ["", "reset", "update", ""]
    assert not any(of.gate for of in srn.z)
    assert not srn.s_to_s


@pytest.mark.parametrize("gate", ["input", "forget", "output"])
def test_an_ablated_lstm_lacks_the_gate_that_was_taken_out(gate: str):
    (level,) = levels(AblatedLSTM(3, 4, without=gate))
    left = {of.gate for of in level.z} - {""}
    assert left == {"input", "forget", "output"} - {gate}


def test_a_narx_cell_is_a_delay_line():
    (level,) = levels(NARX(3, 4, delays=3))
    assert level.s_to_s == {(0, 0), (1, 0), (2, 0), (0, 1), (1, 2)}
    assert level.x_to_s == {0}


def test_a_layer_of_a_stack_hears_h_of_the_one_below_and_nothing_else_of_it():
    below, above = levels(cell("stack"))
    assert below.below == frozenset()
    assert above.below == {0}


@pytest.mark.parametrize("name", [name for name in CELLS if name != "stack"])
def test_arrows_from_step_to_step_are_the_blocks_of_the_jacobian_and_all_gates_have_boxes(
    name: str,
):
    built: Cell = CELL_CASES[name].build().double()
    (level,) = levels(built)
    x_TBI = torch.randn(1, 8, built.input_size, dtype=torch.float64)
    s_BS = torch.randn(8, built.state_size, dtype=torch.float64) / 4
    path = built.follow(x_TBI, s_BS)
    j_TBSS = torch.zeros(1, 8, built.state_size, built.state_size, dtype=torch.float64)
    path.jacobians(0, j_TBSS)
    H = built.hidden_size
    blocks = j_TBSS[0].abs().sum(0).unfold(0, H, H).unfold(1, H, H).sum((-1, -2))
    expected = {(source, target) for target, source in blocks.nonzero().tolist()}
    through = {
        (source, target)
        for source, block in level.s_to_z
        for of, target in level.z_to_s
        if of == block
    }
    assert level.s_to_s | through == expected
    assert {of.gate for of in level.z} - {""} == set(path.gates())


def test_a_cell_that_is_broken_is_drawn_as_it_is(monkeypatch: pytest.MonkeyPatch):
    update = LSTM.update

    def forgetful(self: LSTM, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        return update(self, z_BZ, torch.zeros_like(s_BS))

    monkeypatch.setattr(LSTM, "update", forgetful)
    (level,) = levels(cell("lstm"))
    assert not level.s_to_s
    assert "forget" not in {source for source, _ in _pairs(level, level.z_to_s, "zs")}


@pytest.mark.parametrize("name", examples.NETWORKS)
def test_a_network_s_boxes_have_all_its_weights_and_lead_to_the_output(name: str):
    torch.manual_seed(0)
    network = examples.NETWORKS[name].build()
    parts = network_parts(network, examples.NETWORKS[name])
    assert sum(part.parameters for part in parts) == sum(w.numel() for w in network.parameters())
    names, reached = {part.name for part in parts}, {parts[-1].name}
    assert parts[-1].kind == "output"
    for _ in parts:
        reached |= {source for part in parts if part.name in reached for source in part.sources}
    assert reached == names


@pytest.mark.parametrize("name", examples.ADVERSARIES)
def test_both_players_weights_add_up(name: str):
    players = examples.ADVERSARIES[name]()
    parts = adversary_parts(players)
    assert sum(part.parameters for part in parts) == sum(w.numel() for w in players.parameters())


class _Skipping(nn.Module):
    """A skip, a mask, weights of its own, a module called twice and a tensor filled by parts."""

    def __init__(self):
        super().__init__()
        self.first, self.again, self.drop = nn.Linear(3, 3), nn.Linear(3, 3), nn.Dropout()
        self.scale, self.mask = nn.Parameter(torch.ones(3)), nn.Linear(3, 3)

    def forward(self, x_BI: Tensor) -> Tensor:
        h_BI = self.drop(self.first(x_BI))
        back_BI = self.again(self.again(h_BI) * self.scale)
        hidden_BI = h_BI.masked_fill(self.mask(x_BI) > 0, 0)
        out = x_BI.new_empty(len(x_BI), 6)
        out[:, :3], out[:, 3:] = hidden_BI, self.drop(back_BI)
        return out


def test_numbers_are_followed_through_skips_parts_and_what_is_called_again():
    network = _Skipping()

    def run(flow: Flow, samples: int) -> None:
        flow.leaves("out", network(flow.enters("in", torch.randn(samples, 3))))

    parts = {part.name: part for part in traced(network, run)}
    assert list(parts) == ["in", "first", "drop", "scale", "again", "mask", "drop (2)", "out"]
    assert {name: part.sources for name, part in parts.items()} == {
        "in": set(),
        "first": {"in"},
        "drop": {"first"},
        "scale": set(),
        "again": {"drop", "again", "scale"},
        "mask": {"in"},
        "drop (2)": {"again"},
        "out": {"drop", "drop (2)"},
    }
    assert (parts["again"].calls, parts["out"].shape, parts["in"].shape) == (2, (6,), (3,))


def test_an_rbm_is_bipartite_and_a_boltzmann_machine_is_not():
    rbm, boltzmann = (coupled(examples.ENERGIES[name]()) for name in ("rbm", "boltzmann"))
    assert [of.units for of in groups(rbm, 5)] == [[0, 1, 2, 3, 4], [5, 6, 7]]
    assert not rbm[:5, :5].any()
    assert not rbm[5:, 5:].any()
    assert rbm[:5, 5:].all()
    assert (boltzmann | torch.eye(6, dtype=torch.bool)).all()


def test_what_is_not_linked_has_no_line():
    energy = Boltzmann(3, 2, Exact(), unlinked=[([0], [3, 4]), ([1], [2])])
    assert torch.equal(coupled(energy), energy.links)


def test_layers_of_equilibrium_propagation_stand_in_their_order():
    found = groups(coupled(examples.ENERGIES["equilibrium"]()), 4)
    assert [len(of.units) for of in found] == [4, 5, 3, 2]


def test_units_of_a_plane_are_drawn_as_far_apart_as_the_map_has_them():
    map_ = BatchSOM(3, 4, 6, grid="hexagonal")
    units = plane(map_, "").boxes[:-1]
    for a, one in enumerate(units):
        for b, other in enumerate(units):
            apart = math.hypot(one.left - other.left, one.top - other.top)
            assert apart == pytest.approx(FAR * float(map_.distance_MM[a, b]))


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_s_table_holds_its_weights_and_no_others(name: str):
    (member,) = (of.values[0] for of in MEMBERS if of.id == f"machines.{name}")
    assert isinstance(member, Member)
    outline, machine = outlined(member), MACHINES[name]()
    assert outline
    B, A, _ = machine.matrices()
    drawn = sum(box.kind in ("gate", "block") for box in outline.drawing.boxes)
    assert drawn == (B != 0).sum() + (A != 0).sum()
