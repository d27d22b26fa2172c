"""The command line: python -m pipeline COMMAND."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.errors import UserError
from pipeline.running.importing import at_once

if TYPE_CHECKING:
    from pipeline.params import Settings

app = typer.Typer(
    help="A laboratory for gradient dynamics: data, studies, reports. Values are in params.yaml.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Study = Annotated[str, typer.Argument(help="A study's name, as `list` shows it.")]
told = Console(stderr=True)


@app.command(name="list")
def list_() -> None:
    """Show every study: its question, its scales and how many trials each has."""
    from pipeline import params
    from pipeline.running.jobs import job
    from pipeline.studies import STUDIES

    settings = params.load()
    shown = Table("study", "question", "trials")
    for name, scales in settings.studies.items():
        question = " ".join((STUDIES[name].doc or "").strip().split("\n\n")[0].split())
        each = (job(settings.model_copy(update={"scale": scale}), name) for scale in scales)
        shown.add_row(name, question, "\n".join(f"{j.scale}: {len(j.trials)}" for j in each))
    Console().print(shown)


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets; all if none.")] = None,
) -> None:
    """Fetch data sets and verify them; DATA_MIRROR, a URL or a folder, is tried first."""
    from pipeline import params
    from pipeline.data import sources

    data = params.load().data
    for name in names or data.sets:
        got = sources.fetch(name, offline=data.offline)
        _say(f"{name}: {got.served}, {got.count:,} {got.unit}")


@app.command()
def run(
    study: Study,
    force: Annotated[bool, typer.Option(help="Run finished trials again as well.")] = False,
) -> None:
    """Run the trials of a study that are not finished, at the scale of params.yaml."""
    with at_once():
        from pipeline.running import execute
        from pipeline.running import jobs
        from pipeline import params

        settings = params.load()
        if not settings.dispatch.gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        job = jobs.job(settings, study)
    try:
        failed = [r for r in execute.run(job, settings.dispatch, told, force) if r.error]
    except KeyboardInterrupt:
        _say("interrupted: finished trials are kept; the same command goes on with the rest")
        raise typer.Exit(130) from None
    for record in failed[:5]:
        _say(f"failed: {record.key}: {record.error}")
    if failed:
        _say(f"{len(failed)} of {len(job.trials)} trials failed; the next run tries them again")
    if not jobs.state(job).finished:
        _say(f"{study} ({job.scale}): no trial has finished, so there is no table")
        raise typer.Exit(1)


@app.command()
def report(study: Study) -> None:
    """Build a study's page and figures from its table, and keep them in MLflow."""
    with at_once():
        from pipeline import params
        from pipeline.reporting import report as reports
        from pipeline.studies import STUDIES
        from pipeline.running.tracking import Tracker

        scale = _checked(params.load(), study)
        STUDIES[study]  # imports it
    folder = reports.build(study, scale)
    _say(f"{folder / 'index.html'}")
    with _as_a_remark():
        Tracker().attach(study, scale, folder)


@app.command()
def index() -> None:
    """Build the page over all studies."""
    with at_once():
        from pipeline import params
        from pipeline.reporting import report as reports

        settings = params.load()
    _say(str(reports.index(settings.scale)))


@app.command()
def track(study: Study) -> None:
    """Log finished trials that MLflow does not have, after a clone for instance."""
    from pipeline import params
    from pipeline.running import journal as records
    from pipeline.running.tracking import Tracker

    scale = _checked(params.load(), study)
    kept = records.journal(study, scale).read()
    count = Tracker().sync(study, scale, kept.values())
    _say(f"{study} ({scale}): {count} of {len(kept)} trials logged now")


@app.command()
def status() -> None:
    """Count the trials of every study at every scale: asked for, finished, failed, stale."""
    from pipeline.running import jobs
    from pipeline import params

    settings = params.load()
    shown = Table("study", "scale", *jobs.State._fields)
    for name, scales in settings.studies.items():
        for scale in scales:
            job = jobs.job(settings.model_copy(update={"scale": scale}), name)
            shown.add_row(name, scale, *map(str, jobs.state(job)))
    Console().print(shown)


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on the loopback interface.")] = 5000) -> None:
    """Browse the recorded runs on this machine, until Ctrl-C."""
    from pipeline.running.tracking import address

    serve = ["mlflow", "ui", "--backend-store-uri", address(), "--host", "127.0.0.1"]
    done = subprocess.run([sys.executable, "-m", *serve, "--port", str(port)], check=False)
    raise typer.Exit(done.returncode)


def _checked(settings: "Settings", study: str) -> str:
    """Return the scale in force; UserError if the study has no section there."""
    from pipeline import params

    params.section(settings, study)
    return settings.scale


def _say(line: str) -> None:
    """Print a line for the reader, apart from results."""
    told.print(line, highlight=False, markup=False, soft_wrap=True)


@contextlib.contextmanager
def _as_a_remark() -> Iterator[None]:
    """Print a mistake that does not touch the result, and go on."""
    try:
        yield
    except UserError as error:
        _say(str(error))


def main() -> None:
    """Run a command; a user's mistake is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        _say(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
