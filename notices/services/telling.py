"""Telling: each kind's happenings become one notice a person and occasion, and e-mails.

A kind is told in one transaction that holds its row of `Look`: of two workers one waits and then
finds nothing new, and one that is killed leaves nothing behind. The database takes one notice per
person, kind, subject and occasion, whoever writes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import structlog
from django.db import transaction
from django.utils import timezone

from devices.notice_kinds import Kind, Span, Told, Way, kinds
from devices.services import outbox
from notices import people as people_of
from notices.letters import NOTICE
from notices.models import Look, Notice
from notices.people import Addressed, People
from notices.spans import span

log = structlog.get_logger(__name__)
# what lasts is looked for so far behind the last look: an order may get a date that is near or
# past; more than a week, so that what is told weekly is found whenever it began
BACK: Final = timedelta(days=8)
# a change is dated before it is committed, so a look may have missed it
OVERLAP: Final = timedelta(minutes=15)
BATCH: Final = 2000
MAX_TITLE, MAX_PATH, MAX_ROOM = 300, 200, 64
AGAIN: Final = "it was told again"


def _batches(rows: Iterable[Addressed]) -> Iterator[list[Addressed]]:
    left = iter(rows)
    while group := list(islice(left, BATCH)):
        yield group


def tell_all(*, now: datetime | None = None) -> int:
    """Tell of everything up to now, kind by kind; how many notices were written.

    Raises:
        Exception: what a kind raised, once all others were told; it is told with the next look.
    """
    now = now or timezone.now()
    people = people_of.everybody()
    base = span(now, now, people.ahead)
    made, failed = 0, None
    for kind in kinds():
        try:
            made += tell(kind=kind, people=people, base=base)
        except Exception as error:  # one room's mistake must not keep others' notices back
            log.exception("notices_not_told", kind=kind.key)
            failed = failed or error
    if failed is not None:
        raise failed
    return made


@transaction.atomic
def tell(*, kind: Kind, people: People, base: Span) -> int:
    """Tell of one kind, and end notices of it that are no longer true.

    Args:
        kind: which.
        people: those who may be told.
        base: what the house settled; `until` is now.

    Returns:
        Notices written; none where nothing is new.
    """
    now = base.until
    # looked at for the first time, nobody hears what was done long before
    Look.objects.get_or_create(kind=kind.key, defaults={"until": now})
    look = Look.objects.select_for_update().get(kind=kind.key)
    since = look.until - (BACK if kind.lasting else OVERLAP)
    _end(kind, base)
    made = 0
    for group in _batches(_new(kind, people, replace(base, since=since))):
        made += _write(kind, group, base, look.until - OVERLAP)
    if look.until < now:
        Look.objects.filter(pk=look.pk).update(until=now)
    return made


def _new(kind: Kind, people: People, looked: Span) -> Iterator[Addressed]:
    """What nobody was told of; of what lasts, the newest occasion of a subject alone."""
    found: dict[tuple[int, int, str], Addressed] = {}
    for each in people.told(kind, kind.happened(looked)):
        one = (each.person.user.pk, each.happening.subject)
        key = (*one, "" if kind.lasting else each.happening.key)
        if key not in found or found[key].happening.at < each.happening.at:
            found[key] = each
    known = set(
        Notice.objects.filter(kind=kind.key, at__gt=looked.since).values_list(
            "user_id", "subject", "occasion"
        )
    )
    left = [each for each in found.values() if _key(each) not in known]
    # the same occasion may have had another time, before a grace was changed, say
    for group in _batches(left):
        subjects = {each.happening.subject for each in group}
        known = set(
            Notice.objects.filter(kind=kind.key, subject__in=subjects).values_list(
                "user_id", "subject", "occasion"
            )
        )
        yield from (each for each in group if _key(each) not in known)


def _key(each: Addressed) -> tuple[int, int, str]:
    return (each.person.user.pk, each.happening.subject, each.happening.key)


def _write(kind: Kind, found: Sequence[Addressed], base: Span, last: datetime) -> int:
    """The notices with their e-mails; what is over by now is written as such and not sent.

    Of what is over, only what came since the last look (a worker was down): nobody waits for more.
    """
    now = base.until
    asked = [
        Told(number, each.happening.subject, each.happening.key, each.person.user.pk, each.by_name)
        for number, each in enumerate(found)
    ]
    over = kind.over(asked, base)
    kept = [
        (each, over.get(number, ""))
        for number, each in enumerate(found)
        if number not in over or each.happening.at > last
    ]
    rows = [_row(kind, each, why, now) for each, why in kept]
    if kind.lasting:
        _supersede(kind, rows, now)
    mailed = [
        (row, each)
        for row, (each, _) in zip(rows, kept, strict=True)
        if each.way == Way.EMAIL and not row.ended_because
    ]
    posts = [
        outbox.Post(
            user_id=row.user_id,
            letter=NOTICE,
            occasion=f"{row.kind}:{row.subject}:{row.occasion}",
            text=row.title,
            path=row.path,
            due_at=each.person.next_moment(now, urgent=kind.urgent),
            urgent=kind.urgent,
        )
        for row, each in mailed
    ]
    for (row, _), message in zip(mailed, outbox.post(posts, now), strict=True):
        row.message = message
    Notice.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def _row(kind: Kind, each: Addressed, over: str, now: datetime) -> Notice:
    happening = each.happening
    return Notice(
        user=each.person.user,
        kind=kind.key,
        subject=happening.subject,
        occasion=happening.key,
        by_name=each.by_name,
        title=" ".join(happening.title.split())[:MAX_TITLE],
        path=happening.path[:MAX_PATH],
        room=happening.room[:MAX_ROOM],
        is_synthetic=happening.synthetic,
        way=each.way,
        at=happening.at,
        told_at=now,
        ended_at=now if over else None,
        ended_because=over,
    )


def _supersede(kind: Kind, rows: Sequence[Notice], now: datetime) -> None:
    """A person has one notice of a subject that lasts: the newest."""
    pairs = {(row.user_id, row.subject) for row in rows}
    standing = Notice.objects.filter(
        kind=kind.key, ended_at=None, subject__in={row.subject for row in rows}
    )
    before = [
        pk
        for pk, user, subject in standing.values_list("pk", "user_id", "subject")
        if (user, subject) in pairs
    ]
    Notice.objects.filter(pk__in=before).update(ended_at=now, ended_because=AGAIN)


def _end(kind: Kind, base: Span) -> None:
    """End the kind's notices that are no longer true, a batch at a time."""
    if not kind.lasting:
        return
    last = 0
    standing = Notice.objects.filter(kind=kind.key, ended_at=None).order_by("pk")
    while True:
        rows = list(
            standing.filter(pk__gt=last).values_list(
                "pk", "subject", "occasion", "user_id", "by_name"
            )[:BATCH]
        )
        if not rows:
            return
        last = rows[-1][0]
        by_why: dict[str, list[int]] = defaultdict(list)
        for pk, why in kind.over([Told(*row) for row in rows], base).items():
            by_why[why].append(pk)
        for why, pks in by_why.items():
            Notice.objects.filter(pk__in=pks).update(ended_at=base.until, ended_because=why[:200])
