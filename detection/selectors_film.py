"""One film: everything its page, its badge and its REST address show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from detection import blinding, priority, room, trust_words
from detection.models import (
    Claim,
    DetectionRun,
    DetectorVersion,
    Finding,
    Review,
    Signature,
    TrustChange,
    Verdict,
    WorklistItem,
)
from devices.models import Device
from imaging.models import Image, Study
from patients.models import Patient
from twinhealth.errors import NotFoundError

from .worklist_row import age_at, facts_of, flags_of, live_claim, seen

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding of the model with what a reader made of it.

    Attributes:
        number: 1 for the highest score; the label on the film.
        box: left, top, width, height in pixels of the stored image.
        side: of the picture (`left`, `right`).
        flags: at or above the version's threshold and abnormal.
        review: the newest verdict that nobody withdrew; `None` without one.
        shown_label, shown_box: the reviewer's where edited, else the model's.
    """

    finding: Finding
    number: int
    label: str
    score: float
    box: Box
    side: str
    flags: bool
    review: Review | None
    shown_label: str
    shown_box: Box


@dataclass(frozen=True, slots=True)
class Prior:
    """An earlier film of the same patient."""

    image: Image
    signature: Signature | None
    item: WorklistItem | None
    hidden: bool


@dataclass(frozen=True, slots=True)
class Film:
    """Everything the film page needs.

    Attributes:
        hidden: the reader must not see yet what the model said: there are no runs and no findings
            then, of the boxes only his own, and `why` says nothing of the model.
        run: the latest run, `runs` all of them, newest first; `None` where none was possible.
        trust_history: how the latest run's trust in the machine came to be what it is.
        added: boxes that readers drew, not withdrawn.
        claim: the live lease, whoever holds it.
        priors: earlier films of the same patient, newest first.
        why, priority: as in the worklist; empty and `None` once signed.
    """

    hidden: bool
    image: Image
    patient: Patient
    study: Study
    device: Device | None
    age: int | None
    run: DetectionRun | None
    runs: Sequence[DetectionRun]
    version: DetectorVersion | None
    findings: Sequence[FindingView]
    added: Sequence[Review]
    trust: str
    trust_reasons: Sequence[Mapping[str, Any]]
    trust_history: Sequence[trust_words.Told]
    claim: Claim | None
    signature: Signature | None
    priors: Sequence[Prior]
    why: str
    priority: float | None

    @property
    def trust_after_signing(self) -> bool:
        """Whoever signed didn't know of the machine what is known now."""
        return any(told.after_signing for told in self.trust_history)


def film(
    *,
    image_id: int,
    user: User,
    now: datetime | None = None,
    ceiling: timedelta | None = None,
) -> Film:
    """Everything about one film that this reader may see now.

    Without a `ceiling` that of the house is asked for.

    Raises:
        NotFoundError: `no_such_image`.
    """
    now, ceiling = now or timezone.now(), ceiling or room.ceiling()
    image = _image(image_id)
    runs = list(
        DetectionRun.objects.filter(image_id=image_id)
        .select_related("version", "read_anyway_by")
        .order_by("-queued_at", "-id")
    )
    run = runs[0] if runs else None
    verdicts = list(
        Review.objects.filter(image_id=image_id, withdrawn_at=None)
        .select_related("by")
        .order_by("at", "id")
    )
    trust, trust_reasons = (run.device_trust, run.trust_reasons) if run else ("unknown", [])
    patient = image.series.study.patient
    signature = getattr(image, "signature", None)
    changes = trust_changes(run.pk) if run else ()
    history = trust_words.history(changes, signature.at if signature else None)
    item = getattr(image, "worklist_item", None)
    earlier = _earlier(image, patient)
    hides = blinding.hidden_from(user, [image.pk, *(i.pk for i in earlier)])
    hidden = image.pk in hides
    if hidden:
        run, runs = None, []
        verdicts = [v for v in verdicts if v.verdict == Verdict.ADD and v.by_id == user.pk]
    findings = list(run.findings.all()) if run else []
    return Film(
        hidden=hidden,
        image=image,
        patient=patient,
        study=image.series.study,
        device=image.device,
        age=age_at(patient.birth_date, image.acquired_at),
        run=run,
        runs=runs,
        version=run.version if run else None,
        findings=_finding_views(image, run, findings, verdicts),
        added=[v for v in verdicts if v.verdict == Verdict.ADD],
        trust=trust,
        trust_reasons=trust_reasons,
        trust_history=history,
        claim=live_claim(image, now),
        signature=signature,
        priors=[_prior(i, hidden=i.pk in hides) for i in earlier],
        why=_why(item, run, findings, now, ceiling, hidden=hidden)
        if item and not signature
        else "",
        priority=priority.urgency(item, now, ceiling)
        if item and not signature and not hidden
        else None,
    )


