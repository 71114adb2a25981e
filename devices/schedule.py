"""When maintenance is due: recurrence rules (RFC 5545, 3.3.10) over whole days. Pure.

A due date is a day of the hospital's zone, not a moment, so daylight saving can't move it; only
`UNTIL` given as a UTC moment needs the zone. Rules that repeat within a day are refused, and so
is every other way to make a rule that costs much to follow.
"""

from __future__ import annotations

import calendar
import itertools
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from dateutil import rrule as du
from dateutil.relativedelta import relativedelta

from twinhealth.errors import InvalidInputError

MAX_LENGTH = 300
MAX_COUNT = 1_000
MAX_VALUES = 31  # numbers in one BY… part
MAX_SCAN = 20_000  # occurrences looked at for one answer: every day for 54 years
FIRST_YEAR, LAST_YEAR = 1990, 2100  # of a start

# ten years at most between two occurrences
_MAX_INTERVAL = {"DAILY": 3_660, "WEEKLY": 522, "MONTHLY": 120, "YEARLY": 10}
_FREQ: dict[str, Literal[0, 1, 2, 3]] = {
    "DAILY": du.DAILY,
    "WEEKLY": du.WEEKLY,
    "MONTHLY": du.MONTHLY,
    "YEARLY": du.YEARLY,
}
_STEP = {"DAILY": "days", "WEEKLY": "weeks", "MONTHLY": "months", "YEARLY": "years"}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DU_WEEKDAYS = (du.MO, du.TU, du.WE, du.TH, du.FR, du.SA, du.SU)
_BYDAY = re.compile(r"([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU)")
_DATE = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?")
_LIMITS = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
_WITHIN_A_DAY = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND"})
# The Gregorian calendar repeats every 400 years, weekdays included (146,097 days = 20,871 weeks).
# dateutil follows a rule that never happens to the year 9999; started late, it ends soon.
_CYCLE = 400
_ROOM = 150


