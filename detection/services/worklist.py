"""Keeps the worklist's rows true to runs, findings, trust and signatures."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from detection import priority
from detection.models import (
    DetectionRun,
    Finding,
    RunState,
    Signature,
    UrgencySet,
    WorklistItem,
)
from detection.second_look import wants_look
from imaging.models import Image

_COPIED = [
    "run",
    "run_state",
    "flagged",
    "label",
    "score",
    "trust",
    "needs_reader",
    "signed",
    "urgency",
    "urgency_reason",
    "rank",
    "head_start",
    "waiting_since",
    "look_since",
]


def refresh_items(*, image_ids: Iterable[int]) -> None:
    """Compute the worklist rows of some films again; call it inside the change it follows.

    The rows are locked before anything else is read, so that of two changes to one film the
    later one sees the earlier one and the row ends right, in whichever order they commit.
    """
    wanted = sorted(set(image_ids))
    with transaction.atomic():
        held = WorklistItem.objects.select_for_update().filter(image_id__in=wanted)
        list(held.order_by("image_id").values_list("pk", flat=True))
        items = _items(wanted)
        WorklistItem.objects.bulk_create(
            items, update_conflicts=True, unique_fields=["image"], update_fields=_COPIED
        )


def _items(image_ids: list[int]) -> list[WorklistItem]:
    runs: dict[int, DetectionRun] = {}
    latest = DetectionRun.objects.filter(image_id__in=image_ids).select_related("version")
    for run in latest.order_by("queued_at", "id"):
        runs[run.image_id] = run
    findings: dict[int, list[priority.Seen]] = {}
    done = [r.pk for r in runs.values() if r.state == RunState.DONE]
    for f in Finding.objects.filter(run_id__in=done):
        findings.setdefault(f.run_id, []).append(priority.Seen(f.label, f.score, center=0.5))
    signed = {s.image_id: s for s in Signature.objects.filter(image_id__in=image_ids)}
    images = Image.objects.filter(pk__in=image_ids).only(
        "id", "received_at", "requested_urgency", "sha256"
    )
    said = {s.image_id: s for s in UrgencySet.objects.filter(image_id__in=image_ids)}
    return [
        _item(
            image,
            runs.get(image.pk),
            findings,
            said=said.get(image.pk),
            signature=signed.get(image.pk),
        )
        for image in images
    ]


def _item(
    image: Image,
    run: DetectionRun | None,
    findings: dict[int, list[priority.Seen]],
    *,
    said: UrgencySet | None,
    signature: Signature | None,
) -> WorklistItem:
    flags = priority.flagging(findings.get(run.pk, []), run.counts_from) if run else []
    film = priority.Film(
        run_state=run.state if run else "",
        label=flags[0].label if flags else "",
        score=flags[0].score if flags else None,
        trust=run.device_trust if run else "unknown",
        waiting_since=image.received_at,
        urgency=said.urgency if said else image.requested_urgency,
        urgency_reason=said.reason if said else "",
    )
    wanted = wants_look(
        read=film.run_state == RunState.DONE,
        flagged=bool(flags),
        conclusion=signature.conclusion if signature else "",
        sha256=image.sha256,
        share=settings.SECOND_LOOK_SHARE,
    )
    return WorklistItem(
        image=image,
        run=run,
        run_state=film.run_state,
        flagged=bool(flags),
        label=film.label,
        score=film.score,
        trust=film.trust,
        needs_reader=priority.needs_reader(film),
        signed=signature is not None,
        urgency=film.urgency,
        urgency_reason=film.urgency_reason,
        rank=priority.rank(film),
        head_start=priority.head_start(film),
        waiting_since=film.waiting_since,
        look_since=signature.at if signature and wanted else None,
    )
