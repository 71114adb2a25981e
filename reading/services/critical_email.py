"""E-mails of critical results: one per step of the list at most, with no word of the patient.

The row is the truth and the message to the worker a hint, as elsewhere. A try that the mail server
refused, or that never reached it, is repeated later; one that broke off in between is not, since
the message may have left: nobody gets it twice, and the list goes on by itself.
"""

from __future__ import annotations

import smtplib
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone

from accounts.services import audit
from detection.services.claims import patient_of
from reading.models import CriticalAttempt, CriticalEmail, CriticalResult, CriticalState, OnCallStep
from reading.models.critical_email import EmailState

log = structlog.get_logger(__name__)
MAX_TRIES: Final = 6
FIRST_PAUSE: Final = timedelta(seconds=15)  # doubled after each try
LOST_AFTER: Final = timedelta(seconds=120)  # longer than a task may take
MAX_REASON: Final = 300
BATCH: Final = 100
SUBJECT: Final = "A critical result waits for you"
NO_SERVER: Final = "django.core.mail.backends.dummy.EmailBackend"


class _LaterError(Exception):
    """The message surely did not leave; it may be tried again."""


class _NeverError(Exception):
    """It won't be sent, or nobody knows whether it was."""


def queue(*, result: CriticalResult, step: OnCallStep, now: datetime) -> None:
    """Decide on an e-mail to the person of a step, if the account has an address.

    Call it inside the transaction that tells the person.
    """
    from reading.tasks import send_critical_email_task  # noqa: PLC0415 - tasks call this module

    if not step.user.email:
        return
    row = CriticalEmail.objects.create(
        result=result, step=step.position, user=step.user, due_at=now
    )
    send_critical_email_task.delay_on_commit(row.pk)  # type: ignore[attr-defined]


def send(*, email_id: int, now: datetime | None = None) -> bool:
    """Send a queued e-mail whose time has come; true if this call sent it.

    The state is changed by compare-and-swap before the mail server is asked: of two workers one
    sends.
    """
    now = now or timezone.now()
    due = CriticalEmail.objects.filter(pk=email_id, state=EmailState.QUEUED, due_at__lte=now)
    if not due.update(state=EmailState.SENDING, due_at=None, taken_at=now):
        return False
    row = CriticalEmail.objects.select_related("result__image__series__study", "user").get(
        pk=email_id
    )
    try:
        _hand_over(row)
    except _LaterError as error:
        if row.tries + 1 >= MAX_TRIES:
            _end(row, EmailState.FAILED, str(error), now)
        else:
            _put_back(row, now, str(error))
        return False
    except _NeverError as error:
        _end(row, EmailState.FAILED, str(error), now)
        return False
    _end(row, EmailState.SENT, "", now)
    return True


def due(*, now: datetime | None = None) -> list[int]:
    """Numbers of e-mails to send now; tries that a dead worker left are ended as failed."""
    now = now or timezone.now()
    lost = CriticalEmail.objects.filter(
        state=EmailState.SENDING, taken_at__lt=now - LOST_AFTER
    ).select_related("result__image__series__study", "user")
    for row in lost.order_by("pk")[:BATCH]:
        _end(row, EmailState.FAILED, "the worker died; it isn't known whether it left", now)
    waiting = CriticalEmail.objects.filter(state=EmailState.QUEUED, due_at__lte=now)
    return list(waiting.order_by("due_at", "pk").values_list("pk", flat=True)[:BATCH])


def _hand_over(row: CriticalEmail) -> None:
    """Give the message to the mail server.

    Raises:
        _LaterError: it was not taken.
        _NeverError: it can't be, or may have been.
    """
    if row.result.state != CriticalState.OPEN:
        raise _NeverError(f"the result was {row.result.state} before")
    if settings.EMAIL_BACKEND == NO_SERVER:
        raise _NeverError("no mail server is set (EMAIL_HOST)")
    if not row.user.email:
        raise _NeverError("the account has no address any more")
    link = f"{settings.SITE_URL}/critical/"
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise _LaterError(f"the mail server can't be reached: {error}") from error
    try:
        message = EmailMessage(
            subject=SUBJECT,
            body=f"{SUBJECT}. Sign in to read and acknowledge it:\n\n{link}\n",
            to=[row.user.email],
            connection=connection,
        )
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        refusals = [code for code, _ in error.recipients.values()]
        kind = _LaterError if all(400 <= code < 500 for code in refusals) else _NeverError
        raise kind("the mail server refused the address") from error
    except smtplib.SMTPResponseException as error:
        kind = _LaterError if 400 <= error.smtp_code < 500 else _NeverError
        raise kind(f"the mail server refused it with code {error.smtp_code}") from error
    except ValueError as error:  # a line feed in the address, say
        raise _NeverError("the address can't be used") from error
    except (OSError, smtplib.SMTPException) as error:
        raise _NeverError("the connection broke; it isn't known whether it left") from error
    finally:
        try:
            connection.close()
        except (OSError, smtplib.SMTPException):
            log.info("mail_server_left_early")


def _put_back(row: CriticalEmail, now: datetime, why: str) -> None:
    log.warning("critical_email_later", email_id=row.pk, tries=row.tries + 1, why=why)
    same = CriticalEmail.objects.filter(pk=row.pk, state=EmailState.SENDING, taken_at=row.taken_at)
    same.update(
        state=EmailState.QUEUED,
        tries=row.tries + 1,
        due_at=now + FIRST_PAUSE * 2**row.tries,
    )


def _end(row: CriticalEmail, state: EmailState, reason: str, now: datetime) -> None:
    """The last word on an e-mail, as a state and as an attempt, once."""
    with transaction.atomic():
        same = CriticalEmail.objects.filter(
            pk=row.pk, state=EmailState.SENDING, taken_at=row.taken_at
        )
        if not same.update(state=state, tries=row.tries + 1):
            return
        CriticalAttempt.objects.create(
            result=row.result,
            step=row.step,
            user=row.user,
            user_name=str(row.user),
            how="email",
            at=now,
            outcome=state,
            reason=reason[:MAX_REASON],
        )
        audit.record(
            actor=None,
            verb="emailed_critical",
            obj=row.result,
            patient_id=patient_of(row.result.image),
            detail={"step": row.step, "sent": state == EmailState.SENT},
        )
