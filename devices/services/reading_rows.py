"""Many readings of many machines into the table at once; those that are there stay as they are.

The statement that stores a reading also moves what readings come to: the newest one, its five
minutes, its hour and its day of the hospital. Only rows that are new count, so repetition changes
nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from devices.models import Reading
from devices.rollup import Sums, add, five_minutes, hour

Values = Mapping[tuple[int, datetime], float]
_Row = tuple[int, int, datetime, float]  # machine, metric, moment, value

_SUMS = """count(*), sum(value), regr_sxx(value, value), min(value), max(value),
    min(measured_at), max(measured_at) FROM added GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
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
_ROLLUP = f"""INSERT INTO devices_{{table}} AS r (device_id, metric_id, {{step}}, {_COLUMNS})
    {{rows}} ON CONFLICT (device_id, metric_id, {{step}}) {_ADD}"""
# how PostgreSQL names the stretch in which a reading lies
_STEPS = {
    "reading5min": ("starts_at", "date_bin('5 minutes', measured_at, '2000-01-01T00:00:00Z')"),
    "readinghour": ("starts_at", "date_bin('1 hour', measured_at, '2000-01-01T00:00:00Z')"),
    "readingday": ("day", "(measured_at AT TIME ZONE %(zone)s)::date"),
}
_LATEST = """INSERT INTO devices_readinglatest AS r
    (device_id, metric_id, measured_at, value, received_at)
    {rows} ON CONFLICT (device_id, metric_id) DO UPDATE SET
    measured_at = excluded.measured_at, value = excluded.value, received_at = excluded.received_at
    WHERE excluded.measured_at > r.measured_at"""
_OF_ADDED = ", ".join(
    f"{table} AS ({_ROLLUP.format(table=table, step=step, rows=rows)})"
    for table, (step, begin) in _STEPS.items()
    for rows in [f"SELECT device_id, metric_id, {begin}, {_SUMS}"]
)
_LATEST_OF_ADDED = _LATEST.format(
    rows="""SELECT DISTINCT ON (device_id, metric_id)
    device_id, metric_id, measured_at, value, %(received)s::timestamptz
    FROM added ORDER BY device_id, metric_id, measured_at DESC"""
)
_INSERT = f"""
    WITH added AS (
        INSERT INTO devices_reading
            (device_id, metric_id, value, measured_at, received_at, source)
        SELECT device_id, metric_id, value, measured_at, %(received)s, %(source)s
        FROM unnest(%(devices)s::bigint[], %(metrics)s::bigint[], %(values)s::float8[],
            %(moments)s::timestamptz[]) AS r(device_id, metric_id, value, measured_at)
        ON CONFLICT (device_id, metric_id, measured_at) DO NOTHING
        RETURNING device_id, metric_id, value, measured_at
    ), {_OF_ADDED}, latest AS ({_LATEST_OF_ADDED})
    SELECT device_id, count(*) FROM added GROUP BY device_id
"""  # noqa: S608 - constants of this module
_PLACES = "VALUES (" + ", ".join(["%s"] * 10) + ")"


def insert(
    *, values: Mapping[int, Values], source: str, received_at: datetime
) -> Mapping[int, int]:
    """Insert what isn't there, in one statement. Needs the locks of all the machines.

    Args:
        values: by machine's id, then by metric's id and moment.
        source: the door.
        received_at: our time.

    Returns:
        how many that were, by machine's id; those with none are left out.
    """
    rows = [
        (device, metric, moment, value)
        for device, mine in values.items()
        for (metric, moment), value in mine.items()
    ]
    if not rows:
        return {}
    if connection.vendor != "postgresql":
        return _one_by_one(rows, source, received_at)
    # four texts instead of 40,000 parameters, which took half as long again
    arrays = {
        "devices": ",".join(str(device) for device, _, _, _ in rows),
        "metrics": ",".join(str(metric) for _, metric, _, _ in rows),
        "values": ",".join(repr(value) for _, _, _, value in rows),
        "moments": ",".join(moment.isoformat() for _, _, moment, _ in rows),
    }
    given: dict[str, Any] = {
        "received": received_at,
        "source": source,
        "zone": timezone.get_default_timezone_name(),
        **{name: f"{{{text}}}" for name, text in arrays.items()},
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, given)
        return dict(cursor.fetchall())


def _one_by_one(rows: list[_Row], source: str, received_at: datetime) -> Counter[int]:
    """SQLite has no such statement: what is there is looked up, the sums are made here."""
    moments = [moment for _, _, moment, _ in rows]
    known = set(
        Reading.objects.filter(
            device__in={device for device, _, _, _ in rows},
            metric__in={metric for _, metric, _, _ in rows},
            measured_at__gte=min(moments),
            measured_at__lte=max(moments),
        ).values_list("device_id", "metric_id", "measured_at")
    )
    added = [row for row in rows if row[:3] not in known]
    Reading.objects.bulk_create(
        [
            Reading(
                device_id=device,
                metric_id=metric,
                value=value,
                measured_at=moment,
                received_at=received_at,
                source=source,
            )
            for device, metric, moment, value in added
        ],
        batch_size=2_000,
    )
    _roll_up(added, received_at)
    return Counter(device for device, _, _, _ in added)


def _roll_up(added: Iterable[_Row], received_at: datetime) -> None:
    zone = timezone.get_default_timezone()
    stretches: dict[str, dict[tuple[int, int, str], list[tuple[datetime, float]]]] = {
        table: defaultdict(list) for table in _STEPS
    }
    newest: dict[tuple[int, int], tuple[datetime, float]] = {}
    for device, metric, moment, value in added:
        begins = {
            "reading5min": _text(five_minutes(moment)),
            "readinghour": _text(hour(moment)),
            "readingday": moment.astimezone(zone).date().isoformat(),
        }
        for table, begin in begins.items():
            stretches[table][device, metric, begin].append((moment, value))
        newest[device, metric] = max(newest.get((device, metric), (moment, value)), (moment, value))
    with connection.cursor() as cursor:
        for table, parts in stretches.items():
            statement = _ROLLUP.format(table=table, step=_STEPS[table][0], rows=_PLACES)
            cursor.executemany(statement, [[*key, *_columns(add(p))] for key, p in parts.items()])
        cursor.executemany(
            _LATEST.format(rows="VALUES (%s, %s, %s, %s, %s)"),
            [
                [*key, _text(moment), value, _text(received_at)]
                for key, (moment, value) in newest.items()
            ],
        )


def _columns(sums: Sums) -> list[Any]:
    ends = [_text(sums.first_at), _text(sums.last_at)]
    return [sums.n, sums.total, sums.m2, sums.low, sums.high, *ends]


def _text(moment: datetime) -> str:
    """As the database keeps it."""
    return str(connection.ops.adapt_datetimefield_value(moment.astimezone(UTC)))
