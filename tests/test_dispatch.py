"""Both backends give the same outcomes; a trial that fails or loses its worker is one of them."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.running.dispatch import dispatch
from pipeline.errors import UserError
from pipeline.running.fingerprint import Fingerprints
from pipeline.params import Dispatch
from pipeline.study import Trial
from pipeline.running.worker import Outcome, Task
from tests import toy_study

BACKENDS = ("inline", "ray")
MODULE = toy_study.__name__


def settings(backend: str, **others: float) -> Dispatch:
    given = {"backend": backend, "workers": 2, "cpus": 1, "gpus": 0.0, "retries": 1}
    return Dispatch.model_validate(given | others)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Start Ray once: ``dispatch`` uses a cluster that is running."""
    import ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        ray.init("local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


def trial(kind: str, seed: int = 0, seconds: float = 0.0) -> Trial:
    return {"kind": kind, "seed": seed, "seconds": seconds, "marks": ""}


def task(what: Trial, scratch: Path | None, *data: str) -> Task:
    prints = Fingerprints(toy_study.STUDY, {})
    reach = prints.reach(what)
    return Task(what, prints.of(what), data, reach, scratch and scratch / prints.of(what))


def outcomes(backend: str, folder: Path, *trials: Trial, **others: float) -> dict[str, Outcome]:
    tasks = [task(t, folder) for t in trials]
    ended = dispatch(MODULE, tasks, {}, settings(backend, **others))
    return {f"{o.task.trial['kind']} {o.task.trial['seed']}": o for o in ended}


@pytest.mark.usefixtures("cluster")
def test_both_backends_give_the_same_rows(tmp_path: Path):
    trials = [trial(kind, seed) for kind in ("plain", "diverges", "raises") for seed in range(4)]
    inline, ray = (outcomes(backend, tmp_path, *trials) for backend in BACKENDS)
    assert len(inline) == 12
    for name, outcome in inline.items():
        assert outcome.rows == ray[name].rows
        assert outcome.error == ray[name].error
        assert outcome.task == ray[name].task


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("raises", r"ValueError: two lines of text \(tests/toy_study\.py:\d+\)"),
        ("not plain", r"column 'value' holds a object: rows hold str, int, float, bool or None"),
        ("sneaks", r"the trial used lightning_modules\.cells\.gru without naming it.*"),
    ],
)
def test_a_trial_that_goes_wrong_says_so_in_one_line_and_the_rest_goes_on(
    backend: str, kind: str, line: str, tmp_path: Path
):
    ended = outcomes(backend, tmp_path, trial(kind), trial("plain"))
    assert re.fullmatch(line, ended[f"{kind} 0"].error)
    assert ended[f"{kind} 0"].rows == []
    assert ended["plain 0"].error == ""


def test_a_member_that_the_trial_names_may_be_used(tmp_path: Path):
    named = task(trial("gru"), tmp_path).reach
    sneaking = task(trial("sneaks"), tmp_path)._replace(reach=named)
    (ended,) = dispatch(MODULE, [sneaking], {}, settings("inline"))
    assert ended.error == ""


@pytest.mark.usefixtures("cluster")
def test_a_trial_whose_worker_is_lost_is_run_again_and_finds_its_checkpoints(tmp_path: Path):
    ended = outcomes("ray", tmp_path, trial("dies once"), trial("plain"))
    assert ended["dies once 0"].error == ""
    assert ended["dies once 0"].losses == 1
    assert ended["plain 0"].losses == 0


@pytest.mark.usefixtures("cluster")
def test_a_trial_that_loses_too_many_workers_fails_and_the_others_finish(tmp_path: Path):
    others = [trial("plain", seed, 0.1) for seed in range(6)]
    ended = outcomes("ray", tmp_path, trial("dies"), *others, retries=1)
    assert ended["dies 0"].error == "its worker was lost 2 times (WorkerCrashedError)"
    assert [ended[f"plain {seed}"].error for seed in range(6)] == [""] * 6


@pytest.mark.usefixtures("cluster")
def test_trials_that_ask_for_half_a_gpu_share_it(tmp_path: Path):
    pair = [trial(kind) | {"marks": str(tmp_path)} for kind in ("waits", "plain")]
    assert list(outcomes("ray", tmp_path, *pair, gpus=0.5)) == ["plain 0", "waits 0"]


@pytest.mark.usefixtures("cluster")
def test_trials_that_ask_for_a_whole_gpu_get_it_one_after_the_other(tmp_path: Path):
    trials = [trial("looks", seed, seconds=1) for seed in range(2)]
    first, second = outcomes("ray", tmp_path, *trials, gpus=1.0).values()
    assert first.rows == second.rows == [{"gpu": "0"}]
    assert abs(first.started - second.started) >= 1


@pytest.mark.usefixtures("cluster")
def test_outcomes_come_in_the_order_of_ending(tmp_path: Path):
    pair = [trial(kind) | {"marks": str(tmp_path)} for kind in ("waits", "plain")]
    assert list(outcomes("ray", tmp_path, *pair)) == ["plain 0", "waits 0"]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("backend", BACKENDS)
def test_data_is_loaded_once_and_a_trial_sees_only_what_its_hash_covers(
    backend: str, tmp_path: Path
):
    loaded = []

    def load() -> list[float]:
        loaded.append(1)
        return [20.0, 22.0]

    tasks = [task(trial("plain", 0), tmp_path, "numbers"), task(trial("plain", 1), tmp_path)]
    ended = list(dispatch(MODULE, tasks, {"numbers": load}, settings(backend)))
    losses = {o.task.trial["seed"]: o.rows[0]["loss"] for o in ended}
    assert losses == {0: 42.0, 1: 1.0}
    assert len(loaded) == 1


def test_more_than_the_cluster_has_is_refused_with_a_line(cluster: None, tmp_path: Path):
    with pytest.raises(UserError, match="the cluster has 2 CPUs and 1 GPUs; lower them"):
        outcomes("ray", tmp_path, trial("plain"), gpus=2.0)


def test_a_cluster_that_does_not_answer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setenv("RAY_ADDRESS", "127.0.0.1:9")
        patch.setattr("ray.is_initialized", lambda: False)
        with pytest.raises(
            UserError, match=r"RAY_ADDRESS=127\.0\.0\.1:9 does not answer"
        ) as caught:
            outcomes("ray", tmp_path, trial("plain"))
    assert "\n" not in str(caught.value)


def test_scratch_of_a_trial_without_a_folder_is_gone_when_it_ends():
    (ended,) = dispatch(MODULE, [task(trial("plain"), None)], {}, settings("inline"))
    assert ended.error == ""
    assert not list(Path(tempfile.gettempdir(), "gradient-dynamics").glob(ended.task.hash))
