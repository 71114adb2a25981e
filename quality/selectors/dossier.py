"""The signed sessions of a machine as rows for an auditor's file."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from devices.dossier import Section, register
from devices.models import Device
from quality.models import QASession, SessionState

COLUMNS = (
    "session", "protocol", "version", "measured_at", "measured_by", "verdict", "signed_at",
    "signed_by", "signature", "instrument", "stands", "certificate_sha256",
)  # fmt: skip


def rows(device: Device, start: datetime, end: datetime) -> list[tuple[str, ...]]:
    """A row of texts for each session measured in `[start, end)`, oldest first (`COLUMNS`).

    Superseded sessions are there too, and say by which one. Times are ISO 8601 in the hospital's
    zone. Texts are as typed: whoever writes them into a file escapes them.
    """
    found = (
        QASession.objects.filter(
            device=device,
            state=SessionState.SIGNED,
            performed_at__gte=start,
            performed_at__lt=end,
        )
        .select_related("protocol", "version", "performed_by", "signed_by", "instrument")
        .prefetch_related("superseded_by")
        .order_by("performed_at", "pk")
    )
    return [_row(session) for session in found]


def _row(session: QASession) -> tuple[str, ...]:
    later = [s for s in session.superseded_by.all() if s.is_signed]
    signed = session.content or {}
    instrument = signed.get("instrument")
    return (
        str(session),
        signed["protocol"]["name"],
        str(session.version.number),
        timezone.localtime(session.performed_at).isoformat(timespec="seconds"),
        signed["performed_by"],
        session.get_verdict_display(),
        signed["signed_at"],
        signed["signed_by"],
        session.signature,
        f"{instrument['name']} ({instrument['serial']})" if instrument else "",
        f"superseded by {later[0]}" if later else "stands",
        session.sha256,
    )


def connect() -> None:
    """Have them in every file; called once, when the room is ready."""
    columns = tuple(name.replace("_", " ") for name in COLUMNS)
    register(Section("qa-sessions", "QA sessions", columns, rows))
