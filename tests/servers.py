"""Small HTTP servers on this machine, well behaved and not."""

import contextlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Send = Callable[[http.server.BaseHTTPRequestHandler, bytes], None]


def whole(handler: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
    """Send all at once."""
    handler.wfile.write(data)


def trickle(handler: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
    """Send a tenth every .2 s."""
    for start in range(0, len(data), max(1, len(data) // 10)):
        time.sleep(0.2)
        handler.wfile.write(data[start : start + max(1, len(data) // 10)])


def half(handler: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
    """Send a half, then hold the line until the other side lets go."""
    handler.wfile.write(data[: len(data) // 2])
    handler.wfile.flush()
    handler.connection.recv(1)


def torn(handler: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
    """Send a half, then hang up."""
    handler.wfile.write(data[: len(data) // 2])


@contextlib.contextmanager
def serve(
    folder: Path, send: Send = whole, encoding: str = "", pack: Callable[[bytes], bytes] = bytes
) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder's files; give the address and the list of paths that were downloaded.

    What is sent is packed by ``pack``, and said to be in ``encoding`` if that is not empty.
    """
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            path = folder / self.path.lstrip("/")
            data = pack(path.read_bytes()) if path.is_file() else b""
            self.send_response(200 if path.is_file() else 404)
            self.send_header("Content-Length", str(len(data)))
            if encoding:
                self.send_header("Content-Encoding", encoding)
            self.end_headers()

        def do_GET(self) -> None:
            asked.append(self.path)
            self.do_HEAD()
            with contextlib.suppress(OSError):
                send(self, pack((folder / self.path.lstrip("/")).read_bytes()))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
            """Keep quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """Accept connections and never say a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def refusing() -> str:
    """Return an address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def start_mlflow(folder: Path, address: str) -> subprocess.Popen[bytes]:
    """Start a real MLflow server, with its database and artifacts in a folder."""
    store = ["--backend-store-uri", f"sqlite:///{folder / 'server.db'}"]
    store += ["--artifacts-destination", str(folder / "artifacts"), "--workers", "1"]
    host, port = address.removeprefix("http://").split(":")
    return subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *store, "--host", host, "--port", port],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # it starts others, which end with it
    )


def end(server: subprocess.Popen[bytes]) -> None:
    """Kill a server and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def await_answer(server: subprocess.Popen[bytes], address: str) -> None:
    """Return when the server is up; TimeoutError if it does not come up."""
    late = time.monotonic() + 120
    while not _answers(address):
        if server.poll() is not None or time.monotonic() > late:
            raise TimeoutError("the MLflow server has not come up")
        time.sleep(0.2)


@contextlib.contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Run a real MLflow server, with its database and artifacts in a folder; give its address."""
    address = refusing()
    server = start_mlflow(folder, address)
    try:
        await_answer(server, address)
        yield address
    finally:
        end(server)


def _answers(address: str) -> bool:
    """Tell whether a server is up."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5):
            return True
    except OSError:
        return False
