"""Checks of a built site: its links lead somewhere, and nothing is fetched from the network."""

from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

TAKEN_ALONG = {"script": "src", "link": "href", "img": "src", "iframe": "src"}
"""Elements whose files a browser fetches by itself, and the attributes that name these files."""
NO_FILE = {"canonical", "alternate"}
"""Values of ``rel`` for which a browser fetches nothing."""


def broken(site: Path, apart: tuple[str, ...] = ()) -> Iterator[str]:
    """Iterate over what is wrong with the pages of a site, a line each.

    Args:
        site: the site's folder.
        apart: folders in it whose own links are not checked; links to them are.
    """
    read = cache(_read)  # of this call alone: pages change
    for path in sorted(site.rglob("*.html")):
        within = path.relative_to(site)
        if within.parts[0] in apart or within.name == "404.html":  # shown at any depth, by a server
            continue
        for address, fetched in read(path).pointed:
            if mistake := _mistake(path, address, fetched, site, read):
                yield f"{within}: {address}: {mistake}"


class _Page(HTMLParser):
    """The anchors of a page, and the addresses that it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = {"", "__top"}
        self.pointed: list[tuple[str, bool]] = []
        """Addresses, and whether the browser fetches them by itself."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record one element's anchors and addresses."""
        said = {name: value or "" for name, value in attrs}
        self.places |= {said[name] for name in ("id", "name") if name in said}
        if tag == "a" and "href" in said:
            self.pointed.append((said["href"], False))
        named = said.get(TAKEN_ALONG.get(tag, ""), "")
        if named and said.get("rel") not in NO_FILE:
            self.pointed.append((named, True))


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _mistake(
    page: Path, address: str, fetched: bool, site: Path, read: Callable[[Path], _Page]
) -> str:
    """Return what is wrong with an address; an empty string if nothing is."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        outside = fetched and parts.scheme != "data"
        return "is fetched from the network" if outside else ""
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_relative_to(site.resolve()) and target != page:
        return "lies outside the site"
    if not target.is_file():
        return "is not there"
    if target.suffix == ".html" and unquote(parts.fragment) not in read(target).places:
        return "has no such place"
    return ""
