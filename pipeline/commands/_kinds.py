"""What each kind of file that `new` writes needs beside it: entries elsewhere, and tests."""

from typing import NamedTuple


class Entry(NamedTuple):
    """What a new member needs in another file; {name} and {Class} stand for the member's."""

    file: str
    table: str
    """The table in that file."""
    text: str
    says: str = "its entry goes into {file}, where {table} is:"


class Kind(NamedTuple):
    """A room, and what a new member of it needs."""

    room: str
    entries: tuple[Entry, ...]
    tests: tuple[str, ...]
    """The commands that then test the member against its contract."""
    own: str = ""
    """What no contract knows of it, and a file that tests such a thing of another."""


SOURCE = """"{name}": Source(
    title="the Nile's yearly flow",
    count=100,
    unit="yearly volumes",
    files={
        "nile.csv": "88e97bea7249e5832a85e41aec6ce4b8f7b1b14aae930c8363da7f193286b598",
    },
    addresses=(
        "https://raw.githubusercontent.com/statsmodels/statsmodels/main/statsmodels/datasets/nile/{file}",
        "https://cdn.jsdelivr.net/gh/statsmodels/statsmodels@main/statsmodels/datasets/nile/{file}",
    ),
    package="statsmodels/datasets/nile",
    licence="public domain",
    citation="J. Durbin, S. J. Koopman, Time series analysis by state space methods, 2001.",
),"""
DAMAGE = r"""("{name}", "nile.csv", b"", "its header is '', not 'year,volume'"),
("{name}", "nile.csv", lambda f: f[:-4], "line 101 is not 1970 and its values"),
("{name}", "nile.csv", lambda f: f + b"\xff", "not UTF-8"),"""
DRAWN = "docs/outlines/examples.py"
"""Instances whose figures are on the site."""

