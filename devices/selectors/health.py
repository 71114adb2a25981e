"""Health as of any moment, for one machine or the fleet, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models import Case, F, FloatField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Least

from devices.health import Health, combine
from devices.models import Device, Reading, Rule
from devices.rules import Limit, Sample, check

from .newest import newest_many

_NO_LOW, _NO_HIGH = -1.7e308, 1.7e308
# SQLite allows an expression 1,000 deep; more failing checks than this take one query more
_TERMS = 200


@dataclass(frozen=True, slots=True)
class Watched:
    """One rule on one machine with the readings that decide it."""

    device_id: int
    limit: Limit
    samples: tuple[Sample, ...]


_FIELDS = (
    "id",
    "name",
    "severity",
    "low",
    "high",
    "hysteresis",
    "for_seconds",
    "min_samples",
    "affects_image",
    "metric_id",
    "metric__key",
    "metric__unit",
    "metric__max_age",
    "metric__device_model_id",
)


def _rules(devices: Sequence[Device], at: datetime) -> list[dict[str, Any]]:
    """Per machine and rule: the newest reading, and the last one that clears the rule.

    Three queries at most for any number of machines, two where every newest reading clears.
    """
    ids = [d.pk for d in devices]
    newest = newest_many(ids, at)
    by_model: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rules = Rule.objects.filter(
        enabled=True, metric__device_model__in={d.model_id for d in devices}
    )
    for rule in rules.values(*_FIELDS):
        by_model[rule["metric__device_model_id"]].append(dict(rule))
    rows, failing = [], []
    for device in devices:
        for rule in by_model.get(device.model_id, ()):
            moment, value = newest.get((device.pk, rule["metric_id"]), (None, None))
            row = {
                **rule,
                "machine": device.pk,
                "newest_at": moment,
                "newest_value": value,
                "cleared_at": moment,
            }
            rows.append(row)
            if value is not None and not _clears(rule, value):
                failing.append(row)
    if failing:
        cleared = _cleared(failing, at)
        for row in failing:
            row["cleared_at"] = cleared.get((row["machine"], row["id"]))
    return rows


def _clears(rule: dict[str, Any], value: float) -> bool:
    low, high, margin = rule["low"], rule["high"], rule["hysteresis"]
    if low is not None and high is not None:
        margin = min(margin, (high - low) / 2)
    return (low is None or value >= low + margin) and (high is None or value <= high - margin)


def _cleared(failing: list[dict[str, Any]], at: datetime) -> dict[tuple[int, int], datetime]:
    """When rules that fail were last cleared, by machine's and rule's id."""
    margin = Case(
        When(
            Q(low__isnull=False) & Q(high__isnull=False),
            then=Least(F("hysteresis"), (F("high") - F("low")) / Value(2.0)),
        ),
        default=F("hysteresis"),
        output_field=FloatField(),
    )
    clear = Reading.objects.filter(
        device=OuterRef("machine"),
        metric=OuterRef("metric_id"),
        measured_at__lte=at,
        value__gte=OuterRef("clear_low"),
        value__lte=OuterRef("clear_high"),
    ).order_by("-measured_at")
    rows = (
        Rule.objects.annotate(
            machine=F("metric__device_model__devices__id"),
            clear_low=Coalesce(F("low") + margin, Value(_NO_LOW)),
            clear_high=Coalesce(F("high") - margin, Value(_NO_HIGH)),
        )
        .filter(pk__in={row["id"] for row in failing}, machine__in={r["machine"] for r in failing})
        .annotate(cleared_at=Subquery(clear.values("measured_at")[:1]))
    )
    return {
        (machine, rule): moment
        for machine, rule, moment in rows.values_list("machine", "pk", "cleared_at")
        if moment is not None
    }


def _limit(row: dict[str, Any]) -> Limit:
    return Limit(
        rule_id=row["id"],
        rule=row["name"],
        metric=row["metric__key"],
        unit=row["metric__unit"],
        severity=row["severity"],
        low=row["low"],
        high=row["high"],
        hysteresis=row["hysteresis"],
        for_seconds=row["for_seconds"],
        min_samples=row["min_samples"],
        affects_image=row["affects_image"],
        max_age=row["metric__max_age"],
    )


def _runs(
    wanted: dict[tuple[int, int], datetime | None], at: datetime
) -> dict[tuple[int, int], list[Sample]]:
    """Readings of each (device, metric) after the given moment; `None`: all of them."""
    found: dict[tuple[int, int], list[Sample]] = defaultdict(list)
    pairs = sorted(wanted.items(), key=lambda item: item[0])
    for start in range(0, len(pairs), _TERMS):
        terms = Q()
        for (device, metric), after in pairs[start : start + _TERMS]:
            term = Q(device=device, metric=metric)
            terms |= term & Q(measured_at__gt=after) if after else term
        rows = Reading.objects.filter(terms, measured_at__lte=at)
        for device, metric, moment, value in rows.values_list(
            "device_id", "metric_id", "measured_at", "value"
        ):
            found[device, metric].append(Sample(moment, value))
    return found


def watched(devices: Sequence[Device], at: datetime) -> list[Watched]:
    """Every enabled rule of the machines with the readings that decide it, up to `at`.

    Readings before the last one that clears a rule can't matter, so a healthy check costs one
    reading; a failing one those since it began. Two queries.
    """
    rows = _rules(devices, at)
    wanted: dict[tuple[int, int], datetime | None] = {}
    for row in rows:
        if not _needs_run(row, at):
            continue
        pair, cleared = (row["machine"], row["metric_id"]), row["cleared_at"]
        if pair in wanted:
            known = wanted[pair]
            cleared = min(known, cleared) if known and cleared else None
        wanted[pair] = cleared
    runs = _runs(wanted, at) if wanted else {}
    found = []
    for row in rows:
        samples: tuple[Sample, ...] = ()
        if _needs_run(row, at):
            run = runs.get((row["machine"], row["metric_id"]), [])
            cleared = row["cleared_at"]
            samples = tuple(s for s in run if cleared is None or s.at > cleared)
        elif row["newest_at"] is not None:
            samples = (Sample(row["newest_at"], row["newest_value"]),)
        found.append(Watched(cast("int", row["machine"]), _limit(row), samples))
    return found


def _needs_run(row: dict[str, Any], at: datetime) -> bool:
    """False where the newest reading alone decides: there is none, it clears, it is too old."""
    newest: datetime | None = row["newest_at"]
    if newest is None or at - newest > timedelta(seconds=row["metric__max_age"]):
        return False
    return row["cleared_at"] is None or bool(newest > row["cleared_at"])


def health_many(devices: Iterable[Device], at: datetime) -> dict[int, Health]:
    """Health of each machine as of `at`, by device id; five queries at most for any number."""
    machines = list(devices)
    checks: dict[int, list[Any]] = {d.pk: [] for d in machines}
    if machines:
        for item in watched(machines, at):
            checks[item.device_id].append(check(item.limit, item.samples, at))
    return {pk: combine(results) for pk, results in checks.items()}


def health_at(device: Device, at: datetime) -> Health:
    """Health of one machine from the readings measured up to `at`."""
    return health_many([device], at)[device.pk]
