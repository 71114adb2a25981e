"""Writes requirements.txt and requirements-dev.txt: a full lock of what this environment holds.

pip's own resolver can't do it: mmengine and mmcv-lite ask for `opencv-python`, whose place
`opencv-python-headless` takes (docs/decisions/0006). So the environment in which the tests passed
is the truth, and the lock is the closure of the `.in` files in it. Markers are judged for every
accepted Python, so that one file serves 3.11 to 3.13.

    .venv/bin/python -m scripts.lock [--check]
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
# 3.11.2 is Debian 12's, and on the other side of a marker of redis
PYTHONS = ("3.11.2", "3.11.14", "3.12.12", "3.13.9")
TAKEN_BY = {"opencv-python": "opencv-python-headless"}
HEAD = """\
# Full lock, written by `make lock` from {source}; don't edit.
# Install: {order} (docs/decisions/0006).
"""
ORDER = {
    "requirements.txt": "pip install torch=={torch}; pip install --no-deps -r requirements.txt",
    "requirements-dev.txt": "after that, pip install --no-deps -r requirements-dev.txt",
}


class MissingPackageError(Exception):
    """The environment lacks a package that the closure needs."""


def _environments() -> list[dict[str, str]]:
    return [
        {
            "python_version": ".".join(full.split(".")[:2]),
            "python_full_version": full,
            "implementation_version": full,
            "sys_platform": "linux",
            "platform_system": "Linux",
            "platform_machine": "x86_64",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }
        for full in PYTHONS
    ]


def _needed(requirement: Requirement, extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(
        requirement.marker.evaluate({**environment, "extra": extra})
        for environment in _environments()
        for extra in (extras or {""})
    )


def read_in(path: Path) -> list[Requirement]:
    """Requirements of an `.in` file, in its order."""
    lines = (line.split("#", 1)[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def closure(roots: list[Requirement]) -> dict[str, set[str]]:
    """Canonical name -> names that asked for it, of all that the roots bring.

    Raises:
        MissingPackageError: a package is asked for and not installed here.
    """
    asked_by: dict[str, set[str]] = {}
    pinned = {canonicalize_name(r.name) for r in roots if r.marker is not None}
    todo = [(r, "") for r in roots if r.marker is None]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        requirement, by = todo.pop()
        name = canonicalize_name(requirement.name)
        name = canonicalize_name(TAKEN_BY.get(name, name))
        if name in pinned:
            continue
        asked_by.setdefault(name, set()).add(by)
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            raise MissingPackageError(f"{name}, asked for by {by or 'an .in file'}") from None
        for text in distribution.requires or []:
            brought = Requirement(text)
            if _needed(brought, set(requirement.extras)):
                todo.append((brought, distribution.name))
    return asked_by


def _pin(name: str) -> str:
    distribution = metadata.distribution(name)
    # a local label (+cpu, +cu130) names the build that somebody chose, not the version
    return f"{distribution.name}=={distribution.version.split('+')[0]}"


def render(source: str, known: set[str]) -> str:
    """Text of one lock file; `known` are packages that the other file holds already."""
    roots = read_in(ROOT / source)
    asked_by = closure(roots)
    chosen = [canonicalize_name(r.name) for r in roots if r.marker is None]
    target = source.replace(".in", ".txt")
    order = ORDER[target].format(torch=metadata.version("torch").split("+")[0])
    lines = [HEAD.format(source=source, order=order)]
    lines += [_pin(name) for name in chosen]
    lines += [str(r).replace("'", '"') for r in roots if r.marker is not None]
    lines.append("\n# brought by the above")
    for name in sorted(set(asked_by) - set(chosen) - known):
        by = ", ".join(sorted(b for b in asked_by[name] if b))
        lines.append(f"{_pin(name):<40} # {by}")
    return re.sub(r"[ \t]+\n", "\n", "\n".join(lines)) + "\n"


def main() -> int:
    """Write both files, or with --check say whether they are as they would be written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    arguments = parser.parse_args()
    stale = []
    known: set[str] = set()
    for source in ("requirements.in", "requirements-dev.in"):
        target = ROOT / source.replace(".in", ".txt")
        try:
            text = render(source, known)
        except MissingPackageError as error:
            print(f"not installed here: {error}", file=sys.stderr)
            return 1
        known |= set(closure(read_in(ROOT / source)))
        if not target.exists() or target.read_text() != text:
            stale.append(target.name)
            if not arguments.check:
                target.write_text(text)
    if stale:
        print(("stale: " if arguments.check else "written: ") + ", ".join(stale))
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
