"""Where each data set comes from: addresses, checksums, licence, citation; and its way here."""

# ruff: noqa: E501  a file and its checksum stay on one line

from pathlib import Path

from lightning_modules.registry import nearest
from pipeline.data.bringing import Source, bring
from pipeline.data.embedded import DIGITS, HELP_TEXTS, YEARLY_SUNSPOTS
from pipeline.data.generated import (
    GENERATED_PAGES,
    GENERATED_PAIRS,
    GENERATED_QUESTIONS,
    GENERATED_REQUESTS,
    GENERATED_TAGS,
)
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
    "wikitext2": Source(
        title="WikiText-2",
        count=2_088_628,
        unit="training tokens",
        files={
            "wiki.train.tokens": "9e9fa1ad55b1c2c95b08e37dd8e653f638fac2c6de904b79e813611eefbc985f",
            "wiki.valid.tokens": "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
            "wiki.test.tokens": "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
        },
        addresses=(
            "https://raw.githubusercontent.com/pytorch/examples/main/word_language_model/data/wikitext-2/{file}",
            "https://cdn.jsdelivr.net/gh/pytorch/examples@main/word_language_model/data/wikitext-2/{file}",
        ),
        published_as={f"wiki.{part}.tokens": f"{part}.txt" for part in ("train", "valid", "test")},
        folder="wikitext-2",
        licence="CC BY-SA 3.0 and GFDL",
        citation="S. Merity, C. Xiong, J. Bradbury, R. Socher, Pointer Sentinel Mixture Models, "
        "arXiv:1609.07843, 2016.",
        embedded=GENERATED_PAGES,
    ),
    "ewt": Source(
        title="the Universal Dependencies English Web Treebank 2.16",
        count=12_544,
        unit="training sentences",
        files={
            "en_ewt-ud-train.conllu": "3fb78e2b55482c8ee00caa653af436c88c9e5bc9a73ce26e4ae3ddc79d2b7e7b",
            "en_ewt-ud-dev.conllu": "531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6",
            "en_ewt-ud-test.conllu": "e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd",
        },
        addresses=(
            "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/r2.16/{file}",
            "https://cdn.jsdelivr.net/gh/UniversalDependencies/UD_English-EWT@r2.16/{file}",
        ),
        folder="ud-english-ewt",
        licence="CC BY-SA 4.0 (annotations); the underlying web texts belong to their authors",
        citation="N. Silveira, T. Dozat, M.-C. de Marneffe, S. Bowman, M. Connor, J. Bauer, "
        "C. D. Manning, A Gold Standard Dependency Corpus for English, LREC 2014.",
        embedded=GENERATED_TAGS,
    ),
    "snips": Source(
        title="SNIPS",
        count=13_784,
        unit="training requests",
        files={
            "train_AddToPlaylist_full.json": "fee1b4645352e70ed8a40f1f87c3b53fc3bf75f8ebc82252a22b82c107e75b01",
            "train_BookRestaurant_full.json": "7677e82cd6e9a8191f0a4502568c786278c984900b4796d3628e46f1abf73ef4",
            "train_GetWeather_full.json": "86f414b2ad8a993134d85d16e25e5d337beae47cef993c0af2a5f440405c60f6",
            "train_PlayMusic_full.json": "901ddbe9781d1fdb8196e789c543f80df3d29ca6e237da64947905adcc0312e4",
            "train_RateBook_full.json": "bb43e4b74134300d5766f6b420d0357a63402987a225f6dc92c806c9c040ce04",
            "train_SearchCreativeWork_full.json": "87b3432de48c71c205aa5238b41d9e3f2d70bdfcd0bea2427544fb9e4bd5e5bb",
            "train_SearchScreeningEvent_full.json": "5447e9440c02e2fb08c3ae16b9f58a4d1332b4bc77fd34691402b02aa4399765",
            "validate_AddToPlaylist.json": "14cc9ee49ae477b1452632a6e835498cf4c32da397b16967c82abb3e50403e83",
            "validate_BookRestaurant.json": "4f7258ccc768b777b2eb8916532db9aa50dbd058ddf1ffb0dc59218963e7442a",
            "validate_GetWeather.json": "60c095e193655d6ca92be220fed3926ca25e18cd70c85664145efe25d80993af",
            "validate_PlayMusic.json": "922212775e26259d5bffeaf79b6048d070ca017d229df00b2cc9800f71c75d20",
            "validate_RateBook.json": "c1f8b4114da0bb5e8afd78a8062766e18b2eabb0e717539598db01b09d04619b",
            "validate_SearchCreativeWork.json": "8a5e830eddb185d3e4a9d27ded140a145d04766bdce0e58834676ede32d13e77",
            "validate_SearchScreeningEvent.json": "81e1445713e03c7c3e615353c5f3fee05f369fe9834100b9b9735900a96b9498",
        },
        addresses=(
            "https://raw.githubusercontent.com/sonos/nlu-benchmark/b86ac7f1577868c42158d0dec77db50956046696/2017-06-custom-intent-engines/{file}",
            "https://cdn.jsdelivr.net/gh/sonos/nlu-benchmark@b86ac7f1577868c42158d0dec77db50956046696/2017-06-custom-intent-engines/{file}",
        ),
        published_as={
            file: f"{intent}/{file}"
            for intent in (
                "AddToPlaylist",
                "BookRestaurant",
                "GetWeather",
                "PlayMusic",
                "RateBook",
                "SearchCreativeWork",
                "SearchScreeningEvent",
            )
            for file in (f"train_{intent}_full.json", f"validate_{intent}.json")
        },
        licence="CC0 1.0",
        citation="A. Coucke et al., Snips Voice Platform: an embedded Spoken Language Understanding "
        "system for private-by-design voice interfaces, arXiv:1805.10190, 2018.",
        embedded=GENERATED_REQUESTS,
    ),
    "banking77": Source(
        title="Banking77",
        count=10_003,
        unit="training questions",
        files={
            "train.csv": "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
            "test.csv": "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
        },
        addresses=(
            "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/master/banking_data/{file}",
            "https://cdn.jsdelivr.net/gh/PolyAI-LDN/task-specific-datasets@master/banking_data/{file}",
        ),
        licence="CC BY 4.0",
        citation="I. Casanueva, T. Temčinas, D. Gerz, M. Henderson, I. Vulić, Efficient Intent "
        "Detection with Dual Sentence Encoders, 2nd Workshop on NLP for ConvAI, ACL 2020, "
        "arXiv:2003.04807.",
        embedded=GENERATED_QUESTIONS,
    ),
    "spa_eng": Source(
        title="Tatoeba's English–Spanish pairs",
        count=118_964,
        unit="pairs of sentences",
        files={
            "spa-eng.zip": "0c4fd7825d3d872488d38c157f784e035edab4f2ff0df25a2a208790ecb5b58f",
        },
        addresses=(
            "https://storage.googleapis.com/download.tensorflow.org/data/{file}",
            "https://download.tensorflow.org/data/{file}",
        ),
        licence="CC BY 2.0",
        citation="Tatoeba project, https://tatoeba.org; C. Kelly, https://www.manythings.org/anki/, "
        "edition of 2018-05-13.",
        embedded=GENERATED_PAIRS,
    ),
    "yearly_sunspots": Source(
        title="the yearly sunspot numbers",
        count=309,
        unit="yearly means",
        files={
            "sunspots.csv": "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b",
        },
        addresses=(
            "https://raw.githubusercontent.com/statsmodels/statsmodels/main/statsmodels/datasets/sunspots/{file}",
            "https://cdn.jsdelivr.net/gh/statsmodels/statsmodels@main/statsmodels/datasets/sunspots/{file}",
        ),
        folder="sunspots",
        package="statsmodels/datasets/sunspots",
        licence="public domain",
        citation="WDC-SILSO, Royal Observatory of Belgium, Brussels: international sunspot number, "
        "version 1, from the U.S. National Geophysical Data Center.",
    ),
    "el_nino": Source(
        title="the monthly temperatures of El Niño",
        count=732,
        unit="monthly means",
        files={
            "elnino.csv": "b647be00e0fd264be9764e317e6b963f35030014ecca2b21b204521716e463ad",
        },
        addresses=(
            "https://raw.githubusercontent.com/statsmodels/statsmodels/main/statsmodels/datasets/elnino/{file}",
            "https://cdn.jsdelivr.net/gh/statsmodels/statsmodels@main/statsmodels/datasets/elnino/{file}",
        ),
        package="statsmodels/datasets/elnino",
        licence="public domain",
        citation="NOAA / National Weather Service, Climate Prediction Center: sea-surface "
        "temperature, Niño 1+2, ERSST.V3B.",
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


def noted(name: str, root: Path = Path("data")) -> str:
    """Return why a data set that was asked for is not there; empty where nobody asked."""
    path = folder_of(name, root) / ABSENT
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def note(name: str, why: str, root: Path = Path("data")) -> None:
    """Leave a note in a data set's folder that says why it is not there; ``fetch`` removes it."""
    folder = folder_of(name, root)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABSENT).write_text(f"{why}\n", encoding="utf-8")
