"""The outbox: what is to be told stands in rows, and a worker delivers them at least once.

The row is written with the change of which it tells. A worker takes it by compare-and-swap with a
lease; one that died is followed by another, so a receiver may get a message twice and knows it by
its key. Each try is a row of its own.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices import backoff
from devices.letters import Needless
from devices.models import Alert, DeliveryAttempt, Notification, Subscription, Webhook
from devices.models.device_model import Severity
from devices.models.notification import Channel, News, Outcome, SendState
from devices.models.rule import RuleKind
from devices.quiet_hours import next_moment
from devices.rule_kinds.facts import without_names
from devices.selectors.notifications import seen_by
from twinhealth.errors import ConflictError, NotFoundError

from . import AnyRequest, channels

log = structlog.get_logger(__name__)
LEASE: Final = timedelta(seconds=90)  # longer than a task may take
BATCH: Final = 500
MAX_TEXT: Final = 300
_SYSTEM_CHANCE = random.SystemRandom()


def _wants(row: Subscription, alert: Alert, news: News, devices: set[int]) -> bool:
    if not row.user.is_active or not may(row.user, Can.ALERT_READ):
        return False
    if news == News.ESCALATED:
        if not row.escalations:
            return False
    elif not (row.act if alert.severity == Severity.ACT else row.watch):
        return False
    if not row.rooms and not devices:
        return True
    return alert.device_id in devices or alert.device.location in row.rooms


def queue(*, alert: Alert, news: News, now: datetime) -> None:
    """Write one row per receiver; call it in the transaction that changes the alert."""
    from devices.tasks import deliver_notification_task  # noqa: PLC0415 - tasks call this module

    common = {
        "alert": alert,
        "number": alert.told,
        "news": news,
        "severity": alert.severity,
        "text": alert.message,
        "created_at": now,
    }
    rows = []
    for row in Subscription.objects.select_related("user").prefetch_related("devices"):
        if not _wants(row, alert, news, {device.pk for device in row.devices.all()}):
            continue
        if row.in_app:
            rows.append(
                Notification(
                    **common,
                    user=row.user,
                    channel=Channel.IN_APP,
                    state=SendState.SENT,
                    sent_at=now,
                )
            )
        if row.email and row.user.email:
            due_at = now
            if alert.severity == Severity.WATCH:
                zone = timezone.get_default_timezone()
                due_at = next_moment(now, row.quiet_from, row.quiet_to, zone)
            rows.append(Notification(**common, user=row.user, channel=Channel.EMAIL, due_at=due_at))
    hooks = Webhook.objects.filter(active=True)
    if alert.severity != Severity.ACT:
        hooks = hooks.filter(severity=Severity.WATCH)
    if alert.rule.kind == RuleKind.CONFIG:
        common["text"] = without_names(alert.message)
    rows += [
        Notification(**common, webhook=hook, channel=Channel.WEBHOOK, due_at=now) for hook in hooks
    ]
    for made in Notification.objects.bulk_create(rows):
        if made.due_at is not None and made.due_at <= now:
            deliver_notification_task.delay_on_commit(made.pk)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Post:
    """A letter to be queued: to whom, written by whom, about what, where it leads, from when."""

    user_id: int
    letter: str
    occasion: str
    text: str
    path: str
    due_at: datetime
    urgent: bool = False


def post(letters: Sequence[Post], now: datetime) -> list[Notification]:
    """Write letters; call it in the transaction that makes what they tell of.

    Args:
        letters: no two to one person of one occasion.
        now: when they are written.

    Raises:
        IntegrityError: a person has one of this occasion already.
    """
    from devices.tasks import deliver_notification_task  # noqa: PLC0415 - tasks call this module

    made = Notification.objects.bulk_create(
        [
            Notification(
                number=0,
                news=News.LETTER,
                severity=Severity.ACT if each.urgent else Severity.WATCH,
                text=each.text[:MAX_TEXT],
                letter=each.letter,
                occasion=each.occasion,
                path=each.path,
                channel=Channel.EMAIL,
                user_id=each.user_id,
                created_at=now,
                due_at=each.due_at,
            )
            for each in letters
        ],
        batch_size=500,
    )
    # the rest is found by beat: the queue isn't flooded
    for row in [each for each in made if each.due_at and each.due_at <= now][:BATCH]:
        deliver_notification_task.delay_on_commit(row.pk)  # type: ignore[attr-defined]
    return made


TEST_TEXT: Final = "a test by an admin: no machine asks for anything"


@transaction.atomic
def send_test(*, webhook: Webhook, actor: User, request: AnyRequest | None = None) -> Notification:
    """Write a test message to a program, also to one that is switched off; it is tried once.

    Args:
        webhook: which.
        actor: the admin.
        request: for the audit row.
    """
    from devices.tasks import deliver_notification_task  # noqa: PLC0415 - tasks call this module

    now = timezone.now()
    row = Notification.objects.create(
        number=0,
        news=News.TEST,
        severity=Severity.WATCH,
        text=TEST_TEXT,
        channel=Channel.WEBHOOK,
        webhook=webhook,
        created_at=now,
        due_at=now,
    )
    audit.record(actor=actor, verb="tested", obj=webhook, request=request)
    deliver_notification_task.delay_on_commit(row.pk)  # type: ignore[attr-defined]
    return row


def take_back(*, alert: Alert) -> bool:
    """Drop the alert's latest news where nobody got it yet; false where somebody did.

    A line in the app counts as not got until it is read.
    """
    # locked, so that no worker takes one at this moment
    latest = list(
        Notification.objects.select_for_update()
        .filter(alert=alert, number=alert.told)
        .order_by("pk")
    )
    if alert.told == 0 or any(_is_got(row) for row in latest):
        return False
    pks = [row.pk for row in latest]
    Notification.objects.filter(pk__in=pks).update(state=SendState.DROPPED, due_at=None)
    return True


def _is_got(row: Notification) -> bool:
    if row.channel == Channel.IN_APP:
        return row.read_at is not None
    return row.state not in {SendState.QUEUED, SendState.DROPPED}


def deliver(*, notification_id: int, now: datetime | None = None) -> bool:
    """Deliver one whose time has come, or that a worker lost; true if this call did."""
    now = now or timezone.now()
    lost = Notification.objects.filter(
        pk=notification_id, state=SendState.SENDING, taken_at__lte=now - LEASE
    )
    was_lost = bool(lost.update(taken_at=now, tries=F("tries") + 1))
    if not was_lost:
        mine = Notification.objects.filter(
            pk=notification_id, state=SendState.QUEUED, due_at__lte=now
        )
        if not mine.update(state=SendState.SENDING, due_at=None, taken_at=now):
            return False
    row = Notification.objects.select_related(
        "alert__device__model", "alert__rule__metric", "user", "webhook"
    ).get(pk=notification_id)
    if was_lost:
        _attempt(row, now, channels.Result(Outcome.LOST, None, "taken over after the lease"), None)
        if row.tries >= backoff.MAX_TRIES:  # one that ends each worker must end, too
            _mine(row).update(state=SendState.DEAD)
            return False
    letter = channels.prepare(row, now)
    if isinstance(letter, Needless):
        _mine(row).update(state=SendState.DROPPED, dropped_because=letter.why[:200])
        return False
    began = time.monotonic()
    result = channels.send(row, letter, now)
    took_ms = round((time.monotonic() - began) * 1000)
    return _settle(row, now, result, took_ms)


def _mine(row: Notification) -> QuerySet[Notification]:
    """The row while this worker has it."""
    return Notification.objects.filter(pk=row.pk, state=SendState.SENDING, taken_at=row.taken_at)


def _attempt(row: Notification, at: datetime, result: channels.Result, took_ms: int | None) -> None:
    DeliveryAttempt.objects.create(
        notification=row,
        at=at,
        outcome=result.outcome,
        code=result.code,
        took_ms=took_ms,
        text=result.text[:MAX_TEXT].replace("\x00", ""),
    )


@transaction.atomic
def _settle(row: Notification, now: datetime, result: channels.Result, took_ms: int) -> bool:
    """Write the try down, and what follows from it if the row is still ours."""
    _attempt(row, now, result, took_ms)
    mine = _mine(row)
    tries = row.tries + 1
    if result.outcome == Outcome.DELIVERED:
        return bool(mine.update(state=SendState.SENT, sent_at=now, tries=tries))
    # who tries a webhook wants to know now, and can try again
    if result.final or row.news == News.TEST or tries >= backoff.MAX_TRIES:
        log.warning("notification_dead", notification_id=row.pk, why=result.text)
        mine.update(state=SendState.DEAD, tries=tries)
    else:
        pause = backoff.pause(tries, _SYSTEM_CHANCE.random())
        mine.update(state=SendState.QUEUED, tries=tries, due_at=now + pause)
    return False


def due(*, now: datetime | None = None) -> list[int]:
    """Numbers of those to deliver now: due, or left behind by a worker."""
    now = now or timezone.now()
    waiting = Q(state=SendState.QUEUED, due_at__lte=now) | Q(
        state=SendState.SENDING, taken_at__lte=now - LEASE
    )
    rows = Notification.objects.filter(waiting).order_by(F("due_at").asc(nulls_first=True), "pk")
    return list(rows.values_list("pk", flat=True)[:BATCH])


def get(notification_id: int, viewer: User | None = None) -> Notification:
    """The notification, or `NotFoundError` `notification_not_found`.

    Args:
        notification_id: which.
        viewer: who looks: of letters, people see their own, admins of maintenance all.
    """
    rows = Notification.objects.select_related("alert__device", "user", "webhook")
    if viewer is not None:
        rows = rows.filter(seen_by(viewer))
    found = rows.filter(pk=notification_id).first()
    if found is None:
        raise NotFoundError("notification_not_found", "There is no such notification.")
    return found


@transaction.atomic
def send_again(
    *, notification: Notification, actor: User, request: AnyRequest | None = None
) -> Notification:
    """Dead -> queued: tried again from the first pause on.

    Raises:
        ConflictError: `bad_transition` from any other state.
    """
    from devices.tasks import deliver_notification_task  # noqa: PLC0415 - tasks call this module

    now = timezone.now()
    dead = Notification.objects.filter(pk=notification.pk, state=SendState.DEAD)
    if not dead.update(state=SendState.QUEUED, due_at=now, tries=0):
        notification.refresh_from_db()
        raise ConflictError(
            "bad_transition",
            f"This notification {notification.get_state_display()}; it isn't sent again.",
            state=notification.state,
            step="send_again",
        )
    audit.record(actor=actor, verb="sent_again", obj=notification, request=request)
    deliver_notification_task.delay_on_commit(notification.pk)  # type: ignore[attr-defined]
    return get(notification.pk)


@transaction.atomic
def mark_read(*, user: User, ids: list[int] | None = None, now: datetime | None = None) -> int:
    """The person has seen these lines of the app, or all of them; how many were new."""
    unread = Notification.objects.filter(
        user=user, channel=Channel.IN_APP, state=SendState.SENT, read_at=None
    )
    if ids is not None:
        unread = unread.filter(pk__in=ids)
    return unread.update(read_at=now or timezone.now())
