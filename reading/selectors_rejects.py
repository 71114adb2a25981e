"""Why readers rejected findings, per version of the model."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from accounts.models import User
from accounts.permissions import Can, may
from detection.models import RejectReason, Review, Verdict

from .selectors_agreement import Span

# codes of the columns; the last counts verdicts from before there were codes
REASONS = [*RejectReason.choices, ("", "no code")]


@dataclass(frozen=True, slots=True)
class Rejects:
    """Findings of one version that were rejected.

    Attributes:
        version: its name.
        counts: code (`""`: none was asked for yet) to number of findings.
    """

    version: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


def rejects_by_version(*, user: User, span: Span) -> list[Rejects]:
    """Verdicts of some days that reject a finding and still count, the most first; one query.

    Args:
        user: who asks; sees one's own verdicts, the lead those of all.
        span: when they were given.
    """
    start, end = span.moments
    counting = Review.objects.filter(withdrawn_at=None)
    later = Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    overruled = Exists(counting.filter(later, finding=OuterRef("finding")))
    given = counting.filter(~overruled, verdict=Verdict.REJECT, at__gte=start, at__lt=end)
    if not may(user, Can.READERS_COMPARE):
        given = given.filter(by=user)
    rows = given.order_by().values_list("finding__run__version__name", "reason_code")
    found: dict[str, dict[str, int]] = {}
    for version, code, number in rows.annotate(number=Count("pk")):
        found.setdefault(version, {})[code] = number
    named = [
        Rejects(version, {code: counts.get(code, 0) for code, _ in REASONS})
        for version, counts in found.items()
    ]
    return sorted(named, key=lambda row: (-row.total, row.version))
