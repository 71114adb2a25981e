"""A recurrence rule as people say it: `every 3 months on the 15th`. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date

from twinhealth.web.ucum import unit_text

from .schedule import Rule

_UNIT = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}


def sentence(rule: Rule, starts_on: date | None = None) -> str:
    """The rule in words.

    Args:
        rule: checked.
        starts_on: gives the day that the rule itself doesn't name.
    """
    unit = _UNIT[rule.freq]
    words = [f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"]
    days = _days(rule) or _days_of_start(rule, starts_on)
    if days:
        words.append(days)
    if rule.bymonth:
        words.append(f"in {_listed([calendar.month_name[month] for month in rule.bymonth])}")
    if rule.byweekno:
        words.append(f"in week {_listed([str(week) for week in rule.byweekno])}")
    if rule.count is not None:
        words.append("once" if rule.count == 1 else f"{rule.count} times")
    if rule.until is not None:
        words.append(f"until {rule.until.day} {rule.until:%b %Y}")
    return " ".join(words)


def ordinal(number: int) -> str:
    """`1st`, `22nd`, `13th`; counted from the end: `last`, `2nd last`."""
    if number == -1:
        return "last"
    size = abs(number)
    tail = "th" if 10 <= size % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(size % 10, "th")
    return f"{size}{tail}" if number > 0 else f"{size}{tail} last"


def _days(rule: Rule) -> str:
    top = rule.bymonthday[-1] if rule.bymonthday else 0
    if rule.bysetpos == (-1,) and rule.bymonthday == tuple(range(28, top + 1)) and not rule.byday:
        return f"on the {ordinal(top)}, or the last day of a shorter month"
    words = []
    if rule.bymonthday == (-1,):
        words.append("the last day of the month")
    elif rule.bymonthday:
        days = [f"{ordinal(day)} day" if day < 0 else ordinal(day) for day in rule.bymonthday]
        words.append(f"the {_listed(days)}")
    if rule.byyearday:
        words.append(f"day {_listed([str(day) for day in rule.byyearday])} of the year")
    if rule.byday:
        words.append(_weekdays(rule.byday))
    text = f"on {' if it is '.join(words)}" if words else ""
    if rule.bysetpos and text:
        text += f" (only the {_listed([ordinal(n) for n in rule.bysetpos])} of these)"
    return text


def _weekdays(byday: Sequence[tuple[int, int]]) -> str:
    named = []
    for nth, day in byday:
        word = _NTH.get(nth) or ordinal(nth)
        named.append(f"the {word} {calendar.day_name[day]}" if nth else calendar.day_name[day])
    return _listed(named)


def _days_of_start(rule: Rule, starts_on: date | None) -> str:
    if starts_on is None or rule.byweekno:
        return ""
    if rule.freq == "WEEKLY":
        return f"on {calendar.day_name[starts_on.weekday()]}"
    if rule.freq == "MONTHLY" or (rule.freq == "YEARLY" and rule.bymonth):
        return f"on the {ordinal(starts_on.day)}"
    if rule.freq == "YEARLY":
        return f"on {starts_on.day} {starts_on:%B}"
    return ""


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def floating(rule: Rule) -> str:
    """How often, counted from when it was last done."""
    return f"{sentence(rule)}, counted from when it was last done"


def by_use(every: float, unit: str, label: str) -> str:
    """`every 5,000 exposures (Exposures)`."""
    return f"every {every:,.12g} {unit_text(unit)}".rstrip() + f" of {label}"