@dataclass(frozen=True, slots=True)
class Rule:
    """A checked recurrence rule; `str(rule)` writes it in one fixed order."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: date | None = None  # last day, included
    byday: tuple[tuple[int, int], ...] = ()  # (nth or 0, weekday with Monday = 0)
    bymonthday: tuple[int, ...] = ()
    bymonth: tuple[int, ...] = ()
    byyearday: tuple[int, ...] = ()
    byweekno: tuple[int, ...] = ()
    bysetpos: tuple[int, ...] = ()
    wkst: int = 0

    def __str__(self) -> str:
        parts = [f"FREQ={self.freq}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={self.until:%Y%m%d}")
        if self.byday:
            days = (f"{nth or ''}{WEEKDAYS[day]}" for nth, day in self.byday)
            parts.append(f"BYDAY={','.join(days)}")
        for name in ("bymonthday", "bymonth", "byyearday", "byweekno", "bysetpos"):
            numbers = getattr(self, name)
            if numbers:
                parts.append(f"{name.upper()}={','.join(map(str, numbers))}")
        if self.wkst:
            parts.append(f"WKST={WEEKDAYS[self.wkst]}")
        return ";".join(parts)


def parse(text: str, *, zone: tzinfo = UTC) -> Rule:
    """Read and check a rule.

    Args:
        text: an RFC 5545 recurrence rule, with or without `RRULE:` in front.
        zone: the hospital's, for an `UNTIL` given in UTC.

    Raises:
        InvalidInputError: `rrule_invalid` with the part concerned.
    """
    if len(text) > MAX_LENGTH:
        raise _bad("length", f"The rule is longer than {MAX_LENGTH} characters.")
    parts = _parts(text.strip().upper().removeprefix("RRULE:"))
    freq = parts.pop("FREQ", "")
    if freq not in _FREQ:
        raise _bad("FREQ", "The rule needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY; not more often.")
    rule = Rule(
        freq=freq,
        interval=_number("INTERVAL", parts.pop("INTERVAL", "1"), _MAX_INTERVAL[freq]),
        count=_number("COUNT", parts.pop("COUNT"), MAX_COUNT) if "COUNT" in parts else None,
        until=_until(parts.pop("UNTIL"), zone) if "UNTIL" in parts else None,
        byday=_byday(parts.pop("BYDAY", "")),
        wkst=_weekday("WKST", parts.pop("WKST", "MO")),
        **{name.lower(): _numbers(name, parts.pop(name, "")) for name in _LIMITS},
    )
    if parts:
        name = min(parts)
        raise _bad(name, f"{name} isn't a part of a maintenance rule.")
    _check_together(rule)
    return rule


def validate(text: str, starts_on: date, *, zone: tzinfo = UTC) -> Rule:
    """Read a rule and see that it happens at least once from its start.

    Raises:
        InvalidInputError: `rrule_invalid`, `starts_on_out_of_range`, `rrule_never`.
    """
    rule = parse(text, zone=zone)
    if not FIRST_YEAR <= starts_on.year <= LAST_YEAR:
        raise InvalidInputError(
            "starts_on_out_of_range", f"The start must lie between {FIRST_YEAR} and {LAST_YEAR}."
        )
    if next(occurrences(rule, starts_on), None) is None:
        raise InvalidInputError(
            "rrule_never", "This rule never falls on any day from its start on. Check its parts."
        )
    return rule


def _late_start(rule: Rule, starts_on: date, since: date) -> date:
    """A start not after `since` from which the rule goes on as from its own.

    Days and weeks are stepped over whole; months and years have few due dates to look at.
    """
    steps = {"DAILY": rule.interval, "WEEKLY": 7 * rule.interval}
    step = steps.get(rule.freq)
    if step is None or rule.count is not None or since <= starts_on:
        return starts_on
    return starts_on + timedelta(days=(since - starts_on).days // step * step)


def occurrences(rule: Rule, starts_on: date, *, since: date | None = None) -> Iterator[date]:
    """Due dates from the start on, in order; the start itself only if the rule names it.

    Args:
        rule: how they repeat.
        starts_on: where it starts to count.
        since: due dates before this day may be left out.
    """
    if since is not None:
        starts_on = _late_start(rule, starts_on, since)
    shift = (date.max.year - _ROOM - starts_on.year) // _CYCLE * _CYCLE
    until = rule.until
    if until is not None:
        if until < starts_on:
            return
        last = date.max.year - shift  # an end later than that is no end
        until = until.replace(year=until.year + shift) if until.year <= last else None
    days = du.rrule(
        _FREQ[rule.freq],
        dtstart=datetime.combine(starts_on.replace(year=starts_on.year + shift), time.min),
        interval=rule.interval,
        count=rule.count,
        until=datetime.combine(until, time.min) if until else None,
        wkst=_DU_WEEKDAYS[rule.wkst],
        byweekday=[_DU_WEEKDAYS[day](nth) if nth else _DU_WEEKDAYS[day] for nth, day in rule.byday]
        or None,
        bymonthday=rule.bymonthday or None,
        bymonth=rule.bymonth or None,
        byyearday=rule.byyearday or None,
        byweekno=rule.byweekno or None,
        bysetpos=rule.bysetpos or None,
    )
    for day in itertools.islice(days, MAX_SCAN):
        yield day.date().replace(year=day.year - shift)


def between(rule: Rule, starts_on: date, first: date, last: date) -> list[date]:
    """Due dates from `first` to `last`, both included."""
    found = itertools.takewhile(lambda day: day <= last, occurrences(rule, starts_on, since=first))
    return [day for day in found if day >= first]


def next_from(rule: Rule, starts_on: date, day: date) -> date | None:
    """The first due date on or after a day; `None` when the rule has ended."""
    ahead = occurrences(rule, starts_on, since=day)
    return next((found for found in ahead if found >= day), None)


def next_after(rule: Rule, starts_on: date, day: date) -> date | None:
    """The first due date after a day; `None` when the rule has ended."""
    ahead = occurrences(rule, starts_on, since=day)
    return next((found for found in ahead if found > day), None)


def last_until(rule: Rule, starts_on: date, day: date) -> date | None:
    """The latest due date on or before a day; `None` when there was none yet."""
    past = itertools.takewhile(lambda each: each <= day, occurrences(rule, starts_on))
    return next(iter(deque(past, maxlen=1)), None)


def check_floating(rule: Rule) -> Rule:
    """A rule that can be counted from any day: how often, and nothing else.

    Raises:
        InvalidInputError: `rrule_invalid`.
    """
    if replace(rule, wkst=0) != Rule(rule.freq, interval=rule.interval):
        raise _bad(
            "floating",
            "What is counted from when it was last done has FREQ and INTERVAL alone: "
            "no day of the month or week, no end.",
        )
    return rule


def after(rule: Rule, day: date) -> date:
    """The day one interval after another; a day that the month lacks is its last one."""
    step = _STEP[rule.freq]
    return day + relativedelta(**{step: rule.interval})  # type: ignore[arg-type]


def every_n_months(n: int, *, day: int | None = None) -> Rule:
    """Every `n` months, on the start's day or on a given one.

    Args:
        n: months between two due dates.
        day: of the month, 1 to 31, or -1 for the last. A day that short months lack falls on
            their last day instead of being left out.
    """
    _number("INTERVAL", str(n), _MAX_INTERVAL["MONTHLY"])
    rule = Rule("MONTHLY", interval=n)
    if day is None:
        return rule
    if day in {-1, 31}:
        return replace(rule, bymonthday=(-1,))
    if not 1 <= day <= 31:
        raise _bad("BYMONTHDAY", "The day of the month is 1 to 31.")
    if day > 28:  # the latest of those that the month has
        return replace(rule, bymonthday=tuple(range(28, day + 1)), bysetpos=(-1,))
    return replace(rule, bymonthday=(day,))


def every_n_months_on(n: int, *, nth: int, weekday: int) -> Rule:
    """Every `n` months on the nth (1 to 4, or -1 the last) weekday (Monday = 0)."""
    _number("INTERVAL", str(n), _MAX_INTERVAL["MONTHLY"])
    if nth not in {1, 2, 3, 4, -1} or not 0 <= weekday <= 6:
        raise _bad("BYDAY", "Choose the first to fourth or the last weekday of the month.")
    return Rule("MONTHLY", interval=n, byday=((nth, weekday),))


def every_n_weeks(n: int, *, weekday: int | None = None) -> Rule:
    """Every `n` weeks, on the start's weekday or on a given one (Monday = 0)."""
    _number("INTERVAL", str(n), _MAX_INTERVAL["WEEKLY"])
    if weekday is not None and not 0 <= weekday <= 6:
        raise _bad("BYDAY", "A weekday is Monday to Sunday.")
    return Rule("WEEKLY", interval=n, byday=() if weekday is None else ((0, weekday),))


