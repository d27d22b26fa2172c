"""Errors that a user can correct, each as one line."""

import errno
import re
from pathlib import Path

REMEDIES = {
    errno.ENOSPC: "make room there, then give the same command again",
    errno.EDQUOT: "make room there, then give the same command again",
    errno.EROFS: "make it writable",
    errno.EACCES: "make it yours to read and write",
    errno.EPERM: "make it yours to read and write",
    errno.EISDIR: "a folder lies where a file belongs: move it away",
    errno.ENOTDIR: "a file lies where a folder belongs: move it away",
    errno.EEXIST: "a file lies where a folder belongs: move it away",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ENOLCK: "its file system keeps no locks: put the project on one that does",
    errno.ENOTSUP: "its file system keeps no locks: put the project on one that does",
    errno.ENOSYS: "its file system keeps no locks: put the project on one that does",
}
"""What to do about an OSError, by its errno."""


class UserError(Exception):
    """One clear line: what was given, what is allowed, what to do. Printed without a traceback."""


def refused(error: OSError, path: Path | str = "") -> UserError:
    """Return an OSError as one line: the file, the system's reason, and what to do."""
    where = path or error.filename
    what = " ".join((error.strerror or str(error) or type(error).__name__).split())
    said = f"{where}: {what}" if where else what
    return UserError(f"{said}; {REMEDIES.get(error.errno or 0, 'make it usable')}")


def anonymous(address: str) -> str:
    """Return an address without the user name and password that it may hold."""
    return re.sub(r"(?<=://)[^/@]*@", "", address)