KINDS = {
    "cell": Kind(
        "cells",
        (
            Entry(
                "tests/cases.py",
                "CELL_CASES",
                """"{name}": CellCase(
    lambda: {Class}(INPUTS, UNITS), UNITS, UNITS * (INPUTS + UNITS + 1), by_unit=False
),""",
            ),
        ),
        ("python -m pytest tests/test_cells.py -k {name}",),
    ),
    "algorithm": Kind(
        "algorithms",
        (
            Entry(
                "tests/rules.py",
                "WHOLE",
                '"{name}": ({Class}, partial(tbptt_reference, horizon=1)),',
            ),
        ),
        ("python -m pytest tests/test_algorithms.py -k {name}",),
    ),
    "network": Kind(
        "networks",
        (
            Entry(
                "tests/network_cases.py",
                "NETWORK_CASES",
                '"{name}": NetworkCase(lambda: {Class}(3, 2, 4), 3, 2, (3 + 1) * 4 + (4 + 1) * 2),',
            ),
            Entry(DRAWN, "NETWORKS", '"{name}": _of_series(lambda: {Class}(3, 2, 4), 3),'),
        ),
        ("python -m pytest tests/test_networks.py -k {name}",),
    ),
    "energy": Kind(
        "energies",
        (
            Entry(
                "tests/energy_cases.py",
                "OTHERS",
                '"{name}": EnergyCase(lambda: {Class}(4), 4, lambda count: (bits(count, 4),) * 2),',
            ),
            Entry(DRAWN, "ENERGIES", '"{name}": lambda: {Class}(4),'),
        ),
        ("python -m pytest tests/test_energies.py -k {name}",),
    ),
    "estimator": Kind(
        "estimators",
        (
            Entry(
                "tests/test_estimators.py",
                "LEARNERS",
                '"{name}": lambda: RBM(4, 3, {Class}()),',
            ),
        ),
        ("python -m pytest tests/test_estimators.py tests/test_energy_learner.py -k {name}",),
        "its mean needs a test of its own, as in tests/test_estimators.py",
    ),
    "partition": Kind(
        "partitions",
        (Entry("tests/test_partitions.py", "WAYS", '"{name}": {Class}(),'),),
        ("python -m pytest tests/test_partitions.py -k {name}",),
    ),
    "storage": Kind(
        "storage",
        (),
        ("python -m pytest tests/test_hopfield.py -k {name}",),
        "how many patterns it holds needs a test of its own, as in tests/test_hopfield.py",
    ),
    "map": Kind(
        "maps",
        (
            Entry(
                "tests/map_cases.py",
                "MAP_CASES",
                '"{name}": MapCase(lambda: {Class}(INPUTS, 6), numbers, 6, ()),',
            ),
        ),
        ("python -m pytest tests/test_maps.py -k {name}",),
        "its figure on the site needs a drawing of its own, as in docs/outlines/maps.py",
    ),
    "machine": Kind("machines", (), ("python -m pytest tests/test_machines.py -k {name}",)),
    "adversary": Kind(
        "adversaries",
        (
            Entry(
                "tests/adversary_cases.py",
                "ADVERSARY_CASES",
                '"{name}": AdversaryCase(lambda: {Class}(2, 3), (2 * 3, 2 * 2 + 1), sees=False),',
            ),
            Entry(DRAWN, "ADVERSARIES", '"{name}": lambda: {Class}(2, 3),'),
        ),
        ("python -m pytest tests/test_adversaries.py tests/test_adversarial.py -k {name}",),
    ),
    "loss": Kind(
        "losses",
        (
            Entry(
                "tests/adversary_cases.py",
                "LOSS_CASES",
                """"{name}": LossCase(
    lambda d_B, g_B: 0.5 * ((d_B - 1) ** 2).mean() + 0.5 * ((g_B + 1) ** 2).mean(),
    lambda g_B: 0.5 * ((g_B - 1) ** 2).mean(),
    zero_sum=False,
    slope=1.0,
),""",
            ),
        ),
        ("python -m pytest tests/test_adversaries.py tests/test_adversarial.py -k {name}",),
    ),
    "regulariser": Kind(
        "regularisers",
        (
            Entry(
                "tests/adversary_cases.py",
                "REGULARISER_CASES",
                """"{name}": RegulariserCase(
    build=lambda: {Class}(0.3),
    eigenvalues=lambda slope: _roots(-0.15, slope**2),
    refused=lambda: {Class}(0.0),
),""",
            ),
        ),
        ("python -m pytest tests/test_adversaries.py -k {name}",),
        "what it adds needs a test of its own, as in tests/test_adversaries.py",
    ),
    "rule": Kind(
        "rules",
        (
            Entry(
                "tests/rule_cases.py",
                "RULE_CASES",
                '"{name}": lambda outputs: Perceptron(3, outputs),',
            ),
        ),
        (
            "python -m pytest tests/test_rules.py tests/test_rules_settling.py "
            "tests/test_by_rule.py tests/test_frozen_under_rules.py -k {name}",
        ),
        "its moves need a test of their own, as in tests/test_rules.py",
    ),
    "start": Kind(
        "starts",
        (Entry("tests/test_starts.py", "RECURRENT", '"{name}",'),),
        ("python -m pytest tests/test_starts.py -k {name}",),
        "how it spreads weights needs a test of its own, as in tests/test_starts.py",
    ),
    "probe": Kind(
        "probes",
        (),
        ("python -m pytest tests/test_contracts.py -k {name}",),
        "its values need a test of their own, as in tests/test_probes.py",
    ),
    "task": Kind(
        "tasks",
        (
            Entry(
                "tests/test_tasks.py",
                "INSTANCES",
                '"{name}": lambda seed: {Class}(seed, 4, length=7, held_out_size=30),',
            ),
        ),
        ("python -m pytest tests/test_tasks.py -k {name}",),
    ),
    "data_set": Kind(
        "datasets",
        (
            Entry(
                "pipeline/data/sources.py",
                "SOURCES",
                SOURCE,
                "where its files come from goes into {file}, where {table} is:",
            ),
            Entry(
                "params.yaml",
                "sets",
                "- {name}",
                "its name goes into {file}, under data.{table}, so that it is fetched:",
            ),
            Entry(
                "tests/test_damaged_texts.py",
                "DAMAGE",
                DAMAGE,
                "what damage is answered with goes into {file}, where {table} is:",
            ),
        ),
        (
            "python -m pipeline fetch {name}",
            "python -m pytest tests/test_datasets.py tests/test_sources.py "
            'tests/test_damaged_texts.py -k "{name} or every"',
        ),
        "its values need a test of their own, as in tests/test_datasets_of_text.py",
    ),
    "study": Kind(
        "studies",
        (
            Entry(
                "tests/test_committed.py",
                "OWED",
                '"{name}",',
                "until its rows at standard are committed, in {file}, {table}:",
            ),
        ),
        ("python -m pipeline run {name}",),
    ),
}
TRIED = "cell", "algorithm", "network", "probe"
"""Kinds that `test-method` knows."""