def skipped_day(rule: Rule, starts_on: date) -> int | None:
    """The day of the month (29 to 31) for whose lack the rule leaves months out, if any."""
    if rule.freq != "MONTHLY" or rule.bysetpos or rule.byday:
        return None
    days = rule.bymonthday or (starts_on.day,)
    if min(days) <= 28:  # counted from the end, or in every month
        return None
    months = {(starts_on.month - 1 + step * rule.interval) % 12 + 1 for step in range(12)}
    visited = months & set(rule.bymonth) if rule.bymonth else months
    # 2026 is no leap year
    short = [month for month in visited if calendar.monthrange(2026, month)[1] < min(days)]
    return min(days) if short else None


def _bad(part: str, message: str) -> InvalidInputError:
    return InvalidInputError("rrule_invalid", message, part=part)


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in text.removesuffix(";").split(";"):
        name, equals, value = piece.partition("=")
        if not equals or not value or not name.isascii() or not name.isalpha():
            raise _bad("syntax", "A rule reads NAME=VALUE;NAME=VALUE, as in FREQ=MONTHLY.")
        if name in parts:
            raise _bad(name, f"{name} stands in the rule twice.")
        if name in _WITHIN_A_DAY:
            raise _bad(name, f"{name}: maintenance is due on days, not at times of a day.")
        parts[name] = value
    return parts


