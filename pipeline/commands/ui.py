"""`ui`: the recorded runs in a browser."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from typing import Annotated

import typer

from pipeline.commands._terminal import say
from pipeline.errors import UserError

EXAMPLES = ("Example: python -m pipeline ui --port 5001",)
LOOPBACK = "127.0.0.1"


def command(
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
        # MLflow's first page speaks of language models.
        studies = f"http://{LOOPBACK}:{port}/#/experiments"
        say(f"{studies} lists the studies in some seconds, until Ctrl-C")
        code = server.wait()
    except KeyboardInterrupt:
        say("ended")
        return
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # all that it has started, too
        server.wait()
    raise UserError(f"the server has ended by itself ({code}): `mlflow ui` on its own says why")
