"""Which signed films a second reader sees: pure.

The answer is kept with the film's place in the line, because to find the few that still wait among
a million signatures takes seconds.
"""

from __future__ import annotations

from typing import Final

_DIGITS: Final = 8


def wants_look(*, read: bool, flagged: bool, conclusion: str, sha256: str, share: float) -> bool:
    """Whether detector and reader disagree, or both say normal and the film is drawn.

    Drawn by the film's SHA-256: as good as random, and the same on every machine and at every time.

    Args:
        read: the detector's newest run is done.
        flagged: it flags the film.
        conclusion: of the signature; empty without one.
        sha256: of the file, hexadecimal.
        share: of the films that both call normal, 0 to 1.
    """
    if not read or conclusion not in {"normal", "abnormal"}:
        return False
    if flagged != (conclusion == "abnormal"):
        return True
    return not flagged and int(sha256[:_DIGITS], 16) < round(share * 16**_DIGITS)
