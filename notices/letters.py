"""The e-mails of this room, written when they are sent: one notice, or the day's digest."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.permissions import Can, may
from devices import letters
from devices.letters import Letter, Needless
from devices.models import Notification
from devices.notice_kinds import Way
from devices.notice_kinds import kind as kind_of

from . import people, selectors
from .models import Digest, Notice
from .selectors import DigestText

NOTICE: Final = "notice"
DIGEST: Final = "digest"
SHOWN: Final = 50  # lines of a section; the page has the rest
_SETTINGS_PATH: Final = "/notices/settings/"


def connect() -> None:
    """Have them written; called once, when the room is ready."""
    letters.register(NOTICE, "notice of maintenance", notice)
    letters.register(DIGEST, "digest of maintenance", digest)


def _made_up(line: str, *, synthetic: bool) -> str:
    return f"[synthetic] {line}" if synthetic else line


def notice(row: Notification, now: datetime) -> Letter | Needless:
    """One notice, if it is still true, wanted and not read."""
    found = Notice.objects.select_related("user").filter(message=row).first()
    kind = kind_of(found.kind) if found else None
    if found is None or kind is None:
        return Needless("nobody tells of this any more")
    if not may(found.user, kind.needs):
        return Needless("this person may not be told of it any more")
    if people.person(found.user).chosen(kind) != Way.EMAIL:
        return Needless("this person wants no e-mails of it any more")
    if found.read_at is not None:
        return Needless("it was read in the app meanwhile")
    why = found.ended_because or selectors.still_true([found], now).get(found.pk, "")
    if why:
        return Needless(why)
    lines = [
        f"{kind.label[:1].upper()}{kind.label[1:]}.",
        "",
        found.title,
        f"{settings.SITE_URL}{found.path}",
        "",
        f"Who is told of what: {settings.SITE_URL}{_SETTINGS_PATH}",
        "",
    ]
    return Letter(_made_up(found.title, synthetic=found.is_synthetic), "\n".join(lines))


def digest(row: Notification, now: datetime) -> Letter | Needless:
    """The digest as things stand now."""
    found = Digest.objects.select_related("user").filter(message=row).first()
    if found is None or not may(found.user, Can.MAINTENANCE_READ):
        return Needless("this person may not be told of it any more")
    person = people.person(found.user)
    if not person.settings.digest:
        return Needless("this person wants no digest any more")
    text = selectors.digest_of(person, since=found.since, until=found.until, now=now)
    if not text.count and not person.settings.digest_empty:
        return Needless("there is nothing to tell")
    return letter_of(text, found.day.isoformat())


def subject_of(text: DigestText, day: str) -> str:
    """`Maintenance 2026-11-27: 2 overdue, 1 due now`."""
    counts = [f"{len(part.notices)} {part.section.label.lower()}" for part in text.parts]
    line = f"Maintenance {day}: {', '.join(counts) or 'nothing to tell'}"
    return _made_up(line, synthetic=any(row.is_synthetic for p in text.parts for row in p.notices))


def letter_of(text: DigestText, day: str) -> Letter:
    """As plain text and as HTML that needs no style."""
    site = settings.SITE_URL
    lines = [f"As of {timezone.localtime(text.until):%Y-%m-%d %H:%M}.", ""]
    parts = []
    for part in text.parts:
        shown, more = part.notices[:SHOWN], max(0, len(part.notices) - SHOWN)
        lines.append(f"{part.section.label} ({len(part.notices)})")
        for row in shown:
            lines += [f"- {_made_up(row.title, synthetic=row.is_synthetic)}", f"  {site}{row.path}"]
        if more:
            lines.append(f"- and {more} more: {site}/notices/digest/")
        lines.append("")
        parts.append(
            {"label": part.section.label, "count": len(part.notices), "rows": shown, "more": more}
        )
    if not text.parts:
        lines += ["Nothing is overdue, due, coming or waiting for you.", ""]
    lines += [f"All of it: {site}/notices/digest/", f"Settings: {site}{_SETTINGS_PATH}", ""]
    subject = subject_of(text, day)
    context = {"subject": subject, "parts": parts, "site": site, "until": text.until}
    html = render_to_string("notices/digest_email.html", context)
    return Letter(subject, "\n".join(lines), html)