def _number(name: str, text: str, top: int) -> int:
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not 1 <= int(text) <= top:
        raise _bad(name, f"{name} is a whole number from 1 to {top}.")
    return int(text)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    if not text:
        return ()
    top = _LIMITS[name]
    low = 1 if name == "BYMONTH" else -top
    found: list[int] = []
    for piece in text.split(","):
        if not re.fullmatch(r"[+-]?\d{1,3}", piece, re.ASCII):
            raise _bad(name, f"{name} is a list of whole numbers.")
        number = int(piece)
        if number == 0 or not low <= number <= top:
            raise _bad(name, f"{name} takes numbers up to {top}, not 0.")
        found.append(number)
    if len(found) > MAX_VALUES:
        raise _bad(name, f"{name} takes at most {MAX_VALUES} numbers.")
    return tuple(sorted(set(found)))


def _weekday(name: str, text: str) -> int:
    if text not in WEEKDAYS:
        raise _bad(name, f"{name} is one of {', '.join(WEEKDAYS)}.")
    return WEEKDAYS.index(text)


def _byday(text: str) -> tuple[tuple[int, int], ...]:
    if not text:
        return ()
    found: set[tuple[int, int]] = set()
    for piece in text.split(","):
        match = _BYDAY.fullmatch(piece)
        nth = int(match[1] or 0) if match else 99
        if match is None or abs(nth) > 53:
            raise _bad("BYDAY", "BYDAY takes weekdays as in MO or 1MO (the first) or -1FR.")
        found.add((nth, WEEKDAYS.index(match[2])))
    if len(found) > MAX_VALUES:
        raise _bad("BYDAY", f"BYDAY takes at most {MAX_VALUES} days.")
    return tuple(sorted(found))


def _until(text: str, zone: tzinfo) -> date:
    match = _DATE.fullmatch(text)
    if match is None:
        raise _bad("UNTIL", "UNTIL is a day, as in UNTIL=20271231.")
    day, clock, utc = match.groups()
    try:
        moment = datetime.strptime(day + (clock or "000000"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return moment.astimezone(zone).date() if utc else moment.date()
    except (ValueError, OverflowError) as error:
        raise _bad("UNTIL", "UNTIL isn't a day of the calendar.") from error


def _check_together(rule: Rule) -> None:
    """What RFC 5545 doesn't allow in one rule."""
    if rule.count is not None and rule.until is not None:
        raise _bad("COUNT", "A rule ends by COUNT or by UNTIL, not by both.")
    if any(nth for nth, _ in rule.byday):
        if rule.freq not in {"MONTHLY", "YEARLY"}:
            raise _bad("BYDAY", "The nth weekday needs FREQ=MONTHLY or YEARLY.")
        if rule.byweekno:
            raise _bad("BYDAY", "The nth weekday doesn't go with BYWEEKNO.")
    if rule.bymonthday and rule.freq == "WEEKLY":
        raise _bad("BYMONTHDAY", "BYMONTHDAY doesn't go with FREQ=WEEKLY.")
    if rule.byyearday and rule.freq != "YEARLY":
        raise _bad("BYYEARDAY", "BYYEARDAY needs FREQ=YEARLY.")
    if rule.byweekno and rule.freq != "YEARLY":
        raise _bad("BYWEEKNO", "BYWEEKNO needs FREQ=YEARLY.")
    others = [f.name for f in fields(rule) if f.name.startswith("by") and f.name != "bysetpos"]
    if rule.bysetpos and not any(getattr(rule, name) for name in others):
        raise _bad("BYSETPOS", "BYSETPOS needs another BY… part to choose from.")
