"""The command line: python -m pipeline COMMAND.

Above 300 lines because every command stands here, a few lines each, and how each ends.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from lightning_modules.registry import nearest
from pipeline.errors import UserError, refused

if TYPE_CHECKING:
    from pipeline.params import Settings
    from pipeline.running.jobs import Job

app = typer.Typer(
    help="A laboratory for gradient dynamics: data, studies, reports. Values are in params.yaml "
    "and params/<study>.yaml.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Studies = Annotated[
    list[str] | None, typer.Argument(help="Studies, as `list` shows them; all if none is named.")
]
Scale = Annotated[
    str | None, typer.Option(help="quick, standard or paper; that of params.yaml if not given.")
]
console = Console(stderr=True)
LOOPBACK = "127.0.0.1"


@app.command(name="list")
def list_() -> None:
    """Show every study: its question and how many trials it has at each scale."""
    from pipeline.params import SCALES
    from pipeline.running.jobs import asked_for
    from pipeline.running.machine import at_once

    shown = Table("study", "question", *SCALES)
    broken = dict[str, str]()
    with at_once():
        for name, question, trials in asked_for(broken):
            counts = (f"{trials[s]:,}" if s in trials else "–" for s in SCALES)
            shown.add_row(name, question, *counts)
    Console().print(shown)
    _end(broken)


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets; all if none.")] = None,
    scale: Scale = None,
    keep_going: Annotated[
        bool, typer.Option(help="Leave a note where one cannot be had, and end well.")
    ] = False,
) -> None:
    """Fetch data sets and verify them; DATA_MIRROR, a URL or a folder, is tried first."""
    from pipeline.data import sources

    settings, missing = _settings(scale), []
    for name in names or settings.data.sets:
        try:
            got = sources.fetch(name, offline=settings.offline)
        except UserError as error:
            missing.append(name)
            _say(str(error))
            if keep_going:
                sources.note(name, str(error))
        else:
            _say(f"{name}: {got.served}, {got.count:,} {got.unit}")
    if missing and not keep_going:
        raise typer.Exit(2)


@app.command()
def run(
    studies: Studies = None,
    scale: Scale = None,
    force: Annotated[bool, typer.Option(help="Run finished trials again as well.")] = False,
) -> None:
    """Run all trials that are not finished, those of all studies in one queue."""
    settings = _settings(scale)
    _run(settings, *_with_journals(settings, studies), force=force)


@app.command()
def replicate(
    row: Annotated[str, typer.Argument(help="A row of reports/<scale>/record.html.")],
    scale: Scale = None,
    force: Annotated[bool, typer.Option(help="Run finished trials again as well.")] = False,
) -> None:
    """Run the trials behind one published figure, and hold it to what they say."""
    import dataclasses

    from pipeline.reporting import overview
    from pipeline.studies import STUDIES

    settings = _settings(scale)
    at = overview.row(row, settings.scale, STUDIES)
    (job,), broken = _with_journals(settings, [at["study"]])
    own = {k: trial for k, trial in job.trials.items() if trial.get("part", "") == at["part"]}
    _run(settings, [dataclasses.replace(job, trials=own)], broken, force=force)
    at = overview.row(row, settings.scale, STUDIES)
    typer.echo(f"{row}: {at['verdict']}: {at['claim']}: {at['seen']}")
    typer.echo(f"published: {at['value']} ({at['source']}); tolerance: {at['tolerance']}")


@app.command()
def report(studies: Studies = None, scale: Scale = None) -> None:
    """Build the pages and figures of studies from their journals, and the page over all."""
    from pipeline.reporting.press import Press

    settings = _settings(scale)
    made, broken = _with_journals(settings, studies)
    with Press(settings, console, broken) as press:
        for job in made:
            press.print(job.name)
    _end(broken, 2 if press.errors else 0)  # what is wrong with a page has been said


@app.command()
def track(studies: Studies = None, scale: Scale = None) -> None:
    """Log finished trials that MLflow does not have, and keep the pages there as well."""
    from pipeline.reporting import imprint
    from pipeline.running.following import track as logged
    from pipeline.running.tracking import Tracker

    made, broken = _with_journals(_settings(scale), studies)
    for name, count in logged(made, console).items():
        _say(f"{name}: {count:,} trials logged now")
    tracker = Tracker()
    for job in made:
        folder = imprint.folder_of(job.name, job.scale, Path())
        if folder.exists():
            tracker.attach(job.name, job.scale, folder)
    _end(broken)


@app.command()
def collect(
    studies: Studies = None,
    scale: Scale = None,
    server: Annotated[
        str | None, typer.Option(help="MLflow's address; MLFLOW_TRACKING_URI if not given.")
    ] = None,
) -> None:
    """Bring trials that an MLflow server holds and the journals lack into the journals."""
    from pipeline.running.collecting import collect as collected

    made, broken = _with_journals(_settings(scale), studies)
    for job in made:
        for line in collected(job, server).lines():
            _say(line)
    _end(broken)


@app.command()
def adopt(
    commit: Annotated[str, typer.Option("--from", help="Where the code stands that measured.")],
    studies: Studies = None,
    scale: Scale = None,
    share: Annotated[
        float, typer.Option(help="How much of the rest of each group is run again, too.")
    ] = 0.0,
) -> None:
    """Keep what earlier code measured where a sample run by both codes has the same rows."""
    from pipeline.running.adoption import adopt as adopted

    made, broken = _with_journals(_settings(scale), studies)
    for job in made:
        for line in adopted(job, commit, share, console).lines():
            _say(line)
    _end(broken)


@app.command()
def status(studies: Studies = None, scale: Scale = None) -> None:
    """Count the trials of every study: asked for, finished, failed, waiting, stale and why."""
    from pipeline.running.jobs import State, state
    from pipeline.running.machine import at_once

    made, broken = _jobs(_settings(scale), studies)
    states = {}
    with at_once():
        for job in made:
            try:
                states[job.name] = state(job)
            except UserError as error:
                broken[job.name] = str(error)
    shown = Table("study", *(name for name in State._fields if name != "why"))
    for name, of in states.items():
        shown.add_row(name, *(f"{count:,}" for count in of.counts().values()))
    if states:
        Console().print(shown)
    for name, of in states.items():
        for reason in of.why:
            Console().print(f"{name}: {reason}", highlight=False, markup=False, soft_wrap=True)
    _end(broken)


@app.command(
    epilog='Example: python -m pipeline sample "ROMEO:" --length 300 --temperature 0.8 --train'
)
def sample(
    text: Annotated[str, typer.Argument(help="The beginning of the text.")] = "",
    length: Annotated[int, typer.Option(min=1, help="Characters, or words, that follow.")] = 200,
    temperature: Annotated[
        float, typer.Option(min=0, help="0 takes the likeliest each time, 1 draws as predicted.")
    ] = 0.8,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 0,
    part: Annotated[str, typer.Option(help="characters or words.")] = "characters",
    model: Annotated[
        str | None, typer.Option(help="A name in params/language_model.yaml; the last if none.")
    ] = None,
    train: Annotated[
        bool, typer.Option(help="Train it first where no weights of it are kept.")
    ] = False,
    scale: Scale = None,
) -> None:
    """Continue a text with a language model of the study language_model."""
    from pipeline.running import sampling

    said = sampling.sample(
        _settings(scale),
        text,
        part=part,
        model=model,
        length=length,
        temperature=temperature,
        seed=seed,
        train=train,
    )
    between = "" if part == "characters" or not text else " "
    typer.echo(f"{text}{between}{said}")


@app.command()
def ui(
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port on the loopback interface.")
    ] = 5000,
) -> None:
    """Browse the recorded runs on this machine, until Ctrl-C."""
    from pipeline.running.tracking import address, hold_local

    store = hold_local(address())
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        line = f"port {port} cannot be had ({why}): name another with --port"
        raise UserError(line) from None
    serve = ["-m", "mlflow", "ui", "--backend-store-uri", store, "--host", LOOPBACK]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = subprocess.Popen(
        [sys.executable, *serve, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # at its end it prints a stack for each of its processes
        start_new_session=True,
    )
    try:
        _say(f"http://{LOOPBACK}:{port} shows the runs in some seconds, until Ctrl-C")
        code = server.wait()
    except KeyboardInterrupt:
        _say("ended")
        return
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # all that it has started, too
        server.wait()
    raise UserError(f"the server has ended by itself ({code}): `mlflow ui` on its own says why")


def _run(settings: "Settings", made: list["Job"], broken: dict[str, str], *, force: bool) -> None:
    """Run what is not finished, build the pages, and leave unless all went well."""
    from pipeline.reporting import overview
    from pipeline.reporting.press import Press
    from pipeline.running import queue
    from pipeline.running.following import following

    parts = [part for job in made for part in job.study.parts.values()]
    if not settings.dispatch.gpus and not any(part.needs.gpus for part in parts):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        with Press(settings, console, broken) as press, following(made, console):
            ending = queue.run(
                made, settings, console, force=force, ended=lambda job: press.print(job.name)
            )
    except KeyboardInterrupt:
        _say("interrupted: finished trials are kept; the same command goes on with the rest")
        raise typer.Exit(130) from None
    if not ending.stopped:
        shown = [job.name for job in made if job.name not in press.errors]
        for line in overview.verdicts(settings.scale, shown):
            _say(line)
    _end(broken, ending.code or (2 if press.errors else 0))


def _settings(scale: str | None) -> "Settings":
    """Return what params.yaml says, at the scale that was asked for."""
    from pipeline import params

    return params.load().at(scale)


def _jobs(
    settings: "Settings", studies: Sequence[str] | None
) -> tuple[list["Job"], dict[str, str]]:
    """Return the studies that were asked for, and what is wrong with those that cannot be.

    Where none can be declared that is all there is to say.
    """
    from pipeline.params import unheard
    from pipeline.running.jobs import jobs
    from pipeline.running.machine import at_once

    with at_once():
        made, broken = jobs(settings, studies or ())
    for job in made:
        for line in unheard(job.name, job.study, job.scale, job.trials):
            _say(f"{job.name}: {line}")
    if not made:
        _end(broken)
    return made, broken


def _with_journals(
    settings: "Settings", studies: Sequence[str] | None
) -> tuple[list["Job"], dict[str, str]]:
    """Return the studies as ``_jobs`` does, without those whose journals cannot be read.

    Said once, at the end: whatever reads a journal afterwards would say it again.
    """
    made, broken = _jobs(settings, studies)
    readable = []
    for job in made:
        try:
            job.journal.read()
        except UserError as error:
            broken[job.name] = str(error)
        else:
            readable.append(job)
    if not readable:
        _end(broken)
    return readable, broken


def _end(broken: dict[str, str], code: int = 0) -> None:
    """Name the studies that were left out, and leave with the exit code."""
    for name, error in broken.items():
        _say(f"{name}: left out: {error}")
    if broken or code:
        raise typer.Exit(code or 2)


def _say(line: str) -> None:
    """Print a line for the reader, apart from results."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _mistaken(mistake: typer.TyperException) -> str:
    """Say in one line what of a command cannot be understood, and what can."""
    context = getattr(mistake, "ctx", None)
    command = context.command_path if context else "python -m pipeline"
    message = getattr(mistake, "format_message", lambda: str(mistake))().rstrip(".")
    unknown = message.partition("No such command ")[2]
    if unknown and context:
        name = unknown.split("'")[1]
        message = f"No such command {name!r}: {nearest(name.lower(), context.command.commands)}"
    return f"{message}; see {command} --help"


def main() -> None:
    """Run a command; whatever its user can mend is one line, and exit code 2."""
    line = ""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as mistake:
        # Without a command its help has been printed already.
        line = "" if len(sys.argv) < 2 else _mistaken(mistake)
    except UserError as error:
        line = str(error)
    except OSError as error:
        line = str(refused(error))
    if line:
        _say(line)
    sys.exit(2)


if __name__ == "__main__":
    main()
