"""One row by its number, or the error that says there is none."""

from __future__ import annotations

from django.db.models import Count, Max, Q, QuerySet

from quality.models import Instrument, Protocol, ProtocolPlan, QAFile, QASession
from twinhealth.errors import NotFoundError


def session(pk: int) -> QASession:
    """With all that its page shows.

    Raises:
        NotFoundError: `session_not_found`.
    """
    found = (
        QASession.objects.select_related(
            "device__model", "protocol__current", "protocol__rule", "version", "order",
            "instrument", "performed_by", "signed_by", "supersedes",
        )
        .prefetch_related("files", "superseded_by")
        .filter(pk=pk)
        .first()
    )  # fmt: skip
    if found is None:
        raise NotFoundError("session_not_found", "There is no such session.")
    return found


def sessions() -> QuerySet[QASession]:
    """All, for lists; newest first."""
    return (
        QASession.objects.select_related(
            "device", "protocol", "version", "performed_by", "signed_by", "instrument"
        )
        .prefetch_related("superseded_by", "files")
        .order_by("-performed_at", "-pk")
    )


def protocols() -> QuerySet[Protocol]:
    """All, with how many sessions they have."""
    signed = Q(sessions__state="signed")
    return Protocol.objects.select_related(
        "current__by", "device_model", "device", "created_by", "rule__device_model"
    ).annotate(
        count=Count("sessions", filter=signed), newest=Max("sessions__performed_at", filter=signed)
    )


def protocol(pk: int) -> Protocol:
    """One protocol.

    Raises:
        NotFoundError: `protocol_not_found`.
    """
    found = protocols().filter(pk=pk).first()
    if found is None:
        raise NotFoundError("protocol_not_found", "There is no such protocol.")
    return found


def link(protocol_: Protocol, pk: int) -> ProtocolPlan:
    """What ties a plan to the protocol.

    Raises:
        NotFoundError: `link_not_found`.
    """
    found = protocol_.plans.select_related("protocol").filter(pk=pk).first()
    if found is None:
        raise NotFoundError("link_not_found", "This plan isn't tied to the protocol.")
    return found


def instrument(pk: int) -> Instrument:
    """One instrument.

    Raises:
        NotFoundError: `instrument_not_found`.
    """
    found = Instrument.objects.filter(pk=pk).first()
    if found is None:
        raise NotFoundError("instrument_not_found", "There is no such instrument.")
    return found


def file(session_: QASession, pk: int) -> QAFile:
    """One file of a session.

    Raises:
        NotFoundError: `file_not_found`.
    """
    found = session_.files.filter(pk=pk).first()
    if found is None:
        raise NotFoundError("file_not_found", "This session has no such file.")
    return found
