"""Admins say which programs are told; a secret is shown once."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices import webhook_http
from devices.models import Webhook
from devices.models.device_model import Severity
from devices.plain_text import clean
from devices.webhook_signature import secret_of
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from . import AnyRequest

OVERLAP = timedelta(days=7)  # for which both secrets sign
MAX_OVERLAP = timedelta(days=90)


def get(webhook_id: int) -> Webhook:
    """The webhook, or `NotFoundError` `webhook_not_found`."""
    found = Webhook.objects.filter(pk=webhook_id).first()
    if found is None:
        raise NotFoundError("webhook_not_found", "There is no such webhook.")
    return found


def _checked(name: str, url: str, severity: str) -> tuple[str, str]:
    name = clean(name, field="name", limit=64)
    url = url.strip()
    if len(url) > 500:
        raise InvalidInputError("url_too_long", "At most 500 characters.", limit=500)
    allowed = webhook_http.rules(allow_http=settings.WEBHOOK_ALLOW_HTTP, networks=[])
    try:
        webhook_http.check_url(url, allowed)
    except webhook_http.RefusedError as error:
        raise InvalidInputError("bad_url", f"Nothing is sent there: {error}.") from error
    if severity not in Severity.values:
        raise InvalidInputError(
            "unknown_severity", "Choose watch or act.", known=list(Severity.values)
        )
    return name, url


def _saved(hook: Webhook) -> None:
    try:
        with transaction.atomic():
            hook.save()
    except IntegrityError as error:
        raise ConflictError("name_taken", "There is a webhook of this name.") from error


@transaction.atomic
def create(
    *,
    actor: User,
    name: str,
    url: str,
    severity: str = Severity.WATCH,
    request: AnyRequest | None = None,
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is shown once.

    Args:
        actor: the admin.
        name: of the other program.
        url: `https`; its address is checked again whenever something is sent.
        severity: the least that it is told.
        request: for the audit row.

    Raises:
        InvalidInputError: `name_missing`, `name_too_long`, `url_too_long`, `bad_url`,
            `unknown_severity`.
        ConflictError: `name_taken`.
    """
    name, url = _checked(name, url, severity)
    hook = Webhook(
        name=name,
        url=url,
        severity=severity,
        salt=secrets.token_urlsafe(32),
        created_at=timezone.now(),
        created_by=actor,
    )
    _saved(hook)
    audit.record(actor=actor, verb="created", obj=hook, request=request, detail={"name": name})
    return hook, secret_of(settings.SECRET_KEY, hook.salt)


@transaction.atomic
def change(
    *,
    webhook: Webhook,
    actor: User,
    name: str,
    url: str,
    severity: str,
    active: bool,
    request: AnyRequest | None = None,
) -> Webhook:
    """Another name, address or severity; or switch it off and on. The secret stays.

    Raises:
        InvalidInputError, ConflictError: as `create`.
    """
    name, url = _checked(name, url, severity)
    hook = Webhook.objects.select_for_update().get(pk=webhook.pk)
    hook.name, hook.url, hook.severity, hook.active = name, url, severity, active
    _saved(hook)
    audit.record(
        actor=actor, verb="changed", obj=hook, request=request,
        detail={"name": name, "severity": severity, "active": active},
    )  # fmt: skip
    return hook


@transaction.atomic
def rotate(
    *,
    webhook: Webhook,
    actor: User,
    overlap: timedelta = OVERLAP,
    request: AnyRequest | None = None,
) -> tuple[Webhook, str]:
    """A new secret, shown once; the one before signs beside it for the overlap.

    Raises:
        InvalidInputError: `bad_overlap` unless 0 to `MAX_OVERLAP`.
    """
    if not timedelta() <= overlap <= MAX_OVERLAP:
        raise InvalidInputError("bad_overlap", f"At most {MAX_OVERLAP.days} days.")
    hook = Webhook.objects.select_for_update().get(pk=webhook.pk)
    goes_on = overlap > timedelta()
    hook.old_salt = hook.salt if goes_on else ""
    hook.old_until = timezone.now() + overlap if goes_on else None
    hook.salt = secrets.token_urlsafe(32)
    hook.save(update_fields=["salt", "old_salt", "old_until"])
    audit.record(actor=actor, verb="rotated", obj=hook, request=request)
    return hook, secret_of(settings.SECRET_KEY, hook.salt)
