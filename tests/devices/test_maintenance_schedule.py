"""Recurrence rules: RFC 5545 over days, capped, and in words."""

from __future__ import annotations

import itertools
import time
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule as du
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices import schedule
from devices.schedule import between, every_n_months, every_n_months_on, every_n_weeks, parse
from devices.schedule_words import ordinal, sentence
from twinhealth.errors import InvalidInputError

START = date(2026, 1, 15)


def first(rule: schedule.Rule, starts_on: date, count: int) -> list[date]:
    return list(itertools.islice(schedule.occurrences(rule, starts_on), count))


def refused(text: str) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        schedule.validate(text, START)
    return caught.value


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("FREQ=SECONDLY", "FREQ"),
        ("FREQ=MINUTELY;INTERVAL=1440", "FREQ"),
        ("FREQ=HOURLY", "FREQ"),
        ("FREQ=DAILY;BYHOUR=0,1,2,3", "BYHOUR"),
        ("FREQ=DAILY;BYMINUTE=0", "BYMINUTE"),
        ("FREQ=DAILY;BYSECOND=0,1", "BYSECOND"),
        ("FREQ=DAILY;COUNT=1000000", "COUNT"),
        ("FREQ=DAILY;COUNT=99999999999999999999", "COUNT"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=5;UNTIL=20300101", "COUNT"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL"),
        ("FREQ=MONTHLY;INTERVAL=121", "INTERVAL"),
        ("FREQ=YEARLY;INTERVAL=11", "INTERVAL"),
        ("FREQ=YEARLY;BYEASTER=0", "BYEASTER"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=1.5", "BYMONTHDAY"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY"),
        ("FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=54MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=XX", "BYDAY"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "BYYEARDAY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS"),
        ("FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 40))), "BYYEARDAY"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20260231", "UNTIL"),
        ("FREQ=DAILY;WKST=XX", "WKST"),
        ("FREQ=DAILY;FREQ=WEEKLY", "FREQ"),
        ("FREQ=DAILY\nDTSTART=20260101", "FREQ"),
        ("DTSTART:20260101T000000\nRRULE:FREQ=DAILY", "syntax"),
        ("every month", "syntax"),
        ("FREQ=", "syntax"),
        ("", "syntax"),
        ("INTERVAL=3", "FREQ"),
        ("FREQ=DAILY;" + "X" * 300, "length"),
    ],
)
def test_a_rule_that_costs_too_much_or_says_nothing_is_refused(text: str, part: str) -> None:
    error = refused(text)
    assert error.code == "rrule_invalid"
    assert error.extra["part"] == part
    assert error.message.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29;UNTIL=20270101",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",  # the start is a Thursday
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=DAILY;UNTIL=20260114",
    ],
)
def test_a_rule_that_never_happens_is_refused_and_soon(text: str) -> None:
    began = time.perf_counter()
    assert refused(text).code == "rrule_never"
    # dateutil alone follows it to the year 9999: seconds, and tens of them on a slow machine
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("year", [1, 1989, 2101, 9999])
def test_a_start_outside_the_calendar_is_refused(year: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        schedule.validate("FREQ=DAILY", date(year, 1, 1))
    assert caught.value.code == "starts_on_out_of_range"


def test_one_spelling_per_rule() -> None:
    rule = parse(" rrule:freq=monthly;bymonthday=15;interval=3;wkst=MO ")
    assert str(rule) == "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15"
    assert str(parse("FREQ=WEEKLY;BYDAY=FR,MO,FR")) == "FREQ=WEEKLY;BYDAY=MO,FR"
    assert str(parse("FREQ=MONTHLY;BYDAY=+1MO,-1FR;")) == "FREQ=MONTHLY;BYDAY=-1FR,1MO"


def test_month_end() -> None:
    # a plain 31st leaves short months out; the helper doesn't
    plain = parse("FREQ=MONTHLY;BYMONTHDAY=31")
    assert first(plain, date(2026, 1, 31), 3) == [
        date(2026, 1, 31), date(2026, 3, 31), date(2026, 5, 31),
    ]  # fmt: skip
    assert schedule.skipped_day(plain, START) == 31
    assert schedule.skipped_day(parse("FREQ=MONTHLY"), date(2026, 1, 30)) == 30
    assert schedule.skipped_day(parse("FREQ=MONTHLY"), START) is None
    half_yearly = parse("FREQ=MONTHLY;INTERVAL=6")  # May and November have a 29th and a 30th
    assert schedule.skipped_day(half_yearly, date(2026, 11, 30)) is None
    assert schedule.skipped_day(half_yearly, date(2026, 5, 31)) == 31
    assert schedule.skipped_day(half_yearly, date(2026, 8, 29)) == 29  # February
    assert schedule.skipped_day(parse("FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=1,3"), START) is None
    assert schedule.skipped_day(parse("FREQ=MONTHLY;BYMONTHDAY=15,31"), START) is None
    last = every_n_months(1, day=31)
    assert str(last) == "FREQ=MONTHLY;BYMONTHDAY=-1"
    assert schedule.skipped_day(last, START) is None
    assert first(last, date(2028, 1, 31), 4) == [
        date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30),
    ]  # fmt: skip
    thirtieth = every_n_months(1, day=30)
    assert first(thirtieth, date(2027, 1, 1), 3) == [
        date(2027, 1, 30), date(2027, 2, 28), date(2027, 3, 30),
    ]  # fmt: skip


