"""Handing one notification over: to the mail server, or to another program's address."""

from __future__ import annotations

import json
import smtplib
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from accounts.permissions import Can, may
from devices import letters, webhook_http
from devices import webhook_signature as signing
from devices.letters import Letter, Needless
from devices.models import Alert, AlertGroup, AlertState, Notification, Webhook
from devices.models.notification import News, Outcome

NO_SERVER: Final = "django.core.mail.backends.dummy.EmailBackend"
TECHNICAL: Final = "This is a technical alert of a machine, not a patient alarm (IEC 60601-1-8)."


@dataclass(frozen=True, slots=True)
class Result:
    """How a try ended; `final`: another one can't succeed."""

    outcome: Outcome
    code: int | None
    text: str
    final: bool = False


def prepare(row: Notification, now: datetime) -> Letter | Needless | None:
    """The e-mail to send, `None` for a webhook, or why there is nothing to send any more.

    Programs are told of what is over all the same, to keep in step.
    """
    if row.webhook is not None:  # one that is off may be tried before it is switched on
        off = not row.webhook.active and row.news != News.TEST
        return Needless("the webhook is switched off") if off else None
    if row.user is None or not row.user.is_active:
        return Needless("the account is switched off")
    if row.news == News.LETTER:
        return letters.compose(row, now)
    if not may(row.user, Can.ALERT_READ):
        return Needless("this person may no longer see alerts")
    if alert_of(row).state == AlertState.RESOLVED:
        return Needless("the alert is resolved")
    return Letter(subject_of(row), _body_of(row))


def alert_of(row: Notification) -> Alert:
    """Of which it tells; a test of a webhook and a letter have none."""
    assert row.alert is not None  # noqa: S101 - a constraint holds it for all but these
    return row.alert


def send(row: Notification, letter: Letter | None, now: datetime) -> Result:
    """Hand it over once, outside any transaction."""
    if letter is not None:
        return _email(row, letter)
    assert row.webhook is not None  # noqa: S101 - a constraint holds it for what isn't an e-mail
    return _webhook(row, row.webhook, now)


def has_mail_server() -> bool:
    """Whether e-mails can be sent at all."""
    return settings.EMAIL_BACKEND != NO_SERVER


def _failed(text: str, code: int | None = None, *, final: bool = False) -> Result:
    return Result(Outcome.FAILED, code, text, final)


def _incident(row: Notification) -> AlertGroup | None:
    return AlertGroup.objects.filter(head=row.alert, ended_at=None).first()


def link_to(row: Notification) -> str:
    """The alert's page."""
    return f"{settings.SITE_URL}/alerts/{row.alert_id}/"


def subject_of(row: Notification) -> str:
    """One line: severity, machine, what there is to tell."""
    device = alert_of(row).device
    made_up = "[synthetic] " if device.is_synthetic else ""
    return f"{made_up}{row.severity.upper()}: {device.name}: {row.get_news_display()}"


def _body_of(row: Notification) -> str:
    alert = alert_of(row)
    lines = [
        row.text,
        "",
        f"Machine: {alert.device.name}"
        + (f", {alert.device.location}" * bool(alert.device.location)),
        f"Now: {alert.get_state_display()}",
    ]
    if group := _incident(row):
        count = group.members.count()
        lines.append(f"Incident on {group.label}: {count} more alert{'s' if count != 1 else ''}")
    return "\n".join([*lines, "", link_to(row), "", TECHNICAL, ""])


def _email(row: Notification, letter: Letter) -> Result:
    if not has_mail_server():
        return _failed("no mail server is set (EMAIL_HOST)", final=True)
    if row.user is None or not row.user.email:
        return _failed("the account has no address any more", final=True)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    try:
        message = EmailMultiAlternatives(
            subject=" ".join(letter.subject.split())[:200],
            body=letter.text,
            to=[row.user.email],
            connection=get_connection(),
            # the same at every try: a mailbox that knows it may drop the second
            headers={"Message-ID": f"<{row.key}@{domain}>", "Auto-Submitted": "auto-generated"},
        )
        if letter.html:
            message.attach_alternative(letter.html, "text/html")
        message.send()
    except (OSError, ValueError, smtplib.SMTPException) as error:
        return _not_mailed(error)
    return Result(Outcome.DELIVERED, None, "taken by the mail server")


def _not_mailed(error: Exception) -> Result:
    """What the mail server said, as the result of the try."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
        return _failed("the mail server refused the address", code, final=code >= 500)
    if isinstance(error, smtplib.SMTPResponseException):
        final = error.smtp_code >= 500
        return _failed("the mail server refused it", error.smtp_code, final=final)
    if isinstance(error, ValueError):  # a line feed in the address, say
        return _failed("the address can't be used", final=True)
    return _failed(f"the mail server can't be reached: {type(error).__name__}")


def secrets_of(hook: Webhook, now: datetime) -> list[str]:
    """With which it is signed: of this secret and the one before, under each key of the server."""
    salts = [hook.salt]
    if hook.old_salt and hook.old_until is not None and hook.old_until > now:
        salts.append(hook.old_salt)
    keys = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return [signing.secret_of(key, salt) for salt in salts for key in keys]


def payload_of(row: Notification) -> dict[str, Any]:
    """What a program is told; names of people and patients are not part of it."""
    if row.news == News.TEST:
        return {
            "id": str(row.key),
            "event": "test",
            "at": row.created_at.isoformat(),
            "kind": row.text,
            "alert": None,
            "device": None,
            "incident": None,
        }
    alert = alert_of(row)
    group = _incident(row)
    return {
        "id": str(row.key),
        "event": f"alert.{row.news}",
        "at": row.created_at.isoformat(),
        "kind": "technical alert, not a patient alarm",
        "alert": {
            "id": alert.pk,
            "state": alert.state,
            "severity": row.severity,
            "message": row.text,
            "rule": alert.rule.name,
            "since": alert.since.isoformat(),
            "opened_at": alert.opened_at.isoformat(),
            "recurrences": alert.recurrences,
            "url": link_to(row),
        },
        "device": {
            "id": alert.device_id,
            "serial": alert.device.serial,
            "name": alert.device.name,
            "location": alert.device.location,
            "synthetic": alert.device.is_synthetic,
        },
        "incident": None
        if group is None
        else {"supply": group.label, "more_alerts": group.members.count()},
    }


def _webhook(row: Notification, hook: Webhook, now: datetime) -> Result:
    body = json.dumps(payload_of(row), ensure_ascii=False).encode()
    stamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "TwinHealth",
        signing.KEY_HEADER: str(row.key),
        signing.TIMESTAMP_HEADER: str(stamp),
        signing.SIGNATURE_HEADER: signing.header(secrets_of(hook, now), stamp, body),
        "Connection": "close",
    }
    allowed = webhook_http.rules(
        allow_http=settings.WEBHOOK_ALLOW_HTTP, networks=settings.WEBHOOK_ALLOWED_NETWORKS
    )
    try:
        answer = webhook_http.post(hook.url, body, headers, allowed)
    except webhook_http.RefusedError as error:
        return _failed(str(error), final=True)
    except webhook_http.FailedError as error:
        return _failed(str(error))
    text = " ".join(answer.text.split())
    if 200 <= answer.code < 300:
        return Result(Outcome.DELIVERED, answer.code, text)
    if 300 <= answer.code < 400:
        return _failed("it redirects, which is not followed", answer.code)
    return _failed(text or "no text", answer.code, final=answer.code == 410)
