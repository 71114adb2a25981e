"""What blinded readers changed after the model was shown, and the model against their first word.

Films count that the same reader signed and had not seen with the model before the first
impression: the first word is independent of the model, the signature is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Subquery

from accounts.models import User
from detection.models import Conclusion
from reading.models import FirstImpression

from .agreement import Cells, Figure, detected, kappa, passed, share
from .selectors_agreement import Span, flagged_then, signed_by

FIRST: Final = "first impression, model hidden"
SIGNED: Final = "signature, model shown"


@dataclass(frozen=True, slots=True)
class Change:
    """Films whose reader concluded otherwise after the model was shown.

    Attributes:
        first, signed: conclusions.
        films: how many.
        model: what the model said of them, in words: `flagged`, `not flagged`, `not read`.
    """

    first: str
    signed: str
    model: str
    films: int


@dataclass(frozen=True, slots=True)
class Against:
    """The model held against one word of the readers; unreadable and unread films don't count."""

    word: str
    cells: Cells
    detected: Figure | None
    passed: Figure | None
    kappa: Figure | None


@dataclass(frozen=True, slots=True)
class BlindTable:
    """Of films with a blind first impression.

    Attributes:
        films: how many.
        changed: share whose conclusion changed; `None` without a film.
        toward, away: share, of the films that the model had read and both words call normal or
            abnormal, changed to what the model says, and away from it; `None` without one.
        changes: each way to change, most films first.
        against: the model against the first word, then against the signature, on the same films.
    """

    films: int
    changed: Figure | None
    toward: Figure | None
    away: Figure | None
    changes: tuple[Change, ...]
    against: tuple[Against, ...]


def blind_table(*, user: User, span: Span) -> BlindTable:
    """Count and reckon; two queries.

    Args:
        user: who asks; sees films that he signed, the lead those of all.
        span: when the films were signed.
    """
    counts = [_Count(*row) for row in _rows(user, span)]
    films = sum(count.films for count in counts)
    told = [count for count in counts if count.told]
    whole = sum(count.films for count in told)
    return BlindTable(
        films=films,
        changed=share(sum(c.films for c in counts if c.first != c.signed), films),
        toward=share(sum(c.films for c in told if c.first != c.signed == c.says), whole),
        away=share(sum(c.films for c in told if c.signed != c.first == c.says), whole),
        changes=tuple(
            sorted(
                (
                    Change(Conclusion(c.first).label, Conclusion(c.signed).label, c.model, c.films)
                    for c in counts
                    if c.first != c.signed
                ),
                key=lambda change: (-change.films, change.first, change.signed, change.model),
            )
        ),
        against=(
            _against(FIRST, [(c.flagged, c.first, c.films) for c in told]),
            _against(SIGNED, [(c.flagged, c.signed, c.films) for c in told]),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Count:
    first: str
    signed: str
    run: bool
    flagged: bool
    films: int

    @property
    def told(self) -> bool:
        """The model had read them, and both words are normal or abnormal."""
        return self.run and Conclusion.NOT_READABLE not in {self.first, self.signed}

    @property
    def says(self) -> str:
        """What the model says, as a conclusion."""
        return Conclusion.ABNORMAL if self.flagged else Conclusion.NORMAL

    @property
    def model(self) -> str:
        """The same for a person."""
        if not self.run:
            return "not read"
        return "flagged" if self.flagged else "not flagged"


def _rows(user: User, span: Span) -> Any:
    blind = FirstImpression.objects.filter(
        image=OuterRef("image"), reader=OuterRef("by"), seen_before=False
    )
    signed = flagged_then(signed_by(user, span)).filter(Exists(blind))
    return (
        signed.annotate(first=Subquery(blind.values("conclusion")[:1]))
        .order_by()
        .values_list("first", "conclusion", "was_read", "flagged")
        .annotate(films=Count("pk"))
    )


def _against(word: str, counts: list[tuple[bool, str, int]]) -> Against:
    def films(flagged: bool, said: str) -> int:  # noqa: FBT001 - two words, two values
        return sum(number for f, s, number in counts if (f, s) == (flagged, said))

    cells = Cells(
        hits=films(True, Conclusion.ABNORMAL),
        alarms=films(True, Conclusion.NORMAL),
        misses=films(False, Conclusion.ABNORMAL),
        passes=films(False, Conclusion.NORMAL),
    )
    return Against(word, cells, detected(cells), passed(cells), kappa(cells))