def test_leap_day() -> None:
    rule = parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")
    assert first(rule, date(2026, 1, 1), 2) == [date(2028, 2, 29), date(2032, 2, 29)]
    # 2100 is no leap year
    assert schedule.next_after(rule, date(2090, 1, 1), date(2096, 2, 29)) == date(2104, 2, 29)


def test_first_monday_and_last_friday() -> None:
    assert first(every_n_months_on(1, nth=1, weekday=0), date(2026, 1, 1), 3) == [
        date(2026, 1, 5), date(2026, 2, 2), date(2026, 3, 2),
    ]  # fmt: skip
    assert first(every_n_months_on(3, nth=-1, weekday=4), date(2026, 1, 1), 2) == [
        date(2026, 1, 30), date(2026, 4, 24),
    ]  # fmt: skip


def test_weeks() -> None:
    assert first(every_n_weeks(2, weekday=1), date(2026, 1, 1), 3) == [
        date(2026, 1, 13), date(2026, 1, 27), date(2026, 2, 10),
    ]  # fmt: skip
    assert first(every_n_weeks(1), START, 2) == [START, START + timedelta(7)]


@pytest.mark.parametrize(
    ("zone", "last"),
    [
        ("Europe/Berlin", date(2026, 4, 1)),
        ("America/New_York", date(2026, 3, 31)),
        ("UTC", date(2026, 3, 31)),
    ],
)
def test_an_end_in_utc_is_a_day_of_the_hospitals_zone(zone: str, last: date) -> None:
    rule = parse("FREQ=DAILY;UNTIL=20260331T223000Z", zone=ZoneInfo(zone))
    assert rule.until == last
    assert between(rule, date(2026, 3, 28), date(2026, 3, 28), date(2026, 5, 1))[-1] == last


def test_daylight_saving_moves_no_day() -> None:
    # clocks change on 29 March and 25 October 2026 in Europe
    rule = parse("FREQ=DAILY", zone=ZoneInfo("Europe/Berlin"))
    days = between(rule, date(2026, 3, 1), date(2026, 3, 27), date(2026, 3, 31))
    assert [day.day for day in days] == [27, 28, 29, 30, 31]


