"""One film of the worklist, as a reader may see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from detection import priority
from detection.models import Claim, DetectionRun, Finding, WorklistItem
from devices.models import Device
from imaging.models import Image, Study
from patients.models import Patient

from .selectors_gate import gate_text


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One film of the worklist.

    Attributes:
        hidden: the reader must not see yet what the model said: nothing here tells it then, and
            `run_state` is `hidden`.
        priority: the urgency now; only its order means something. `None` where hidden, as the
            score could be reckoned from it.
        age: of the patient at the exposure, whole years; `None` where unknown.
        view: view position (`PA`, `AP`, …), empty where unknown.
        flags: findings at or above the version's thresholds that flag the film, highest first.
        label, score, side: of the first flag; side is the picture's (`left`, `right`, `both`).
        trust: `full`, `reduced` or `unknown`, with `trust_reasons` as `devices.trust` gives them.
        why: the sentence that put the film here.
        overdue: waited past the ceiling.
        claim: another reader's or the asking reader's live lease; `None` without one.
        run_state: `queued`, …; empty where no version was there to read it.
    """

    hidden: bool
    image: Image
    run: DetectionRun | None
    patient: Patient
    study: Study
    device: Device | None
    priority: float | None
    age: int | None
    view: str
    flags: tuple[Finding, ...]
    label: str
    score: float | None
    side: str
    trust: str
    trust_reasons: Sequence[Mapping[str, Any]]
    why: str
    overdue: bool
    waiting_since: datetime
    claim: Claim | None
    is_mine: bool
    run_state: str

    @property
    def flagged(self) -> bool:
        """Whether the model's findings flag it."""
        return self.score is not None

    @property
    def claimed_by(self) -> User | None:
        """Who reads it now."""
        return self.claim.by if self.claim else None


def age_at(born: date | None, at: datetime) -> int | None:
    """Whole years at a time in the hospital's zone; `None` where the birth date is unknown."""
    if born is None:
        return None
    day = timezone.localtime(at).date()
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if years >= 0 else None


def facts_of(item: WorklistItem, run: DetectionRun | None) -> priority.Film:
    """A worklist row and its run as `priority` takes them."""
    return priority.Film(
        run_state=item.run_state,
        label=item.label,
        score=item.score,
        trust=item.trust,
        waiting_since=item.waiting_since,
        gate=gate_text(run),
        urgency=item.urgency,
        urgency_reason=item.urgency_reason,
    )


def seen(finding: Finding, columns: int) -> priority.Seen:
    """A stored finding as `priority` takes it."""
    center = (finding.x + finding.w / 2) / columns if columns else 0.5
    return priority.Seen(finding.label, finding.score, center)


def flags_of(findings: Iterable[Finding], thresholds: Mapping[str, float]) -> tuple[Finding, ...]:
    """The stored findings that flag a film, highest score first."""
    chosen = [f for f in findings if priority.flagging([seen(f, 0)], thresholds)]
    return tuple(sorted(chosen, key=lambda f: -f.score))


def live_claim(image: Image, now: datetime) -> Claim | None:
    """The film's lease if it hasn't run out; needs `image.claim` joined to cost nothing."""
    claim: Claim | None = getattr(image, "claim", None)
    return claim if claim and claim.until > now else None


def row_of(
    item: WorklistItem,
    findings: list[Finding],
    user: User,
    now: datetime,
    ceiling: timedelta,
    *,
    hidden: bool,
) -> WorklistRow:
    """The row of a joined item; `hidden` keeps the model's word from this reader."""
    image, run = item.image, item.run
    thresholds = run.counts_from if run else {}
    flags = priority.flagging([seen(f, image.columns) for f in findings], thresholds)
    patient = image.series.study.patient
    claim = live_claim(image, now)
    film = facts_of(item, run)
    return WorklistRow(
        hidden=hidden,
        image=image,
        run=None if hidden else run,
        patient=patient,
        study=image.series.study,
        device=image.device,
        priority=None if hidden else priority.urgency(item, now, ceiling),
        age=age_at(patient.birth_date, image.acquired_at),
        view=image.view_position,
        flags=flags_of(findings, thresholds),
        label="" if hidden else item.label,
        score=None if hidden else item.score,
        side=priority.side(s for s in flags if s.label == item.label),
        trust=item.trust,
        trust_reasons=run.trust_reasons if run else [],
        why=priority.blind_why(film, now, ceiling)
        if hidden
        else priority.why(film, flags, now, ceiling),
        overdue=priority.waited_past_ceiling(item.waiting_since, now, ceiling),
        waiting_since=item.waiting_since,
        claim=claim,
        is_mine=bool(claim and claim.by_id == user.pk),
        run_state="hidden" if hidden else item.run_state,
    )
