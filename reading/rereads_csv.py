"""A re-read list as rows of CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils import timezone

from detection.models import ReRead, RunState, WorklistItem

HEADER = (
    "film", "exposed_at", "listed_because", "signed_at", "state", "result", "assigned_to",
    "done_by", "done_at",
)  # fmt: skip
# what tells of the patient; for readers alone
READERS_HEADER = (
    "patient_id", "issuer", "patient_name", "conclusion", "signed_by", "model", "score", "note",
)  # fmt: skip


def rows(found: Iterable[ReRead], *, reads: bool) -> Iterator[tuple[object, ...]]:
    """One row for each film; with `reads` the columns of `READERS_HEADER` too."""
    for item in found:
        plain = (
            item.image_id,
            timezone.localtime(item.exposed_at).isoformat(),
            item.get_why_display(),
            timezone.localtime(item.signed_at).isoformat(),
            item.get_state_display(),
            item.get_result_display(),
            item.assigned_to.username if item.assigned_to else "",
            item.done_by.username if item.done_by else "",
            timezone.localtime(item.done_at).isoformat() if item.done_at else "",
        )
        yield (*plain, *_told(item)) if reads else plain


def _told(item: ReRead) -> tuple[object, ...]:
    patient = item.image.series.study.patient
    signature = item.image.signature
    return (
        patient.identifier,
        patient.issuer,
        patient.name,
        signature.get_conclusion_display(),
        signature.by_name,
        *_detector(getattr(item.image, "worklist_item", None)),
        item.note,
    )


def _detector(row: WorklistItem | None) -> tuple[str, str]:
    """What the latest run says, and its score."""
    if row is None or row.run_state != RunState.DONE:
        return "not read", ""
    return (row.label, f"{row.score:.2f}") if row.score is not None else ("no finding", "")
