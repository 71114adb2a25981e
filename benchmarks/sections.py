"""What the sections of docs/benchmarks.md share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from .stack import ROOT


def module(name: str, *args: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run one measurement in a fresh process and take its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *args],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        check=True,
        stdout=subprocess.PIPE,
    )
    return dict(json.loads(done.stdout))


def verdict(reached: bool) -> str:  # noqa: FBT001 - the only argument
    return "reached" if reached else "**missed**"


def table(
    title: str,
    text: str,
    rows: list[tuple[str, ...]],
    *,
    head: tuple[str, ...] = ("of", "what", "measured", "target", ""),
) -> str:
    """A section: title, how it is measured, rows of (…, what, measured, target, verdict)."""
    head = head[-len(rows[0]) :]
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join([title, "", text, "", *("| " + " | ".join(line) + " |" for line in lines)])
