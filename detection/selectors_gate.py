"""What the image gate refused of one machine's films: counted from the runs, without patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q
from django.utils import timezone

from detection.gate import REASONS
from detection.models import DetectionRun
from imaging.models import Image


@dataclass(frozen=True, slots=True)
class GateReason:
    """One reason, in code and words, and how many films were refused for it."""

    code: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class GateCounts:
    """A machine's films at the gate, as of a moment.

    Attributes:
        films: that had come from the machine.
        refused: films that the gate had refused, whatever became of them after.
        overruled: those of them that a person had read anyway.
        reasons: most frequent first.
        last_refused_at: `None` if nothing was refused.
    """

    as_of: datetime
    films: int
    refused: int
    overruled: int
    reasons: Sequence[GateReason]
    last_refused_at: datetime | None

    @property
    def share(self) -> float:
        """Of the machine's films, 0 to 1."""
        return self.refused / self.films if self.films else 0.0


def gate_text(run: DetectionRun | None) -> str:
    """As what the gate refused a film, in words; empty unless that is how its run ended."""
    if run is None or not run.refused_by_gate:
        return ""
    return REASONS.get(run.gate_code, run.gate_code)


def gate_counts(*, device_id: int, at: datetime | None = None) -> GateCounts:
    """How many of a machine's films the gate refused, and why; `at` is `None` for now.

    A film counts once, however many versions looked at it.
    """
    as_of = at or timezone.now()
    films = Image.objects.filter(device_id=device_id, received_at__lte=as_of).count()
    runs = DetectionRun.objects.filter(image__device_id=device_id, gate_at__lte=as_of)
    total = runs.aggregate(
        refused=Count("image", distinct=True),
        overruled=Count("image", distinct=True, filter=Q(read_anyway_at__lte=as_of)),
        last=Max("gate_at"),
    )
    by_code = runs.order_by().values_list("gate_code").annotate(n=Count("image", distinct=True))
    reasons = [GateReason(code, REASONS.get(code, code), n) for code, n in by_code]
    return GateCounts(
        as_of=as_of,
        films=films,
        refused=total["refused"],
        overruled=total["overruled"],
        reasons=sorted(reasons, key=lambda r: (-r.count, r.code)),
        last_refused_at=total["last"],
    )
