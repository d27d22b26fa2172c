"""Text files, read or refused in one line."""

from pathlib import Path

from pipeline.data.sets._base import BadFileError


def text_of(path: Path) -> str:
    """Return a file's text, line ends as they are; BadFileError where it is not UTF-8."""
    return decoded(path.read_bytes(), path)


def decoded(data: bytes, path: Path | str) -> str:
    """Return the text in ``data``, read from ``path``; BadFileError where it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {error.start} is {data[error.start]:#04x}"
        raise BadFileError(f"{path}: not UTF-8, {found}") from None


def whole_lines(text: str, path: Path | str) -> list[str]:
    """Return the lines of a text, without their ends; BadFileError where the last has none.

    Lines end at a line feed, with or without a carriage return, and nowhere else: what Unicode
    calls a line separator may stand within a sentence.
    """
    *lines, rest = text.split("\n")
    if rest or not lines:
        raise BadFileError(f"{path}: cut short, its last line has no end")
    return [line.removesuffix("\r") for line in lines]
