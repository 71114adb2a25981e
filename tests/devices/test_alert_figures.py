"""Figures about our own alerts: recomputed the long way, and each number opens its rows."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry
from devices.alert_figures import percentile
from devices.models import Alert, Device, Notification
from devices.selectors import alert_figures as selectors
from devices.selectors.alerts import AlertFilter, alerts
from tests.devices import factories as f
from twinhealth.errors import InvalidInputError

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
FIRST, LAST = date(2026, 1, 15), date(2026, 4, 10)
SPAN = selectors.Span(FIRST, LAST + DAY)
REASONS = ["repaired", "adjusted", "false_alarm", "cleared", "other"]


@pytest.fixture
def year(db: None, settings: Any) -> list[Alert]:
    """Half a year of alerts by chance on four machines, around the span in another zone."""
    settings.TIME_ZONE = "Europe/Berlin"
    timezone.get_default_timezone.cache_clear()
    made = f.model()
    rules = [f.rule(f.metric(made, key)) for key in ("noise", "heat", "oil")]
    machines = [f.device(made, location=f"R{n % 2}") for n in range(4)]
    dice = random.Random(4)
    rows = []
    for _ in range(220):
        opened = datetime(2025, 12, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(200 * 86400))
        waited = timedelta(seconds=dice.randrange(9000))
        ended = opened + waited + timedelta(seconds=dice.randrange(200_000))
        rows.append(
            Alert(
                device=dice.choice(machines),
                rule=dice.choice(rules),
                severity="act",
                state="resolved",
                message="m",
                value=1,
                since=opened,
                opened_at=opened,
                last_seen_at=opened,
                acknowledged_at=opened + waited if dice.random() < 0.6 else None,
                resolved_at=ended,
                resolve_reason=dice.choice(REASONS),
                recurrences=dice.choice([0, 0, 0, 1, 4]),
                opened_withheld=dice.choice(["", "", "maintenance", "inhibited", "grouped"]),
            )
        )
    for number, row in enumerate(rows[:5]):  # some still stand, at most one a rule and machine
        row.device, row.rule = machines[number % 4], rules[number // 4]
        row.state, row.resolved_at, row.resolve_reason = "open", None, ""
    made_rows = Alert.objects.bulk_create(rows)
    for number, alert in enumerate(made_rows):
        Notification.objects.create(
            alert=alert,
            number=1,
            news="opened",
            severity="act",
            text="m",
            channel="in_app",
            user=f.user() if number == 0 else Notification.objects.earliest("pk").user,
            state="sent" if number % 3 else "dead",
            created_at=alert.opened_at,
        )
    yield made_rows
    timezone.get_default_timezone.cache_clear()


NOW = datetime(2026, 7, 1, tzinfo=UTC)


def in_span(alert: Alert) -> bool:
    return FIRST <= alert.opened_at.astimezone(ZONE).date() <= LAST


def by_hand(rows: list[Alert]) -> dict[str, Any]:
    """The same figures, one loop each."""
    mine = [row for row in rows if in_span(row)]
    acknowledged = sorted(
        (row.acknowledged_at - row.opened_at).total_seconds() for row in mine if row.acknowledged_at
    )
    resolved = sorted(
        (row.resolved_at - row.opened_at).total_seconds() for row in mine if row.resolved_at
    )

    def rank(values: list[float], percent: int) -> float:
        return next(v for v in values if sum(w <= v for w in values) * 100 >= percent * len(values))

    pairs: dict[tuple[int, int], int] = {}
    for row in mine:
        key = (row.device_id, row.rule_id)
        pairs[key] = pairs.get(key, 0) + 1 + row.recurrences
    worst = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:10]
    return {
        "alerts": len(mine),
        "recurrences": sum(row.recurrences for row in mine),
        "resolved": len(resolved),
        "action": sum(row.resolve_reason in {"repaired", "adjusted"} for row in mine),
        "acknowledge": (len(acknowledged), rank(acknowledged, 50), rank(acknowledged, 90)),
        "resolve": (len(resolved), rank(resolved, 50), rank(resolved, 90)),
        "stale": sum((row.resolved_at or NOW) - row.opened_at > DAY for row in mine),
        "withheld": {
            word: sum(row.opened_withheld == word for row in mine)
            for word in ("maintenance", "inhibited", "grouped")
        },
        "worst": [(*key, count) for key, count in worst],
        "months": [
            sum(row.opened_at.astimezone(ZONE).month == month for row in mine)
            for month in (1, 2, 3, 4)
        ],
    }


@pytest.mark.parametrize("narrowed", [None, "room", "device"])
def test_every_figure_the_long_way(
    year: list[Alert], narrowed: str | None, django_assert_max_num_queries: Any
) -> None:
    room = "R1" if narrowed == "room" else ""
    device = year[9].device_id if narrowed == "device" else None
    rows = [
        row
        for row in year
        if (not room or row.device.location == room) and device in {None, row.device_id}
    ]
    with django_assert_max_num_queries(5):
        page = selectors.page(SPAN, now=NOW, room=room, device=device)
    got, want = page.figures, by_hand(rows)
    assert (got.alerts, got.recurrences, got.resolved, got.action, got.stale) == tuple(
        want[name] for name in ("alerts", "recurrences", "resolved", "action", "stale")
    )
    for name in ("acknowledge", "resolve"):
        spread = getattr(got, name)
        assert (spread.n, spread.median, spread.p90) == want[name]
    assert got.withheld == want["withheld"]
    assert [(c.device, c.rule, c.times) for c in got.chattering] == want["worst"]
    assert [month.alerts for month in got.months] == want["months"]
    machines = {None: 4, "room": 2, "device": 1}[narrowed]
    days = (LAST - FIRST).days + 1
    assert got.per_device_month == pytest.approx(want["alerts"] / machines / (days / 30.4375))
    assert sum(page.notifications.values()) == want["alerts"]


def test_each_number_opens_its_rows(year: list[Alert]) -> None:
    start, end = SPAN.moments
    got = selectors.page(SPAN, now=NOW).figures

    def listed(**chosen: Any) -> int:
        return alerts(AlertFilter(start=start, end=end, **chosen), now=NOW).count()

    assert listed() == got.alerts
    assert listed(reason="action") == got.action
    assert listed(acknowledged=True) == got.acknowledge.n
    assert listed(state="resolved") == got.resolve.n
    assert listed(stale=True) == got.stale
    for reason, count in got.reasons.items():
        assert listed(reason=reason) == count
    for word, count in got.withheld.items():
        assert listed(withheld=word) == count
    for one in got.chattering:
        found = alerts(AlertFilter(start=start, end=end, device=one.device, rule=one.rule), now=NOW)
        assert sum(1 + row.recurrences for row in found) == one.times
    for month in got.months:
        opens = selectors.Span(month.start, month.end).moments
        assert alerts(AlertFilter(start=opens[0], end=opens[1]), now=NOW).count() == month.alerts


def test_the_page_and_rest_say_the_same(year: list[Alert], client: Client) -> None:
    client.force_login(f.user())
    query = f"?from={FIRST}&to={LAST}"
    body = client.get(f"/api/v1/alerts/figures/{query}").json()
    want = by_hand(year)
    assert (body["alerts"], body["action"], body["first"], body["last"]) == (
        want["alerts"], want["action"], str(FIRST), str(LAST),
    )  # fmt: skip
    assert body["acknowledge"] == dict(
        zip(("n", "median", "p90"), want["acknowledge"], strict=True)
    )
    assert body["chattering"][0]["times"] == want["worst"][0][2]
    page = client.get(f"/alerts/figures/{query}")
    text = page.content.decode()
    assert f'<span class="kpi-value">{want["alerts"]}</span>' in text
    assert "not patient alarms (IEC 60601-1-8)" in text
    # the link behind a number, as REST lists it
    link = f"/api/v1/alerts/{query}&reason=action"
    assert client.get(link).json()["count"] == want["action"]
    html = client.get(f"/alerts/{query}&state=all&reason=action").content.decode()
    assert f"{want['action']} alerts" in html


def test_nothing_is_unknown_not_zero(client: Client) -> None:
    client.force_login(f.user())
    body = client.get("/api/v1/alerts/figures/").json()
    assert (body["alerts"], body["action_share"], body["acknowledge"]["median"]) == (0, None, None)
    assert body["per_device_month"] is None
    assert "unknown" in client.get("/alerts/figures/").content.decode()


def test_the_export_has_no_formulas(client: Client) -> None:
    person = f.user()
    client.force_login(person)
    machine, noise, _ = f.watched_device()
    Device.objects.filter(pk=machine.pk).update(name='=HYPERLINK("http://evil")')
    now = timezone.now()
    Alert.objects.create(
        device=machine, rule=noise.rules.get(), severity="act", message="+1 too much", since=now,
        opened_at=now, last_seen_at=now, value=2,
    )  # fmt: skip
    answer = client.get("/alerts/figures/export/")
    lines = b"".join(answer.streaming_content).decode()
    header, row = csv.reader(io.StringIO(lines.removeprefix("\ufeff")))
    assert header[:2] == ["id", "machine"]
    assert row[1] == '\'=HYPERLINK("http://evil")'
    assert row[-1] == "'+1 too much"
    assert AuditEntry.objects.filter(verb="exported", actor=person).count() == 1


@pytest.mark.parametrize(
    "query", ["from=nonsense", "from=2026-02-01&to=2026-01-01", "from=2010-01-01", "to=9999-12-31"]
)
def test_spans_that_are_none(client: Client, query: str) -> None:
    client.force_login(f.user())
    for address in ("/api/v1/alerts/figures/", "/api/v1/alerts/", "/api/v1/alert-deliveries/"):
        assert client.get(f"{address}?{query}").status_code == 400
    assert client.get(f"/alerts/figures/?{query}").status_code == 400


def test_a_span_with_one_end() -> None:
    span = selectors.span_of(None, date(2026, 3, 1), now=NOW)
    assert (span.start, span.last) == (date(2025, 12, 2), date(2026, 3, 1))
    with pytest.raises(InvalidInputError):
        selectors.span_of(date(1066, 1, 1), None, now=NOW)


@given(
    values=st.lists(st.floats(0, 1e6), min_size=1, max_size=30), share=st.sampled_from([0.5, 0.9])
)
def test_percentiles_are_times_that_occurred(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(v <= found for v in values) >= share * len(values) - 1e-9
    assert sum(v < found for v in values) < share * len(values) + 1e-9
