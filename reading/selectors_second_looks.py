"""How often second readers disagreed with a signature, per reader who had signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from accounts.permissions import Can, may
from detection.models import Conclusion, Signature

from .agreement import Figure, share
from .models import SecondLook
from .selectors import second_looks
from .selectors_agreement import Span

# which signed films a list shows -> in words
STATES = {"waiting": "no second reader has looked", "looked": "a second reader has looked"}


@dataclass(frozen=True, slots=True)
class SecondLookRow:
    """Second looks at the films of one reader; `key` is empty for the sum.

    Attributes:
        looked: films looked at, of which with `disagreed` the signature didn't hold.
        drawn: of them those that both detector and reader had called normal, a random sample.
        drawn_disagreed: of these, those where it didn't hold.
    """

    key: str
    label: str
    looked: int
    disagreed: int
    drawn: int
    drawn_disagreed: int

    @property
    def figure(self) -> Figure | None:
        """Share of all looks that disagreed; most of these films were chosen for being doubtful."""
        return share(self.disagreed, self.looked)

    @property
    def drawn_figure(self) -> Figure | None:
        """Share of the sample that disagreed: what it says holds for all such films."""
        return share(self.drawn_disagreed, self.drawn)


@dataclass(frozen=True, slots=True)
class SecondLookTable:
    """Readers, those with most looks first, and their sum."""

    rows: tuple[SecondLookRow, ...]
    total: SecondLookRow


def second_look_table(*, user: User, span: Span) -> SecondLookTable:
    """Count in one query.

    Args:
        user: who asks; sees looks at the films that he signed, the lead those of all.
        span: when the films were signed.
    """
    start, end = span.moments
    looks = SecondLook.objects.filter(signature__at__gte=start, signature__at__lt=end)
    if not may(user, Can.READERS_COMPARE):
        looks = looks.filter(signature__by=user)
    drawn = Q(
        signature__conclusion=Conclusion.NORMAL, signature__image__worklist_item__flagged=False
    )
    counted = looks.values(
        "signature__by_id", "signature__by__display_name", "signature__by__username"
    ).annotate(
        looked=Count("pk"),
        disagreed=Count("pk", filter=Q(agrees=False)),
        drawn=Count("pk", filter=drawn),
        drawn_disagreed=Count("pk", filter=drawn & Q(agrees=False)),
    )
    found = sorted(
        (
            _row(
                str(row["signature__by_id"]),
                row["signature__by__display_name"] or row["signature__by__username"],
                row,
            )
            for row in counted.order_by()
        ),
        key=lambda row: (-row.looked, row.label),
    )
    names = ("looked", "disagreed", "drawn", "drawn_disagreed")
    total = {name: sum(getattr(row, name) for row in found) for name in names}
    return SecondLookTable(tuple(found), _row("", "all", total))


def second_look_films(state: str) -> QuerySet[Signature]:
    """Signatures with their second look: those that wait, oldest first; those looked at, newest.

    Args:
        state: a key of `STATES`.
    """
    if state == "waiting":
        return second_looks().select_related("second_look")
    return (
        Signature.objects.filter(second_look__isnull=False)
        .select_related("by", "second_look__by")
        .order_by("-second_look__at", "-id")
    )


def _row(key: str, label: str, counts: Mapping[str, Any]) -> SecondLookRow:
    return SecondLookRow(
        key=key,
        label=label,
        looked=counts["looked"],
        disagreed=counts["disagreed"],
        drawn=counts["drawn"],
        drawn_disagreed=counts["drawn_disagreed"],
    )
