"""Measures the gate on films with known faults: what it lets through, what it holds back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from detection.detectors.coco import Film
from imaging.frame import Frame
from imaging.pixels import read_file

from . import made, strangers
from .decision import decide
from .films import Small, as_frame, shrink
from .foreign import foreign_frames
from .made import Picture, Random
from .network import Network
from .refusal import Said

SEED: Final = 2024  # another than fitting draws with
SIDE: Final = 1024  # pixels: faults are made of films as large as they are sent
# made of each film -> the code that names it rightly
OF_FILMS: Final[dict[str, tuple[Callable[[Random, Small], Picture], str]]] = {
    "rotated by 90° clockwise": (lambda _, s: made.turned(s.picture, "rotated_90"), "gate_rotated"),
    "rotated by 180°": (lambda _, s: made.turned(s.picture, "rotated_180"), "gate_rotated"),
    "rotated by 90° anticlockwise": (
        lambda _, s: made.turned(s.picture, "rotated_270"),
        "gate_rotated",
    ),
    "inverted": (lambda _, s: made.inverted(s.picture), "gate_inverted"),
    "half of the lungs cut off": (
        lambda r, s: made.cut_off(r, s.picture, s.lungs),
        "gate_cut_off",
    ),
    "clipped": (lambda r, s: made.clipped(r, s.picture), "gate_clipped"),
    "blank": (lambda r, s: made.blank(r, s.picture), "gate_empty"),
    "too small": (lambda _, s: made.tiny(s.picture), "gate_too_small"),
}
STRANGER_CODE: Final = "gate_not_chest"

Progress = Callable[[Iterable[Film]], Iterable[Film]]


def evaluate(
    films: Sequence[Film], *, classifier: Network | None = None, progress: Progress = iter
) -> dict[str, Any]:
    """False refusals of the films as they are, and catches of what is made of them.

    Args:
        films: readable frontal chest films; their lung boxes tell where to cut.
        classifier: instead of the shipped one.
        progress: wraps the films, to show how far it is.

    Returns:
        JSON-safe: `films`; `false_refusals` and `made` (kind of case -> figures), all and by
        source. Each count stands with its share; `named` is the share of all cases that were
        refused with the right code.

    Raises:
        InvalidInputError: what `imaging.pixels.read_file` raises.
    """
    random = np.random.default_rng(SEED)
    refused: dict[str, list[tuple[str, str]]] = {}
    cases: dict[str, dict[str, list[tuple[str, bool]]]] = {}
    counts: Counter[str] = Counter()
    for film in progress(films):
        source = film.source or "not stated"
        counts[source] += 1
        verdict = decide(read_file(film.path), Said(), classifier=classifier)
        if verdict is not None:
            refused.setdefault(source, []).append((film.path.name, verdict.code))
        (small,) = shrink([film], side=SIDE)
        for kind, picture, expected in made_of(random, small):
            verdict = decide(as_frame(picture), Said(), classifier=classifier)
            code = verdict.code if verdict else ""
            row = (code, code == expected)
            cases.setdefault(kind, {}).setdefault(source, []).append(row)
    return {
        "films": len(films),
        "false_refusals": {
            **_refusals([r for rows in refused.values() for r in rows], len(films)),
            "by_source": {s: _refusals(refused.get(s, []), n) for s, n in sorted(counts.items())},
        },
        "made": {
            kind: {
                **_catches([r for rows in by_source.values() for r in rows]),
                "by_source": {s: _catches(rows) for s, rows in sorted(by_source.items())},
            }
            for kind, by_source in cases.items()
        },
    }


def made_of(random: Random, small: Small) -> Iterator[tuple[str, Picture, str]]:
    """Each kind of made case once: its name, the picture, the code that is right for it."""
    for kind, (make, code) in OF_FILMS.items():
        yield kind, make(random, small), code
    for kind, draw in strangers.MEASURING.items():
        yield f"not a chest: {kind}", draw(random, small.picture), STRANGER_CODE


def foreign(*, classifier: Network | None = None) -> dict[str, Any]:
    """CT, MR and ultrasound images among pydicom's own test files; fitting saw none of them."""
    rows = []
    files = []
    for name, frame in foreign_frames():
        verdict = decide(frame, Said(), classifier=classifier)
        rows.append((verdict.code if verdict else "", verdict is not None))
        files.append({"file": name, "code": verdict.code if verdict else ""})
    return {**_catches(rows), "files": files}


def plain_folder(
    paths: Sequence[Path], *, classifier: Network | None = None, progress: Any = iter
) -> dict[str, Any]:
    """False refusals on readable films of which nothing is known but that they are such."""
    refused = []
    for path in progress(paths):
        verdict = decide(read_file(path), Said(), classifier=classifier)
        if verdict is not None:
            refused.append((path.name, verdict.code))
    return {"films": len(paths), "false_refusals": _refusals(refused, len(paths))}


def seconds(films: Sequence[Film], *, classifier: Network | None = None) -> dict[str, float]:
    """Time of a decision for films of `SIDE` x `SIDE` pixels in 12 bits: median and 95 %."""
    taken = []
    for small in shrink(films[:30], side=SIDE):
        picture = cv2.resize(small.picture, (SIDE, SIDE)).astype(np.uint16) << 4
        frame = Frame(pixels=picture, photometric="MONOCHROME2", bits_stored=12)
        for _ in range(3):
            start = time.perf_counter()
            decide(frame, Said(), classifier=classifier)
            taken.append(time.perf_counter() - start)
    return {
        "median": round(float(np.median(taken)), 5),
        "p95": round(float(np.percentile(taken, 95)), 5),
    }


def _refusals(rows: Sequence[tuple[str, str]], films: int) -> dict[str, Any]:
    return {
        "films": films,
        "count": len(rows),
        "share": round(len(rows) / max(films, 1), 4),
        "by_code": dict(Counter(code for _, code in rows)),
        "files": [{"file": name, "code": code} for name, code in rows[:50]],
    }


def _catches(rows: Sequence[tuple[str, bool]]) -> dict[str, Any]:
    caught = sum(bool(code) for code, _ in rows)
    named = sum(right for _, right in rows)
    return {
        "cases": len(rows),
        "caught": caught,
        "share": round(caught / max(len(rows), 1), 4),
        "named": round(named / max(len(rows), 1), 4),
        "by_code": dict(Counter(code or "read" for code, _ in rows)),
    }
