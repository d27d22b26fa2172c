"""params.yaml and params/<study>.yaml: whether they are valid."""

from collections.abc import Iterator

from pipeline import params
from pipeline.errors import UserError
from pipeline.health._finding import Finding
from pipeline.running.jobs import jobs


def examine() -> Iterator[Finding]:
    """Read all of them at the scale in force."""
    try:
        settings = params.load()
    except UserError as error:
        yield from (Finding(line, "correct the line") for line in str(error).splitlines())
        return
    made, broken = jobs(settings)
    for name, error in broken.items():
        yield from (Finding(f"{name}: {line}", "correct it") for line in error.splitlines())
    for job in made:
        for line in params.unheard(job.name, job.study, job.scale, job.trials):
            yield Finding(f"{job.name}: {line}", "correct the name if it is not meant so")
    asked = sum(len(job.trials) for job in made)
    yield Finding(f"{len(made)} studies ask for {asked:,} trials at scale {settings.scale}")
