"""python -m docs: generate pages from the project's files, and build the site.

Run it in the folder that holds `params.yaml`. The build is strict: a broken link, or anything that
a page would fetch from the network, ends it with an error.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from docs import making
from docs.drawing import svg
from docs.layers import drawn, layers
from docs.links import broken
from docs.members import rooms
from docs.usage import SCALE, Usage
from pipeline.errors import UserError
from pipeline.studies import STUDIES

WRITTEN = Path(__file__).parent / "pages"
CONFIGURATION = Path(__file__).parent / "mkdocs.yml"
DRAFT, SITE = Path(".scratch", "site"), Path("site")
REPORTS = "reports"
PROBES = "<!-- which probes see what -->"
"""Mark in the page on watching that the table of probes replaces."""
MISSED = "<!-- missed -->"
"""Mark in the log that the table of missed predictions replaces."""
LAYERS = "<!-- layers -->"
"""Mark in the page on the architecture that the drawing of layers replaces."""
NO_PAGE = (".page.json", "rows.parquet", "plots")
"""Files beside the reports that the site leaves out."""
BUILD = ("-m", "zensical", "build", "--strict", "--clean")


def main() -> int:
    """Build the site in the folder ``site``; return 1 if something in it is broken."""
    built = DRAFT / "built"
    if wrong := build(DRAFT, built):
        sys.stderr.writelines(f"{line}\n" for line in wrong)
        return 1
    shutil.rmtree(SITE, ignore_errors=True)
    built.rename(SITE)
    sys.stdout.write(f"Site: {SITE.resolve() / 'index.html'} (open it in a browser)\n")
    return 0


def build(draft: Path, site: Path, written: Path = WRITTEN) -> list[str]:
    """Build the site and return a line for each broken thing in it.

    Args:
        draft: a folder for the site's sources; earlier contents are deleted.
        site: the folder to build into, within ``draft``.
        written: the folder of the pages that are written by hand.
    """
    pages = draft / "pages"
    shutil.rmtree(draft, ignore_errors=True)
    write(pages, written)
    configure(pages, site)
    done = subprocess.run(
        [sys.executable, *BUILD, "--config-file", str(draft / CONFIGURATION.name)],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )
    if done.returncode:
        said = f"{done.stdout}{done.stderr}"
        return (said.partition("Traceback")[0].strip() or said).splitlines()
    return list(broken(site, (REPORTS,)))


def write(pages: Path, written: Path = WRITTEN) -> None:
    """Write all pages into a folder: hand-written and generated ones, and the studies' reports.

    Args:
        pages: the folder, which must not exist yet.
        written: the folder of the pages that are written by hand.
    """
    from docs.outlines import outlined  # imports torch

    shutil.copytree(written, pages)
    found, usage = rooms(), Usage(Path())
    for room in found:
        folder = pages / "methods" / room.name
        folder.mkdir(parents=True)
        (folder / "index.md").write_text(making.room_page(room, usage), encoding="utf-8")
        for member in room.members:
            text = making.member_page(member, room, usage, outlined(member))
            (folder / f"{member.name}.md").write_text(text, encoding="utf-8")
    (probes,) = (room for room in found if room.name == "probes")
    _put(pages / "watch.md", PROBES, making.probes_table(probes))
    _put(pages / "log.md", MISSED, making.missed_table(usage))
    _put(pages / "architecture.md", LAYERS, str(svg(drawn(layers(Path("pyproject.toml"))))))
    (pages / "studies").mkdir()
    for name in STUDIES:
        text = making.study_page(name, found, usage)
        (pages / "studies" / f"{name}.md").write_text(text, encoding="utf-8")
    for words in sorted(written.rglob("studies.yaml")):
        at = pages / words.relative_to(written)
        said = YAML(typ="safe").load(words.read_text(encoding="utf-8"))
        up = "../" * (len(at.relative_to(pages).parts) - 1)
        text = making.studies_page(usage, said, f"{up}studies/", up)
        at.with_suffix(".md").write_text(text, encoding="utf-8")
        at.unlink()
    reports = Path(REPORTS, SCALE)
    if reports.exists():
        left_out = shutil.ignore_patterns(*NO_PAGE)
        shutil.copytree(reports, pages / REPORTS / SCALE, ignore=left_out)


def _put(page: Path, mark: str, what: str) -> None:
    """Replace a mark in a hand-written page by generated text."""
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace(mark, what), encoding="utf-8")


def configure(pages: Path, site: Path) -> None:
    """Write the configuration, with all pages in its navigation, into the folder of ``pages``."""
    yaml = YAML()
    said = yaml.load(CONFIGURATION.read_text(encoding="utf-8"))
    said["nav"] = [_entry(entry, pages) for entry in said["nav"]]
    said["docs_dir"], said["site_dir"] = pages.name, site.name
    with (pages.parent / CONFIGURATION.name).open("w", encoding="utf-8") as file:
        yaml.dump(said, file)


def _entry(entry: Any, pages: Path) -> Any:
    """Return an entry of the navigation, with the folders in it replaced by their pages."""
    if isinstance(entry, str):
        return entry
    ((title, below),) = entry.items()
    if isinstance(below, str):
        return entry
    held = []
    for each in below:
        held += _held(pages / each, pages) if str(each).endswith("/") else [_entry(each, pages)]
    return {title: held}


def _held(folder: Path, pages: Path) -> list[Any]:
    """Return the navigation's entries for a folder of generated pages."""
    entries: list[Any] = []
    for path in sorted(folder.iterdir(), key=lambda path: (path.name != "index.md", path.name)):
        at = str(path.relative_to(pages))
        if path.is_dir():
            title = path.name.replace("_", " ")
            entries.append({title[:1].upper() + title[1:]: _held(path, pages)})
        else:
            entries.append(at if path.name == "index.md" else {path.stem: at})
    return entries


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
