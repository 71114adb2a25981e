"""What differs between two texts, word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\s+|\S+\s*")  # a word goes with the space after it


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that is the `same`, was deleted (`del`) or inserted (`ins`)."""

    kind: str
    text: str


def pieces(before: str, after: str) -> list[Piece]:
    """`before` is the `same` and `del` pieces joined, `after` the `same` and `ins` ones."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    found: list[Piece] = []
    # words that are everywhere are no anchors in a long text: without that it takes minutes
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=True).get_opcodes():
        if kind == "equal":
            found.append(Piece("same", "".join(old[a:b])))
            continue
        if b > a:
            found.append(Piece("del", "".join(old[a:b])))
        if d > c:
            found.append(Piece("ins", "".join(new[c:d])))
    return found


@dataclass(frozen=True, slots=True)
class SectionDifference:
    """One section of two versions."""

    title: str
    pieces: list[Piece]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return all(piece.kind == "same" for piece in self.pieces)


def sections(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]
) -> list[SectionDifference]:
    """Title by title; those of `after` first, in its order, then those that are gone."""
    old, new = dict(before), dict(after)
    titles = [*new, *(title for title in old if title not in new)]
    return [
        SectionDifference(title, pieces(old.get(title, ""), new.get(title, ""))) for title in titles
    ]
