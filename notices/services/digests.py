"""One digest a person and day, through the outbox; its text is made when it is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from devices.services import outbox
from devices.services.channels import has_mail_server
from notices import people as people_of
from notices.letters import DIGEST
from notices.models import Digest, Look
from notices.people import Person

LATE: Final = timedelta(hours=12)  # a worker that was down longer sends the next day's
LONGEST: Final = timedelta(days=14)  # that changes are told back


def due_at(person: Person, day: datetime) -> datetime | None:
    """When the digest of the hospital's day of a moment is due; none on quiet days.

    An hour that the clock jumps over is the jump; of one that comes twice, the first counts.
    """
    zone = timezone.get_default_timezone()
    local = day.astimezone(zone)
    if local.weekday() in person.settings.quiet_days:
        return None
    return datetime.combine(local.date(), person.settings.digest_at, tzinfo=zone)


@transaction.atomic
def make_due(*, now: datetime | None = None) -> int:
    """Queue the digests that are due; how many."""
    now = now or timezone.now()
    if not has_mail_server():  # the page has it all the same
        return 0
    Look.objects.get_or_create(kind=DIGEST, defaults={"until": now})
    Look.objects.select_for_update().get(kind=DIGEST)  # one worker at a time
    today = timezone.localdate(now)
    have = set(Digest.objects.filter(day=today).values_list("user_id", flat=True))
    wanted = []
    for pk, person in people_of.everybody().by_pk.items():
        if pk in have or not person.settings.digest or not person.user.email:
            continue
        due = due_at(person, now)
        if due is not None and due <= now < due + LATE:
            wanted.append(person)
    last = dict(
        Digest.objects.filter(user__in=[each.user.pk for each in wanted])
        .values_list("user_id")
        .annotate(last=Max("until"))
    )
    posts = [
        outbox.Post(
            user_id=each.user.pk,
            letter=DIGEST,
            occasion=today.isoformat(),
            text=f"Digest of {today}",
            path="/notices/digest/",
            due_at=each.next_moment(now, urgent=False),
        )
        for each in wanted
    ]
    rows = [
        Digest(
            user=each.user,
            day=today,
            since=max(
                min(last.get(each.user.pk, now - timedelta(days=1)), now - timedelta(seconds=1)),
                now - LONGEST,
            ),
            until=now,
            message=message,
        )
        for each, message in zip(wanted, outbox.post(posts, now), strict=True)
    ]
    Digest.objects.bulk_create(rows, batch_size=500)
    return len(rows)