def films_of_patient(
    patient_id: int, *, user: User, limit: int, below: Q | None = None
) -> list[Image]:
    """A patient's films, newest exposure first, with run, findings and signature at hand.

    Each image has `latest_runs` (all its runs, newest first, with findings and reviews), and
    `model_hidden`: this reader must not see yet what they said, so there are none.

    Args:
        patient_id: our number of the patient.
        user: who looks.
        limit: how many at most.
        below: a condition on them.
    """
    runs = (
        DetectionRun.objects.select_related("version")
        .prefetch_related(Prefetch("findings__reviews", Review.objects.filter(withdrawn_at=None)))
        .order_by("-queued_at", "-id")
    )
    found: list[Image] = list(
        Image.objects.filter(below or Q(), series__study__patient_id=patient_id)
        .select_related("series__study", "device", "signature__by", "worklist_item")
        .prefetch_related(Prefetch("runs", runs, to_attr="latest_runs"))
        .order_by("-acquired_at", "-id")[:limit]
    )
    hides = blinding.hidden_from(user, [image.pk for image in found])
    for image in found:
        image.model_hidden = image.pk in hides  # type: ignore[attr-defined]
        if image.pk in hides:
            image.latest_runs = []  # type: ignore[attr-defined]
    return found


def images_of_device(device_id: int) -> QuerySet[WorklistItem]:
    """A machine's films for its engineer: run state, trust, times; neither patient nor pixels."""
    return (
        WorklistItem.objects.filter(image__device_id=device_id)
        .select_related("image", "run")
        .only(
            "run_state",
            "flagged",
            "trust",
            "signed",
            "waiting_since",
            "image__acquired_at",
            "image__acquired_at_is_guess",
            "image__received_at",
            "image__rows",
            "image__columns",
            "image__view_position",
            "image__is_demo",
            "image__display_problem",
            "run__state",
            "run__reason_code",
            "run__gate_code",
            "run__seconds",
            "run__trust_reasons",
            "run__finished_at",
        )
        .order_by("-image__acquired_at", "-image_id")
    )


def trust_changes(run_id: int) -> QuerySet[TrustChange]:
    """How a run's trust in its machine changed, with the marks and people behind it."""
    joined = ("span__by", "span__withdrawn_by", "span__alert__rule")
    return TrustChange.objects.filter(run=run_id).select_related(*joined).order_by("at", "pk")


def box_of(row: Finding | Review) -> Box | None:
    """Left, top, width, height; `None` where the row has no box."""
    x, y, w, h = row.x, row.y, row.w, row.h
    if x is None or y is None or w is None or h is None:
        return None
    return (x, y, w, h)


def _image(image_id: int) -> Image:
    related = ("series__study__patient", "device__model", "claim__by", "signature__by")
    found = Image.objects.select_related(*related, "worklist_item").filter(pk=image_id).first()
    if found is None:
        raise NotFoundError("no_such_image", "There is no such image.", image=image_id)
    return found


def _finding_views(
    image: Image, run: DetectionRun | None, findings: list[Finding], verdicts: list[Review]
) -> list[FindingView]:
    newest = {v.finding_id: v for v in verdicts if v.finding_id}
    flags = {f.pk for f in flags_of(findings, run.counts_from)} if run else set()
    views = []
    for number, f in enumerate(findings, start=1):
        review = newest.get(f.pk)
        box = (f.x, f.y, f.w, f.h)
        edited = review if review and review.verdict == Verdict.EDIT else None
        views.append(
            FindingView(
                finding=f,
                number=number,
                label=f.label,
                score=f.score,
                box=box,
                side=priority.side([seen(f, image.columns)]),
                flags=f.pk in flags,
                review=review,
                shown_label=(edited.label if edited else "") or f.label,
                shown_box=(box_of(edited) if edited else None) or box,
            )
        )
    return views


def _earlier(image: Image, patient: Patient) -> list[Image]:
    return list(
        Image.objects.filter(series__study__patient=patient, acquired_at__lte=image.acquired_at)
        .exclude(pk=image.pk)
        .select_related("series__study", "signature", "worklist_item", "device")
        .order_by("-acquired_at", "-id")[:20]
    )


def _prior(image: Image, *, hidden: bool) -> Prior:
    item = None if hidden else getattr(image, "worklist_item", None)
    return Prior(image, getattr(image, "signature", None), item, hidden)


def _why(
    item: WorklistItem,
    run: DetectionRun | None,
    findings: list[Finding],
    now: datetime,
    ceiling: timedelta,
    *,
    hidden: bool,
) -> str:
    facts = facts_of(item, run)
    if hidden:
        return priority.blind_why(facts, now, ceiling)
    thresholds = run.counts_from if run else {}
    flags = priority.flagging([seen(f, item.image.columns) for f in findings], thresholds)
    return priority.why(facts, flags, now, ceiling)
