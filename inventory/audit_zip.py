"""An audit file as a zip: a CSV file per section, what was hashed, and about whom and when."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from accounts import csvsafe

from .audit_content import Content
from .audit_pdf import About

_DAY = (1980, 1, 1, 0, 0, 0)  # of every entry, so that the same files are the same bytes
CONTENT = "content.jsonl"


def write(path: Path, content: Content, about: About) -> None:
    """Write the file; `about.csv` has the SHA-256 of each other one."""
    hashes: list[tuple[str, str]] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, section in enumerate(content.sections):
            lines = csvsafe.stream(("serial", "machine", *section.columns), _rows(content, place))
            hashes.append(_add(archive, f"{section.name}.csv", lines))
        hashes.append(_add(archive, CONTENT, content.lines()))
        facts = [
            ("hospital", about.hospital), ("what", about.what),
            ("from", content.starts_on.isoformat()), ("to", content.ends_on.isoformat()),
            ("machines", str(len(content.machines))), ("rows", str(content.count)),
            ("made by", about.made_by), ("made at", about.made_at),
            ("sha-256 of the content", about.sha256),
            *((f"sha-256 of {name}", sha256) for name, sha256 in hashes),
        ]  # fmt: skip
        _add(archive, "about.csv", csvsafe.stream(("what", "value"), facts))


def _rows(content: Content, place: int) -> Iterator[tuple[str, ...]]:
    for machine in content.machines:
        for row in machine.rows[place]:
            yield (machine.serial, machine.name, *row)


def _add(archive: zipfile.ZipFile, name: str, lines: Iterable[str]) -> tuple[str, str]:
    digest = hashlib.sha256()
    info = zipfile.ZipInfo(name, _DAY)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w") as raw, io.BufferedWriter(raw) as file:
        for line in lines:
            data = line.encode()
            digest.update(data)
            file.write(data)
    return name, digest.hexdigest()