def test_next_and_last() -> None:
    rule = every_n_months(3, day=15)
    assert schedule.next_from(rule, START, START) == START
    assert schedule.next_after(rule, START, START) == date(2026, 4, 15)
    assert schedule.last_until(rule, START, date(2026, 7, 14)) == date(2026, 4, 15)
    assert schedule.last_until(rule, START, date(2026, 1, 14)) is None
    ended = parse("FREQ=MONTHLY;COUNT=2")
    assert schedule.next_after(ended, START, date(2026, 2, 15)) is None
    assert between(ended, START, START, date(2030, 1, 1)) == [START, date(2026, 2, 15)]


def test_an_end_beyond_the_calendar_is_no_end() -> None:
    rule = parse("FREQ=YEARLY;UNTIL=99991231")
    assert len(first(rule, START, 50)) == 50


@pytest.mark.parametrize(
    "call",
    [
        lambda: every_n_months(0),
        lambda: every_n_months(121),
        lambda: every_n_months(1, day=0),
        lambda: every_n_months(1, day=32),
        lambda: every_n_months(1, day=-2),
        lambda: every_n_months_on(1, nth=5, weekday=0),
        lambda: every_n_months_on(1, nth=1, weekday=7),
        lambda: every_n_weeks(523),
        lambda: every_n_weeks(1, weekday=-1),
    ],
)
def test_helpers_refuse_what_is_no_rule(call: object) -> None:
    with pytest.raises(InvalidInputError):
        call()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (every_n_months(3, day=15), "every 3 months on the 15th"),
        (every_n_months(1, day=31), "every month on the last day of the month"),
        (every_n_months(1, day=30), "every month on the 30th, or the last day of a shorter month"),
        (every_n_months(6), "every 6 months on the 15th"),
        (every_n_months_on(1, nth=1, weekday=0), "every month on the first Monday"),
        (every_n_months_on(2, nth=-1, weekday=4), "every 2 months on the last Friday"),
        (every_n_weeks(1), "every week on Thursday"),
        (every_n_weeks(2, weekday=0), "every 2 weeks on Monday"),
        (parse("FREQ=WEEKLY;BYDAY=MO,WE,FR"), "every week on Monday, Wednesday and Friday"),
        (parse("FREQ=DAILY;COUNT=1"), "every day once"),
        (parse("FREQ=DAILY;COUNT=3"), "every day 3 times"),
        (parse("FREQ=YEARLY"), "every year on 15 January"),
        (parse("FREQ=YEARLY;BYMONTH=3,9"), "every year on the 15th in March and September"),
        (parse("FREQ=YEARLY;BYYEARDAY=100"), "every year on day 100 of the year"),
        (parse("FREQ=YEARLY;BYWEEKNO=2"), "every year in week 2"),
        (parse("FREQ=MONTHLY;BYMONTHDAY=-3"), "every month on the 3rd last day"),
        (
            parse("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
            "every month on Monday, Tuesday, Wednesday, Thursday and Friday (only the last of these)",
        ),
        (
            parse("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR"),
            "every month on the 13th if it is Friday",
        ),
        (parse("FREQ=DAILY;UNTIL=20270301"), "every day until 1 Mar 2027"),
    ],
)
def test_a_rule_in_words(rule: schedule.Rule, words: str) -> None:
    assert sentence(rule, START) == words


def test_without_a_start_the_day_is_left_open() -> None:
    assert sentence(every_n_months(3)) == "every 3 months"


def test_ordinals() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st",
    ]  # fmt: skip


def days(top: int) -> st.SearchStrategy[list[int]]:
    number = st.integers(1, top) | st.integers(-top, -1)
    return st.lists(number, max_size=3)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule that RFC 5545 allows, as people might write it."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 10))}"]
    weekdays = draw(st.lists(st.sampled_from(schedule.WEEKDAYS), max_size=3))
    if weekdays:
        nth = draw(st.sampled_from(["", "1", "-1"])) if freq in {"MONTHLY", "YEARLY"} else ""
        parts.append("BYDAY=" + ",".join(nth + day for day in weekdays))
    monthdays = [] if freq == "WEEKLY" else draw(days(31))
    if monthdays:
        parts.append("BYMONTHDAY=" + ",".join(map(str, monthdays)))
    months = draw(st.lists(st.integers(1, 12), max_size=3))
    if months:
        parts.append("BYMONTH=" + ",".join(map(str, months)))
    if (weekdays or monthdays or months) and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from([1, 2, -1]))}")
    ending = draw(st.sampled_from(["", "COUNT=4", "UNTIL=20311231"]))
    return ";".join([*parts, ending] if ending else parts)


