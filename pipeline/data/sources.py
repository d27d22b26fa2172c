"""Where each data set comes from: addresses, checksums, licence, citation; and its way here."""

# ruff: noqa: E501  a file and its checksum stay on one line

from pathlib import Path

from lightning_modules.registry import nearest
from pipeline.data.bringing import Source, bring
from pipeline.data.embedded import DIGITS, HELP_TEXTS, YEARLY_SUNSPOTS
from pipeline.data.provenance import Provenance, folder_of
from pipeline.errors import UserError

OFFLINE = ("embedded", "error")
ABSENT = "absent.txt"
"""The note in the folder of a data set that could not be had."""

SOURCES: dict[str, Source] = {
    "mnist": Source(
        title="MNIST",
        count=60_000,
        unit="training images of 28×28",
        files={
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
        addresses=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/{file}",
            "https://storage.googleapis.com/cvdf-datasets/mnist/{file}",
        ),
        licence="CC BY-SA 3.0",
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to "
        "document recognition, Proceedings of the IEEE 86(11), 2278–2324, 1998.",
        embedded=DIGITS,
    ),
    "tiny_shakespeare": Source(
        title="tiny Shakespeare",
        count=1_115_394,
        unit="characters",
        files={
            "input.txt": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        },
        addresses=(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/{file}",
            "https://cdn.jsdelivr.net/gh/karpathy/char-rnn@master/data/tinyshakespeare/{file}",
        ),
        licence="public domain (text), MIT (repository)",
        citation="A. Karpathy, char-rnn, https://github.com/karpathy/char-rnn, 2015.",
        embedded=HELP_TEXTS,
    ),
    "sunspots": Source(
        title="the monthly sunspot numbers",
        count=3_120,
        unit="monthly means",
        files={
            "sunspots_monthly.dat": "cc303d26340b6d599bc2878899f8c50c12323dc04b52a26ad047965ea2b9d2a3",
        },
        addresses=(
            "https://raw.githubusercontent.com/statsmodels/statsmodels/main/statsmodels/datasets/sunspots/src/{file}",
            "https://cdn.jsdelivr.net/gh/statsmodels/statsmodels@main/statsmodels/datasets/sunspots/src/{file}",
        ),
        licence="public domain",
        citation="WDC-SILSO, Royal Observatory of Belgium, Brussels: international sunspot number, "
        "version 1, from the U.S. National Geophysical Data Center.",
        embedded=YEARLY_SUNSPOTS,
    ),
}


def fetch(name: str, root: Path = Path("data"), offline: str = "embedded") -> Provenance:
    """Bring a data set into its folder below ``root`` and return what is there then.

    Files that are there and verify are not fetched again; an embedded stand-in gives way to the
    real files as soon as an address answers. One fetch of a data set at a time.

    Args:
        name: the data set.
        root: the folder of all data sets.
        offline: "embedded" to let a stand-in serve where no address answers, or "error".

    Raises:
        UserError: unknown name, wrong checksum, folder that cannot be written, or no address
            answers and nothing may stand in.
    """
    if name not in SOURCES:
        raise UserError(f"{name!r} is not a data set: {nearest(name, SOURCES)}")
    if offline not in OFFLINE:
        raise UserError(f"offline: {offline!r} is not one of: {', '.join(OFFLINE)}")
    folder = folder_of(name, root)
    try:
        (folder / ABSENT).unlink(missing_ok=True)
        return bring(name, SOURCES[name], folder, strict=offline == "error")
    except OSError as error:
        where = error.filename or folder
        raise UserError(f"{where}: {error.strerror or error}; make it usable, then fetch") from None


def note(name: str, why: str, root: Path = Path("data")) -> None:
    """Leave a note in a data set's folder that says why it is not there; ``fetch`` removes it."""
    folder = folder_of(name, root)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABSENT).write_text(f"{why}\n", encoding="utf-8")
