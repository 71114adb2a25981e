"""A report as it is signed: its content, the one way to write it as bytes, and its text. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twinhealth.web.canonical import sha256

from .report_text import SECTIONS

__all__ = ["FORMAT", "plain", "sections", "sha256", "version_sha256"]

FORMAT = 1


def sections(drafted: Mapping[str, str], edited: Mapping[str, str]) -> list[dict[str, Any]]:
    """Sections in order: `key`, `title`, `text`, `edited`, and `drafted` beside an edited one."""
    found = []
    for key, title in SECTIONS.items():
        own = edited.get(key, "")
        row: dict[str, Any] = {"key": key, "title": title, "text": own or drafted[key]}
        row["edited"] = bool(own) and own != drafted[key]
        if row["edited"]:
            row["drafted"] = drafted[key]
        found.append(row)
    return found


def version_sha256(report: str, addenda: Sequence[Mapping[str, str]]) -> str:
    """Of the signed report's hash and what was added since; the report's own where nothing was."""
    return sha256({"report": report, "addenda": list(addenda)}) if addenda else report


def plain(rows: Sequence[Mapping[str, Any]]) -> str:
    """The sections as plain text."""
    return "\n\n".join(f"{row['title']}\n{row['text']}" for row in rows)