starts = st.dates(date(1995, 1, 1), date(2095, 1, 1))


@settings(deadline=None)
@given(rules(), starts, st.integers(-40, 4_000))
def test_leaving_out_what_was_before_changes_nothing_after(
    text: str, starts_on: date, later: int
) -> None:
    try:
        rule = schedule.validate(text, starts_on)
    except InvalidInputError:
        return
    since = starts_on + timedelta(days=later)
    after = (day for day in schedule.occurrences(rule, starts_on) if day >= since)
    near = (day for day in schedule.occurrences(rule, starts_on, since=since) if day >= since)
    assert list(itertools.islice(near, 5)) == list(itertools.islice(after, 5))


def test_the_days_before_are_not_walked_through() -> None:
    rule = parse("FREQ=DAILY;INTERVAL=3;UNTIL=20951231")
    assert next(schedule.occurrences(rule, date(1995, 1, 1), since=date(2090, 1, 1))) >= date(
        2089, 12, 29
    )


@settings(max_examples=60, deadline=None)
@given(rules(), starts)
def test_days_are_those_of_dateutil_without_our_shift(text: str, starts_on: date) -> None:
    rule = parse(text)
    until = starts_on + timedelta(days=3 * 365)
    plain = du.rrulestr(text, dtstart=du.datetime.datetime.combine(starts_on, du.datetime.time()))
    horizon = du.datetime.datetime.combine(until, du.datetime.time())
    # a rule that seldom happens costs dateutil seconds; ask ours first
    ours = between(rule, starts_on, starts_on, until)
    if ours:
        theirs = itertools.islice(plain, len(ours))
        assert ours == [day.date() for day in theirs if day <= horizon]


@settings(max_examples=60, deadline=None)
@given(rules(), starts)
@example("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4", date(2024, 2, 29))
def test_days_are_ordered_unique_and_end(text: str, starts_on: date) -> None:
    rule = parse(text)
    found = first(rule, starts_on, 6)
    assert found == sorted(set(found))
    assert all(day >= starts_on for day in found)
    if rule.count:
        assert len(found) <= rule.count
    if rule.until:
        assert all(day <= rule.until for day in found)
    for each, following in itertools.pairwise(found):
        assert schedule.next_after(rule, starts_on, each) == following
        assert schedule.last_until(rule, starts_on, following - timedelta(1)) == each


@settings(max_examples=80, deadline=None)
@given(rules())
def test_writing_and_reading_again_is_the_same(text: str) -> None:
    rule = parse(text)
    assert parse(str(rule)) == rule
    assert str(parse(str(rule))) == str(rule)
    assert sentence(rule)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80) | st.from_regex(r"(FREQ|BYDAY|COUNT|UNTIL|X)=[A-Z0-9,;=+-]{0,30}"))
def test_any_text_is_a_rule_or_is_refused(text: str) -> None:
    try:
        rule = parse(text)
    except InvalidInputError as error:
        assert error.code == "rrule_invalid"  # noqa: PT017 - anything else fails by itself
    else:
        assert parse(str(rule)) == rule


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 12), st.integers(1, 31), starts)
def test_a_day_of_the_month_never_leaves_a_month_out(n: int, day: int, starts_on: date) -> None:
    found = first(every_n_months(n, day=day), starts_on, 13)
    for each, following in itertools.pairwise(found):
        assert (following.year - each.year) * 12 + following.month - each.month == n
    for each in found:
        is_last = (each + timedelta(1)).month != each.month
        assert each.day == day or (each.day < day and is_last)
