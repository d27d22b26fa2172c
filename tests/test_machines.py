"""Machines of fixed weights: right in rationals, and in floats as far as their digits go."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from lightning_modules.cells.saturated_linear import SaturatedLinear
from lightning_modules.machines import MACHINES
from lightning_modules.machines._machine import SILENCE, Machine
from lightning_modules.machines._numbers import NUMBERS, exactly
from lightning_modules.machines.binary_counter import BinaryCounter
from lightning_modules.machines.turing import HALT, PROGRAMS, STEPS, Turing
from lightning_modules.registry import UnknownNameError

RATIONAL = NUMBERS["rational"]
FLOATS = [name for name in NUMBERS if name != "rational"]


def last(machine: Machine, read: list[str], number: str = "rational") -> int:
    """Return what a machine says after all that it read."""
    *_, states = machine.run(read, NUMBERS[number])
    return machine.answer(states)


@pytest.mark.parametrize("number", FLOATS)
def test_a_type_of_number_has_the_digits_and_the_least_number_that_it_says(number: str) -> None:
    of, digits, least = NUMBERS[number]
    assert digits is not None
    assert least is not None
    fine, half = of(Fraction(1, 2**digits)), of(Fraction(1, 2))
    assert exactly(half + fine) == Fraction(1, 2) + Fraction(1, 2**digits)
    assert exactly(half + of(Fraction(1, 2 ** (digits + 1)))) == Fraction(1, 2)
    smallest = of(Fraction(1, 2**least))
    assert exactly(smallest) == Fraction(1, 2**least)
    assert exactly(smallest * half) == 0
    for value in map(Fraction, (0, 1, Fraction(1, 3), Fraction(5, 8), Fraction(2**8 - 1, 2**20))):
        assert NUMBERS[number].fits(value) == (exactly(of(value)) == value)
    assert NUMBERS[number].fits(Fraction(1, 2**least))
    assert not NUMBERS[number].fits(Fraction(1, 2 ** (least + 1)))
    assert not NUMBERS[number].fits(Fraction(2**digits + 1, 2 ** (digits + 1)))


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_in_rationals_answers_all_its_questions_right(name: str) -> None:
    machine = MACHINES[name]()
    for depth in (1, 2, 3, 30):
        word = machine.word(np.random.default_rng(depth), depth)
        for rest, answer in machine.questions(word):
            assert last(machine, [*word, *rest]) == answer


@pytest.mark.parametrize("name", ["unary_stack", "halving_counter"])
def test_every_word_up_to_eight_letters_is_told_to_be_an_bn_or_not(name: str) -> None:
    machine = MACHINES[name]()
    accepted = {
        "".join(word)
        for length in range(9)
        for word in itertools.product("ab", repeat=length)
        if last(machine, [*word, "end"])
    }
    assert accepted == {"ab", "aabb", "aaabbb", "aaaabbbb"}


def test_every_word_up_to_seven_letters_is_told_to_be_a_marked_palindrome_or_not() -> None:
    machine = MACHINES["palindromes"]()
    for length in range(8):
        for letters in itertools.product("01m", repeat=length):
            before, mark, behind = "".join(letters).partition("m")
            is_one = mark == "m" and behind == before[::-1]
            read = ["mark" if letter == "m" else letter for letter in letters]
            assert last(machine, [*read, "end"]) == is_one, letters


def test_a_counter_counts_and_overflows() -> None:
    machine = BinaryCounter(3)
    for n in range(20):
        assert last(machine, ["1"] * n + [SILENCE] * 3) == n % 8


def test_every_step_of_every_program_is_that_of_its_rules_on_lists() -> None:
    for program, word in [("increment", "1101"), ("increment", ""), ("busy_beaver_4", "")]:
        machine = Turing(program)
        plain = list(machine.plainly(list(word)))
        read = [*word, "go", *[SILENCE] * STEPS * (len(plain) - 1)]
        states = list(machine.run(read, RATIONAL))[len(word) :: STEPS]
        assert [machine.configuration(of) for of in states] == plain


def test_the_busy_beaver_of_four_states_writes_13_ones_in_107_steps() -> None:
    """Brady (1983)."""
    machine = Turing("busy_beaver_4")
    *before, end = machine.plainly([])
    assert len(before) == 107
    assert end.state == HALT
    assert last(machine, ["go", *[SILENCE] * STEPS * 107]) == 13
    assert last(machine, ["go", *[SILENCE] * (STEPS * 107 - 1)]) == -1


def test_a_program_with_rules_at_random_is_followed_wherever_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    for _ in range(10):
        rules = {
            (q, read): (int(random.integers(2)), str(random.choice(["left", "right"])), str(then))
            for q in "ABC"
            for read in (0, 1)
            for then in [random.choice(["A", "B", "C"])]
        }
        monkeypatch.setitem(PROGRAMS, "random", rules)
        machine, word = Turing("random"), ["1", "0", "1", "1", "0"]
        plain = list(itertools.islice(machine.plainly(word), 25))
        states = list(machine.run([*word, "go", *[SILENCE] * STEPS * 24], RATIONAL))
        assert [machine.configuration(of) for of in states[len(word) :: STEPS]] == plain


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_type_of_number_loses_a_word_exactly_where_its_digits_end(name: str, number: str) -> None:
    machine, length = MACHINES[name](), 60
    for seed in range(2 if name == "turing" else 5):
        word = machine.word(np.random.default_rng(seed), length)
        pairs = zip(machine.run(word, RATIONAL), machine.run(word, NUMBERS[number]), strict=True)
        same = [all(true[u] == exactly(seen[u]) for u in true) for true, seen in pairs]
        kept = same.index(False) if False in same else None
        reach = machine.reach(word, NUMBERS[number])
        assert kept == (None if reach is None or reach >= length else reach)
        if kept:
            short, long = word[:kept], word[: kept + 1]
            assert all(last(machine, short + q, number) == a for q, a in machine.questions(short))
            asked = list(machine.questions(long))
            assert not asked or any(last(machine, long + q, number) != a for q, a in asked)


@pytest.mark.parametrize("name", MACHINES)
def test_a_cell_with_a_machines_weights_is_that_machine(name: str) -> None:
    machine = MACHINES[name]()
    word = machine.word(np.random.default_rng(0), 8)
    read = [*word, *next(machine.questions(word), ([], 0))[0]]
    cell = SaturatedLinear(len(machine.symbols), len(machine.units)).double()
    with torch.no_grad():
        for own, weights in zip((cell.U, cell.W, cell.b), machine.matrices(), strict=True):
            own.copy_(torch.from_numpy(weights))
    x_TBI = torch.zeros(len(read), 1, len(machine.symbols)).double()
    for t, symbol in enumerate(read):
        if symbol != SILENCE:
            x_TBI[t, 0, machine.symbols.index(symbol)] = 1
    start = [[float(machine.start.get(unit, 0)) for unit in machine.units]]
    states_TBS = cell.follow(x_TBI, torch.tensor(start).double()).states_TBS
    exact = [[float(of[unit]) for unit in machine.units] for of in machine.run(read, RATIONAL)]
    assert states_TBS[:, 0].tolist() == exact


def test_what_a_machine_does_not_know_is_refused_in_a_line() -> None:
    with pytest.raises(ValueError, match=r"symbol 'c' is unknown: allowed: a, b, end"):
        list(MACHINES["unary_stack"]().run(["c"], RATIONAL))
    with pytest.raises(UnknownNameError, match="did you mean 'increment'"):
        Turing("incremnt")
    with pytest.raises(ValueError, match="bits is 0"):
        BinaryCounter(0)
