"""Many readings into the table at once; those that are there already stay as they are.

The statement that stores a reading also moves what readings come to: the newest one, its five
minutes and its day of the hospital. Only rows that are new count, so repetition changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from devices.models import Reading
from devices.rollup import Sums, add, five_minutes

Values = Mapping[tuple[int, datetime], float]

_SUMS = """count(*), sum(value), regr_sxx(value, value), min(value), max(value),
    min(measured_at), max(measured_at) FROM added GROUP BY 2, 3 ORDER BY 2, 3"""
_COLUMNS = "n, total, m2, low, high, first_at, last_at"
_APART = "(excluded.total / excluded.n - r.total / r.n)"
# both databases read this; Chan, Golub and LeVeque 1983 for the squares
_ADD = f"""DO UPDATE SET
    n = r.n + excluded.n,
    total = r.total + excluded.total,
    m2 = r.m2 + excluded.m2 + {_APART} * {_APART} * r.n * excluded.n / (r.n + excluded.n),
    low = CASE WHEN excluded.low < r.low THEN excluded.low ELSE r.low END,
    high = CASE WHEN excluded.high > r.high THEN excluded.high ELSE r.high END,
    first_at = CASE WHEN excluded.first_at < r.first_at THEN excluded.first_at
        ELSE r.first_at END,
    last_at = CASE WHEN excluded.last_at > r.last_at THEN excluded.last_at ELSE r.last_at END"""
_FIVE = f"""INSERT INTO devices_reading5min AS r (device_id, metric_id, starts_at, {_COLUMNS})
    {{rows}} ON CONFLICT (device_id, metric_id, starts_at) {_ADD}"""
_DAY = f"""INSERT INTO devices_readingday AS r (device_id, metric_id, day, {_COLUMNS})
    {{rows}} ON CONFLICT (device_id, metric_id, day) {_ADD}"""
_LATEST = """INSERT INTO devices_readinglatest AS r
    (device_id, metric_id, measured_at, value, received_at)
    {rows} ON CONFLICT (device_id, metric_id) DO UPDATE SET
    measured_at = excluded.measured_at, value = excluded.value, received_at = excluded.received_at
    WHERE excluded.measured_at > r.measured_at"""
_FIVE_OF_ADDED = _FIVE.format(
    rows=f"""SELECT %(device)s, metric_id,
    date_bin('5 minutes', measured_at, '2000-01-01T00:00:00Z'), {_SUMS}"""
)
_DAY_OF_ADDED = _DAY.format(
    rows=f"SELECT %(device)s, metric_id, (measured_at AT TIME ZONE %(zone)s)::date, {_SUMS}"
)
_LATEST_OF_ADDED = _LATEST.format(
    rows="""SELECT DISTINCT ON (metric_id)
    %(device)s::bigint, metric_id, measured_at, value, %(received)s::timestamptz
    FROM added ORDER BY metric_id, measured_at DESC"""
)
_INSERT = f"""
    WITH added AS (
        INSERT INTO devices_reading
            (device_id, metric_id, value, measured_at, received_at, source)
        SELECT %(device)s, metric_id, value, measured_at, %(received)s, %(source)s
        FROM unnest(%(metrics)s::bigint[], %(values)s::float8[], %(moments)s::timestamptz[])
            AS r(metric_id, value, measured_at)
        ON CONFLICT (device_id, metric_id, measured_at) DO NOTHING
        RETURNING metric_id, value, measured_at
    ), five AS ({_FIVE_OF_ADDED}), day AS ({_DAY_OF_ADDED}), latest AS ({_LATEST_OF_ADDED})
    SELECT count(*) FROM added
"""  # noqa: S608 - constants of this module
_PLACES = "VALUES (" + ", ".join(["%s"] * 10) + ")"


def insert(*, device_id: int, values: Values, source: str, received_at: datetime) -> int:
    """Insert what isn't there; how many that was. Needs the device's lock.

    Args:
        device_id: whose.
        values: by metric's id and moment.
        source: the door.
        received_at: our time.
    """
    if not values:
        return 0
    if connection.vendor != "postgresql":
        return _one_by_one(device_id, values, source, received_at)
    # three texts instead of 30,000 parameters, which took half as long again
    arrays = {
        "metrics": ",".join(str(metric) for metric, _ in values),
        "values": ",".join(map(repr, values.values())),
        "moments": ",".join(moment.isoformat() for _, moment in values),
    }
    given: dict[str, Any] = {
        "device": device_id,
        "received": received_at,
        "source": source,
        "zone": timezone.get_default_timezone_name(),
        **{name: f"{{{text}}}" for name, text in arrays.items()},
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, given)
        return int(cursor.fetchone()[0])


def _one_by_one(device_id: int, values: Values, source: str, received_at: datetime) -> int:
    """SQLite has no such statement: what is there is looked up, the sums are made here."""
    moments = [moment for _, moment in values]
    known = set(
        Reading.objects.filter(
            device=device_id,
            metric__in={metric for metric, _ in values},
            measured_at__gte=min(moments),
            measured_at__lte=max(moments),
        ).values_list("metric_id", "measured_at")
    )
    added = {key: value for key, value in values.items() if key not in known}
    Reading.objects.bulk_create(
        [
            Reading(
                device_id=device_id,
                metric_id=metric_id,
                value=value,
                measured_at=moment,
                received_at=received_at,
                source=source,
            )
            for (metric_id, moment), value in added.items()
        ],
        batch_size=2_000,
    )
    _roll_up(device_id, added, received_at)
    return len(added)


def _roll_up(device_id: int, added: Values, received_at: datetime) -> None:
    zone = timezone.get_default_timezone()
    five: dict[tuple[int, datetime], list[tuple[datetime, float]]] = defaultdict(list)
    days: dict[tuple[int, str], list[tuple[datetime, float]]] = defaultdict(list)
    newest: dict[int, tuple[datetime, float]] = {}
    for (metric, moment), value in added.items():
        five[metric, five_minutes(moment)].append((moment, value))
        days[metric, moment.astimezone(zone).date().isoformat()].append((moment, value))
        newest[metric] = max(newest.get(metric, (moment, value)), (moment, value))

    def row(metric: int, step: str, sums: Sums) -> list[Any]:
        return [
            *(device_id, metric, step, sums.n, sums.total, sums.m2, sums.low, sums.high),
            *(_text(sums.first_at), _text(sums.last_at)),
        ]

    with connection.cursor() as cursor:
        cursor.executemany(
            _FIVE.format(rows=_PLACES),
            [row(metric, _text(step), add(part)) for (metric, step), part in five.items()],
        )
        cursor.executemany(
            _DAY.format(rows=_PLACES),
            [row(metric, day, add(part)) for (metric, day), part in days.items()],
        )
        cursor.executemany(
            _LATEST.format(rows="VALUES (%s, %s, %s, %s, %s)"),
            [
                [device_id, metric, _text(moment), value, _text(received_at)]
                for metric, (moment, value) in newest.items()
            ],
        )


def _text(moment: datetime) -> str:
    """As the database keeps it."""
    return str(connection.ops.adapt_datetimefield_value(moment.astimezone(UTC)))
