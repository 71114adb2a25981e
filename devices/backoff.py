"""When a message that was not delivered is tried again: pure."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=15)
LONGEST = timedelta(hours=1)
MAX_TRIES = 10  # the last one comes about 3 h after the first


def pause(tries: int, chance: float) -> timedelta:
    """How long to wait after the `tries`-th failed try.

    Doubled each time up to `LONGEST`; then a chance part of up to half is taken off, so that what
    failed together doesn't come back together.

    Args:
        tries: from 1.
        chance: 0 to 1.
    """
    whole = min(FIRST * 2 ** (tries - 1), LONGEST)
    return whole * (1 - chance / 2)
