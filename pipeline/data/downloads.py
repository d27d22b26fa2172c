"""Files from several addresses, verified by SHA-256; the only file that knows pooch.

A missing network is recognised by silence. A data set's hosts are asked all at once, in threads,
because the look-up of a name has no time-out of its own; a host that does not answer within
ANSWER_SECONDS is not asked again. All waiting without an answer, for stalled downloads too, is
limited to SILENCE_SECONDS in total. A download that makes progress is never cut off.
"""

import contextlib
import dataclasses
import gzip
import shutil
import sys
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pooch
import requests
import urllib3
from tqdm import tqdm

from pipeline.data.provenance import digest
from pipeline.errors import UserError, anonymous

ANSWER_SECONDS = 4.5
STALL_SECONDS = 10.0
SILENCE_SECONDS = 15.0
AS_IT_IS = {"Accept-Encoding": "identity"}
"""The header that asks for the file as it is, without compression on its way."""
_SILENT = "no answer"
_WRONG = "wrong checksum"


@dataclasses.dataclass
class Network:
    """What this process knows of the network."""

    patience: float = SILENCE_SECONDS
    """Seconds that may still be spent waiting without an answer."""
    hosts: dict[str, str] = dataclasses.field(default_factory=dict)
    """For each host that was asked, why it cannot be used; empty if it answers."""

    def ask(self, addresses: Sequence[str]) -> None:
        """Find out which hosts of the addresses answer at all."""
        new = {_host(a): a for a in addresses if _host(a) and _host(a) not in self.hosts}
        self.hosts |= dict.fromkeys(new, _SILENT)
        asking = [threading.Thread(target=self._ask, args=h, daemon=True) for h in new.items()]
        start = time.monotonic()
        end = start + min(ANSWER_SECONDS, self.patience)
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join(max(0.0, end - time.monotonic()))
        if any(self.hosts[host] == _SILENT for host in new):
            self.wasted(time.monotonic() - start)

    def wasted(self, seconds: float) -> None:
        """Count seconds of waiting without an answer."""
        self.patience = max(0.0, self.patience - seconds)

    def _ask(self, host: str, address: str) -> None:
        """Ask for one address without fetching it; any answer counts."""
        try:
            pooch.HTTPDownloader(timeout=ANSWER_SECONDS)(address, None, None, check_only=True)
        except (requests.RequestException, ValueError) as error:
            self.hosts[host] = _why(error)
        else:
            self.hosts[host] = ""


network = Network()


class UnreachableError(Exception):
    """No address has the file; the message says which were tried and what came of it."""

    def __init__(self, file: str, tried: Mapping[str, str]):
        self.file = file
        said = ", ".join(f"{anonymous(address)}: {why}" for address, why in tried.items())
        super().__init__(said or "it is not published, and DATA_MIRROR names no mirror")


def collect(
    files: Mapping[str, str], tiers: Callable[[str], Sequence[Sequence[str]]], into: Path
) -> dict[str, str]:
    """Bring files into the folder ``into``, where each appears when it is whole and verified.

    Return the address that served each, by name.

    Args:
        files: SHA-256 by name.
        tiers: of a name, URLs and paths in the order of preference; the next tier is not asked
            before the last has failed.
        into: an existing folder.

    Raises:
        UserError: a tier has another file under the name, and none that is right.
        UnreachableError: no address has it.
    """
    pooch.get_logger().setLevel("WARNING")
    got: dict[str, str] = {}
    for name, sha256 in files.items():
        tried: dict[str, str] = {}
        for addresses in tiers(name):
            network.ask(addresses)
            served = (a for a in addresses if _got(a, into / name, sha256, tried))
            if at := next(served, ""):
                got[name] = at
                break
            _refuse_wrong(tried, sha256)
        else:
            raise UnreachableError(name, tried)
    return got


def say(line: str) -> None:
    """Print a line of progress, apart from results."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _got(address: str, path: Path, sha256: str, tried: dict[str, str]) -> bool:
    """Try one address; on failure write down why in ``tried``."""
    tried[address] = network.hosts.get(_host(address), "")
    if tried[address]:
        return False
    say(f"fetching {path.name} from {anonymous(address)}")
    with _Bar(total=1, unit="B", unit_scale=True, leave=False, disable=None) as bar:
        try:
            pooch.retrieve(
                address, sha256, path.name, path.parent, downloader=_downloader(bar, sha256)
            )
        except (requests.RequestException, ValueError) as error:
            tried[address] = _why(error)
            if tried[address] == _SILENT:
                network.wasted(min(STALL_SECONDS, time.monotonic() - bar.moved))
        except FileNotFoundError:
            tried[address] = "no such file"
    return not tried[address]


class _Bar(tqdm):
    """A progress bar, on a terminal only, that knows when it last moved."""

    def __init__(self, **options: Any):
        self.moved = time.monotonic()
        super().__init__(**options)

    def update(self, n: float | None = 1) -> bool | None:
        """Move on by ``n`` bytes."""
        self.moved = time.monotonic()
        return super().update(n)


def _downloader(bar: Any, sha256: str) -> Any:
    """Return what pooch calls to write an address, URL or path, into a named file."""

    def download(address: str, output: str, caller: Any) -> None:
        if not _host(address):
            shutil.copyfile(address, output)
            return
        stall = max(0.1, min(STALL_SECONDS, network.patience))
        with requests.get(address, stream=True, timeout=stall, headers=AS_IT_IS) as answer:
            answer.raise_for_status()
            bar.total = int(answer.headers.get("Content-Length", 0)) or None
            _write(answer, Path(output), bar)
            packed = "gzip" in answer.headers.get("Content-Encoding", "")
        if packed and digest(Path(output)) != sha256:
            _unpack(Path(output))

    return download


def _write(answer: requests.Response, path: Path, bar: Any) -> None:
    """Write the bytes as they come: some servers call a .gz file itself an encoding of another."""
    try:
        with path.open("wb") as file:
            for piece in answer.raw.stream(1 << 16, decode_content=False):
                file.write(piece)
                bar.update(len(piece))
    except (urllib3.exceptions.HTTPError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the disk's
        raise requests.ConnectionError(error) from error


def _unpack(path: Path) -> None:
    """Undo what a server packed on the way, if it did."""
    with contextlib.suppress(OSError, EOFError, zlib.error):
        path.write_bytes(gzip.decompress(path.read_bytes()))


def _refuse_wrong(tried: Mapping[str, str], sha256: str) -> None:
    """Raise UserError for the first address that gave another file than the one wanted."""
    for address, why in tried.items():
        if why == _WRONG:
            raise UserError(
                f"{anonymous(address)}: {_WRONG}: its SHA-256 is not {sha256}; "
                "mend the file there, or set DATA_MIRROR to a folder or URL that has the right one"
            )


def _host(address: str) -> str:
    """Return the address's host and port, empty for a path."""
    return urlsplit(address).netloc if address.startswith(("http://", "https://")) else ""


def _why(error: Exception) -> str:
    """Say in a few words what kept a file from coming."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if not isinstance(error, requests.RequestException):
        return _WRONG
    text = str(error)
    known = {
        "timed out": _SILENT,
        "resolve": "no such host",
        "refused": "connection refused",
        "CERTIFICATE": "its certificate is not accepted",
    }
    return next((why for sign, why in known.items() if sign in text), "connection failed")
