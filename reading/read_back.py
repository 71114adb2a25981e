"""Whether a read-back repeats a result: loosely, as an ear would."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")
_DENIES = frozenset({"no", "not", "without"})
ENOUGH = 0.5  # share of the result's words; numbers, sides and denials must all be there
_SIDES = frozenset({"left", "right"})


def repeats(result: str, said: str) -> bool:
    """True if half of the words and every number, side and denial of `result` are in `said`."""
    wanted, heard = _words(result), _words(said)
    if not wanted:
        return bool(heard)
    must = {w for w in wanted if w.isdigit() or w in _DENIES or w in _SIDES}
    strange = (heard - wanted) & (_DENIES | _SIDES)
    return must <= heard and not strange and len(wanted & heard) >= ENOUGH * len(wanted)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
