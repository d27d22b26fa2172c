"""The command line: python -m pipeline COMMAND. The commands are in commands/."""

import importlib
import sys

import typer

from lightning_modules.registry import nearest
from pipeline.commands import COMMANDS
from pipeline.commands._terminal import say
from pipeline.errors import UserError, refused

PROGRAM = "gradient-dynamics"
"""The command line as an installed program, whose arguments a shell can complete."""
app = typer.Typer(
    help="A laboratory for gradient dynamics: data, studies, reports. Values are in params.yaml "
    "and params/<study>.yaml.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _name in COMMANDS:
    _module = importlib.import_module(f"pipeline.commands.{_name}")
    app.command(_name.replace("_", "-"), epilog="\n\n".join(_module.EXAMPLES))(_module.command)


def main() -> None:
    """Run a command; an error that the user can correct is one line and exit code 2."""
    line = ""
    try:
        completing = {"--install-completion", "--show-completion"} & {*sys.argv}
        sys.exit(app(prog_name=PROGRAM if completing else None, standalone_mode=False))
    except typer.TyperException as mistake:
        # Without a command its help has been printed already.
        line = "" if len(sys.argv) < 2 else _mistaken(mistake)
    except UserError as error:
        line = str(error)
    except OSError as error:
        line = str(refused(error))
    if line:
        say(line)
    sys.exit(2)


def _mistaken(mistake: typer.TyperException) -> str:
    """Return one line that says what in the command is wrong and where to find help."""
    context = getattr(mistake, "ctx", None)
    command = context.command_path if context else "python -m pipeline"
    message = getattr(mistake, "format_message", lambda: str(mistake))().rstrip(".")
    unknown = message.partition("No such command ")[2]
    if unknown and context:
        name = unknown.split("'")[1]
        message = f"No such command {name!r}: {nearest(name.lower(), context.command.commands)}"
    return f"{message}; see {command} --help"


if __name__ == "__main__":
    main()
