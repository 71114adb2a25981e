"""Failing runs in the sessions of one protocol on one machine, by when was measured. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quality.models import QASession


@dataclass(slots=True)
class Run:
    """Failures without a good session between them.

    Attributes:
        good: the last good session before; `None` where there never was one.
        failed: the failures, oldest first.
        ended: the good session after; `None` while it lasts.
    """

    good: QASession | None
    failed: list[QASession]
    ended: QASession | None = None


def failing_runs(sessions: Iterable[QASession]) -> list[Run]:
    """All runs, oldest first.

    One beyond tolerance is good in this sense: the machine may be used, the correction is planned.

    Args:
        sessions: signed and not superseded, in the order in which was measured.
    """
    found: list[Run] = []
    good: QASession | None = None
    for session in sessions:
        lasts = found and found[-1].ended is None
        if session.verdict == "action":
            if lasts:
                found[-1].failed.append(session)
            else:
                found.append(Run(good, [session]))
        else:
            if lasts:
                found[-1].ended = session
            good = session
    return found
