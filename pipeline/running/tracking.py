"""Records -> runs of MLflow, which is a side record that can be made again at any time.

One experiment a study, one flat run an execution of a trial. Only the driver writes, in batches.
A run is known by its record: what is logged is never logged twice, and what a kill left half
logged is closed as KILLED and logged anew.
"""

import contextlib
import math
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.measuring.probing import metric_of
from pipeline.running.journal import FINISHED, Record

BATCH = 1000
"""Metrics in one call: a server takes no more."""
DATABASE, ARTIFACTS = Path("mlflow.db"), Path("mlartifacts")


def address() -> str:
    """Return MLFLOW_TRACKING_URI, or the database in this folder by its absolute path."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{DATABASE.resolve()}"


class Tracker:
    """The driver's one way to MLflow."""

    def __init__(self, uri: str | None = None):
        """Open the store, making its schema if it is new."""
        import logging

        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        self._client = MlflowClient(uri or address())
        self._local = (uri or address()).startswith("sqlite:")
        self._logged: dict[tuple[str, str], set[str]] = {}

    def sync(self, study: str, scale: str, records: Iterable[Record]) -> int:
        """Log the records that are not logged yet; return how many these were."""
        with _answering():
            experiment = self._experiment(study)
            logged = self._known(experiment, scale)
            new = [record for record in records if record.id not in logged]
            for record in new:
                self._log(experiment, record, {"study": study, "scale": scale, "kind": "trial"})
                logged.add(record.id)
        return len(new)

    def attach(self, study: str, scale: str, folder: Path) -> None:
        """Keep a report's folder in one run of its own.

        Its numbers stay in its summary: as metrics they would crowd out the trials' charts.
        """
        tags = {"study": study, "scale": scale, "kind": "report", "driver": _driver()}
        with _answering():
            experiment = self._experiment(study)
            former = self._runs(experiment, scale, "report")
            run = self._client.create_run(experiment, tags=tags, run_name=f"report {scale}")
            self._client.log_artifacts(run.info.run_id, str(folder))
            self._client.set_terminated(run.info.run_id, "FINISHED")
            for old in former:
                self._discard(old)

    def _experiment(self, study: str) -> str:
        """Return the study's experiment, made if it is not there."""
        found = self._client.get_experiment_by_name(study)
        if found is not None:
            return found.experiment_id
        place = (ARTIFACTS / study).resolve().as_uri() if self._local else None
        return self._client.create_experiment(study, artifact_location=place)

    def _known(self, experiment: str, scale: str) -> set[str]:
        """Return the records that are logged, asked once; what a kill here left open is closed."""
        if (experiment, scale) not in self._logged:
            runs = [r for kind in ("trial", "report") for r in self._runs(experiment, scale, kind)]
            for run in runs:
                if run.info.status == "RUNNING" and run.data.tags.get("driver") == _driver():
                    self._client.set_terminated(run.info.run_id, "KILLED")
            whole = [run for run in runs if run.info.status in ("FINISHED", "FAILED")]
            self._logged[experiment, scale] = {run.data.tags.get("record", "") for run in whole}
        return self._logged[experiment, scale]

    def _runs(self, experiment: str, scale: str, kind: str) -> list[Any]:
        """Return all runs of a kind at a scale."""
        chosen = f"tags.scale = '{scale}' and tags.kind = '{kind}'"
        runs, token = [], None
        while token != "":
            page = self._client.search_runs(
                [experiment], chosen, max_results=BATCH, page_token=token
            )
            runs, token = [*runs, *page], page.token or ""
        return runs

    def _log(self, experiment: str, record: Record, tags: dict[str, str]) -> None:
        """Log one record as a run that has ended."""
        from mlflow.entities import Param

        started, ended = (round(t * 1000) for t in (record.started, record.ended))
        own = tags | _tags(record) | {"driver": _driver()}
        run = self._client.create_run(experiment, started, own, run_name=_name(record))
        params = [Param(name, str(value)) for name, value in record.trial.items()]
        self._client.log_batch(run.info.run_id, params=params)
        self._metrics(run.info.run_id, _curves(record), ended)
        status = "FINISHED" if record.status == FINISHED else "FAILED"
        self._client.set_terminated(run.info.run_id, status, ended)

    def _metrics(self, run: str, values: Iterable[tuple[str, int, float]], when: int) -> None:
        """Log the finite values, a batch a call, one value for each name and step."""
        from mlflow.entities import Metric

        last = {(name, step): value for name, step, value in values if math.isfinite(value)}
        metrics = [Metric(_clean(name), value, when, step) for (name, step), value in last.items()]
        for start in range(0, len(metrics), BATCH):
            self._client.log_batch(run, metrics[start : start + BATCH])

    def _discard(self, run: Any) -> None:
        """Delete a run and its files."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        get_artifact_repository(run.info.artifact_uri).delete_artifacts()
        self._client.delete_run(run.info.run_id)


def _tags(record: Record) -> dict[str, str]:
    """Return what tells a record's run from others."""
    tags = {
        "trial": record.hash,
        "record": record.id,
        "code": record.code[:8],
        "status": record.status,
        "data": ", ".join(record.data),
        "data.served": ", ".join(record.data.values()),
        "data.embedded": str(any(k != v for k, v in record.data.items())).lower(),
        "seed": str(record.trial.get("seed", "")),
        "diverged": str(_diverged(record)).lower(),
    }
    tags |= {f"version.{name}": version for name, version in record.versions.items()}
    return tags | ({"error": record.error} if record.error else {})


def _curves(record: Record) -> Iterator[tuple[str, int, float]]:
    """Yield what was measured: name, step, value; a row without a step counts as its place."""
    for place, row in enumerate(record.rows):
        step = row.get("step")
        if row.get("probe"):
            row = {metric_of(row): row["value"]}
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float):
                yield name, step if isinstance(step, int) else place, float(value)
    yield "seconds", 0, record.seconds


def _diverged(record: Record) -> bool:
    """Return whether the trial says so, or measured something that is not finite."""
    values = [v for row in record.rows for v in row.values() if isinstance(v, float)]
    return any(row.get("diverged") for row in record.rows) or not all(map(math.isfinite, values))


def _name(record: Record) -> str:
    """Return a name to read in a chart: the trial's words and its seed."""
    words = [v for v in record.trial.values() if isinstance(v, str)]
    seed = [f"seed {record.trial['seed']}"] if "seed" in record.trial else []
    return " ".join([*words, *seed]) or record.hash


def _clean(name: str) -> str:
    """Return the name in the characters that MLflow allows."""
    return re.sub(r"[^\w\-. /:]", "_", name)[:250]


def _driver() -> str:
    """Name this checkout on this machine, the only one whose open runs it may close."""
    return f"{os.uname().nodename}:{Path.cwd()}"


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Turn what goes wrong with the store into one line."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        what = " ".join(str(error).split())[:300]
        raise UserError(f"MLflow at {address()}: {what}; `track` catches up later") from error
