"""A study at a scale, from its section to its table: run what is not finished, and record it."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from rich.console import Console

from pipeline.running.dispatch import dispatch, slots
from pipeline.errors import UserError
from pipeline.running.fingerprint import needs, versions
from pipeline.running.jobs import Job
from pipeline.params import Dispatch
from pipeline.running.progress import say, shown
from pipeline.running.journal import FAILED, FINISHED, Record, key, parquet, save, table
from pipeline.study import Trial
from pipeline.running.tracking import Tracker
from pipeline.running.worker import Outcome, Task


def run(job: Job, settings: Dispatch, console: Console, force: bool = False) -> list[Record]:
    """Run the trials that are not finished, or all by ``force``; return the new records.

    Each is in the journal before the next is looked at. MLflow follows in a thread of its own,
    which may fail without harm: the journal can be logged at any time.
    """
    new = []
    with job.journal.locked(), _following(job, console) as follow:
        known = job.journal.read()
        follow(list(known.values()))
        tasks = [_task(job, trial) for trial in job.trials.values()]
        tasks = [t for t in tasks if force or not _finished(known.get(key(t.trial)), t)]
        for outcome in _outcomes(job, tasks, settings, console):
            new.append(_record(job, outcome))
            job.journal.append(new[-1])
            shutil.rmtree(outcome.task.scratch or "", ignore_errors=True)
            follow(new[-1:])
        job.journal.compact()
        _tabulate(job)
    shutil.rmtree(job.scratch, ignore_errors=True)
    return new


def _task(job: Job, trial: Trial) -> Task:
    """Return the trial with all that it may touch."""
    digest = job.prints.of(trial)
    reach = job.prints.reach(trial)
    return Task(trial, digest, needs(job.study, trial), reach, job.scratch / digest)


def _finished(known: Record | None, task: Task) -> bool:
    return known is not None and known.status == FINISHED and known.hash == task.hash


def _outcomes(
    job: Job, tasks: list[Task], settings: Dispatch, console: Console
) -> Iterator[Outcome]:
    """Dispatch what is left, saying how far it is."""
    before = len(job.trials) - len(tasks)
    left = f"{len(tasks)} trials to run, {before} finished before"
    say(console, f"{job.name} ({job.scale}): {left}")
    needed = sorted({name for task in tasks for name in task.data})
    for name in needed:
        if not job.data[name].sha256:
            raise UserError(f"data set {name} is not there: python -m pipeline fetch {name}")
    loaders = {name: job.data[name].read for name in needed}
    if tasks:
        with contextlib.closing(dispatch(job.module, tasks, loaders, settings)) as outcomes:
            yield from shown(outcomes, job.name, len(tasks), slots(settings), console)


def _record(job: Job, outcome: Outcome) -> Record:
    """Return what the journal keeps of an outcome."""
    task = outcome.task
    return Record(
        hash=task.hash,
        code=job.prints.code(task.trial),
        trial=task.trial,
        rows=outcome.rows,
        status=FAILED if outcome.error else FINISHED,
        error=outcome.error,
        started=round(outcome.started, 6),
        seconds=round(outcome.seconds, 6),
        versions=versions(),
        data={name: job.data[name].served for name in task.data},
    )


def _tabulate(job: Job) -> None:
    """Write the table of the trials that are asked for, if any has finished."""
    facts = {
        "study": job.name,
        "scale": job.scale,
        "params": job.section.model_dump(mode="json"),
        "provenance": [dict(source.provenance) for source in job.data.values()],
        "versions": versions(),
    }
    frame = table(job.journal.read(), job.trials.values(), facts)
    if len(frame):
        save(frame, parquet(job.name, job.scale))


@contextlib.contextmanager
def _following(job: Job, console: Console) -> Iterator[Callable[[list[Record]], object]]:
    """Lend a function that logs records to MLflow in the background, in order."""
    followed: list[Future[int]] = []
    with ThreadPoolExecutor(1, thread_name_prefix="mlflow") as pool:
        tracker = pool.submit(Tracker)

        def follow(records: list[Record]) -> None:
            todo = pool.submit(lambda: tracker.result().sync(job.name, job.scale, records))
            followed.append(todo)

        try:
            yield follow
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for line in {str(f.exception()) for f in followed if isinstance(f.exception(), UserError)}:
        say(console, line)
    for future in followed:
        if not isinstance(future.exception(), UserError):
            future.result()
