"""Writing the audit trail: one call per view or change of something that matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from accounts.address import remote_address
from accounts.models import AuditEntry, User


def record(
    *,
    actor: User | None,
    verb: str,
    obj: Any,
    patient_id: int | None = None,
    request: HttpRequest | Request | None = None,
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Add one row; call it inside the transaction of the change it tells of.

    Args:
        actor: who; `None` for the system itself (a worker, an importer).
        verb: `viewed`, `imported`, `signed`, … past tense.
        obj: the model instance concerned; the model class where it is about many (a list).
        patient_id: our number of the patient concerned, where there is one.
        request: gives address and request id; in a task, structlog's context gives the latter.
        detail: JSON-safe, never the patient's text.
    """
    entry = AuditEntry(
        **_common(actor, verb, obj, request), patient_ref=patient_id, detail=detail or {}
    )
    entry.save(force_insert=True)
    return entry


def record_patients(
    *,
    actor: User | None,
    verb: str,
    obj: Any,
    details: Mapping[int, dict[str, Any]],
    request: HttpRequest | Request | None = None,
) -> None:
    """Add one row per patient for an act that concerns many, so that each one's trail has it.

    Args:
        actor: as for `record`, as are the next three.
        verb: past tense.
        obj: the thing that the act is about.
        request: gives address and request id.
        details: our number of each patient concerned -> detail, as for `record`.
    """
    common = _common(actor, verb, obj, request)
    AuditEntry.objects.bulk_create(
        (
            AuditEntry(**common, patient_ref=patient, detail=detail)
            for patient, detail in details.items()
        ),
        batch_size=500,
    )


def _common(
    actor: User | None, verb: str, obj: Any, request: HttpRequest | Request | None
) -> dict[str, Any]:
    context = structlog.contextvars.get_contextvars()
    return {
        "at": timezone.now(),
        "actor": actor,
        "actor_name": str(actor.username) if actor else "system",
        "actor_role": actor.role if actor else "",
        "verb": verb,
        "object_type": obj._meta.label,  # noqa: SLF001
        "object_id": "" if isinstance(obj, type) else str(obj.pk or ""),
        "remote_addr": remote_address(request) if request else None,
        "request_id": str(context.get("request_id") or context.get("task_id") or "")[:64],
    }
