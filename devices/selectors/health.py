"""Health as of any moment, for one machine or the fleet, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)  # fmt: skip
from django.db.models.functions import Coalesce, Least

from devices.health import Health, combine
from devices.models import Device, Reading, Rule, RuleChange, RuleState
from devices.rule_kinds.fold import silent
from devices.rule_kinds.spec import KEPT, OF_MACHINE
from devices.rules import CheckResult, Sample, check

from . import machine_facts
from .machine_checks import machine_checks
from .rules import SPEC_COLUMNS, Watched, spec_of
from .verdicts import from_verdict

_NO_LOW, _NO_HIGH = -1.7e308, 1.7e308
# SQLite allows an expression 1,000 deep; more failing checks than this take one query more
_TERMS = 200


class SecondsBefore(Func):
    """A moment so many seconds before another one, on both databases."""

    output_field = DateTimeField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite keeps UTC text."""
        template = "strftime('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', %(expressions)s || ' seconds')"
        return super().as_sql(
            compiler, connection, template=template, arg_joiner=", '-' || ", **context
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL keeps a moment."""
        template = "(%(expressions)s))"
        return super().as_sql(
            compiler,
            connection,
            template=template,
            arg_joiner=" - make_interval(secs => ",
            **context,
        )


def _clearing(readings: QuerySet[Reading]) -> QuerySet[Reading]:
    """Readings after which the rule is good for certain, whatever was before.

    They lie inside by the hysteresis, and so does every one of the `keep_seconds` before.
    """
    inside = Q(value__gte=OuterRef("clear_low"), value__lte=OuterRef("clear_high"))
    beyond = Q(value__lt=OuterRef(OuterRef("clear_low"))) | Q(
        value__gt=OuterRef(OuterRef("clear_high"))
    )
    just_before = Reading.objects.filter(
        beyond,
        device=OuterRef("device"),
        metric=OuterRef("metric"),
        measured_at__lt=OuterRef("measured_at"),
        measured_at__gt=SecondsBefore(OuterRef("measured_at"), OuterRef(OuterRef("keep_seconds"))),
    )
    return readings.filter(inside).filter(~Exists(just_before))


def _rules(device_ids: Sequence[int], at: datetime) -> list[dict[str, Any]]:
    """Per machine and rule: the newest reading, and the last one that clears a limit.

    Of a kept kind also what the worker found: the state where it isn't from later, or the last
    change before.
    """
    margin = Case(
        When(
            Q(low__isnull=False) & Q(high__isnull=False),
            then=Least(F("hysteresis"), (F("high") - F("low")) / Value(2.0)),
        ),
        default=F("hysteresis"),
        output_field=FloatField(),
    )
    newest = Reading.objects.filter(
        device=OuterRef("machine"), metric=OuterRef("metric_id"), measured_at__lte=at
    ).order_by("-measured_at")
    state = RuleState.objects.filter(
        device=OuterRef("machine"), rule=OuterRef("pk"), last_at__lte=at
    )
    change = RuleChange.objects.filter(
        device=OuterRef("machine"), rule=OuterRef("pk"), at__lte=at
    ).order_by("-at")
    rows = (
        Rule.objects.annotate(
            machine=Coalesce("metric__device_model__devices__id", "device_model__devices__id"),
            clear_low=Coalesce(F("low") + margin, Value(_NO_LOW)),
            clear_high=Coalesce(F("high") - margin, Value(_NO_HIGH)),
        )
        .filter(enabled=True, machine__in=device_ids)
        .annotate(
            newest_at=Subquery(newest.values("measured_at")[:1]),
            newest_value=Subquery(newest.values("value")[:1]),
            cleared_at=Case(
                When(kind="limit", then=Subquery(_clearing(newest).values("measured_at")[:1])),
                default=None,
            ),
            verdict=Coalesce(
                Subquery(state.values("verdict")[:1]), Subquery(change.values("verdict")[:1])
            ),
        )
        .values(*SPEC_COLUMNS, "machine", "newest_at", "newest_value", "cleared_at", "verdict")
    )
    return [dict(row) for row in rows]


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
    """Every enabled rule of the machines with its verdict as of `at`.

    Limits and silence are judged here: readings before the last one that clears a limit can't
    matter, so a healthy check costs one reading, a failing one those since it began. Of the kinds
    that keep a state the worker's verdict is taken. Two queries, one more where machines have
    rules of silence, configuration or clock, and one where a configuration differs; looking into
    the past, one more for what they reported then.
    """
    ids = [d.pk for d in devices]
    rows = _rules(ids, at)
    machine_rules = [row for row in rows if row["kind"] in OF_MACHINE]
    rows = [row for row in rows if row["kind"] not in OF_MACHINE]
    facts: dict[int, dict[str, Any]] = {}
    if machine_rules or any(row["kind"] == "silence" for row in rows):
        facts = machine_facts.states(ids, at)
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
    found = [_judged(row, runs, facts, at) for row in rows]
    return [*_hushed(found), *machine_checks(machine_rules, facts, at)]


def _judged(
    row: dict[str, Any],
    runs: dict[tuple[int, int], list[Sample]],
    facts: dict[int, dict[str, Any]],
    at: datetime,
) -> Watched:
    machine, spec = cast("int", row["machine"]), spec_of(row)
    if spec.kind == "silence":
        result = silent(spec, row["newest_at"], at)
        if facts[machine]["lifecycle"] != "in_service":
            text = f"{spec.limit.rule}: the machine is out of service"
            result = replace(result, state="unknown", since=None, text=text)
        return Watched(machine, spec, result)
    if spec.kind in KEPT:
        result = from_verdict(spec, row["verdict"], row["newest_at"], at)
        return Watched(machine, spec, result)
    samples: tuple[Sample, ...] = ()
    if _needs_run(row, at):
        run = runs.get((machine, row["metric_id"]), [])
        cleared = row["cleared_at"]
        samples = tuple(s for s in run if cleared is None or s.at > cleared)
    elif row["newest_at"] is not None:
        samples = (Sample(row["newest_at"], row["newest_value"]),)
    result = replace(check(spec.limit, samples, at), version=spec.version)
    return Watched(machine, spec, result, samples)


def _needs_run(row: dict[str, Any], at: datetime) -> bool:
    """False where the newest reading alone decides: there is none, it clears, it is too old."""
    newest: datetime | None = row["newest_at"]
    if row["kind"] != "limit" or newest is None:
        return False
    if at - newest > timedelta(seconds=row["metric__max_age"]):
        return False
    return row["cleared_at"] is None or bool(newest > row["cleared_at"])


def _hushed(found: list[Watched]) -> list[Watched]:
    """Where a metric is silent, what else watches it can say nothing of now."""
    quiet = {
        (item.device_id, item.result.metric): item.result
        for item in found
        if item.spec.kind == "silence" and item.result.state in {"watch", "act"}
    }
    return [
        item
        if item.spec.kind == "silence" or (key := (item.device_id, item.result.metric)) not in quiet
        else replace(item, result=_unanswered(item.result, quiet[key]))
        for item in found
    ]


def _unanswered(result: CheckResult, silence: CheckResult) -> CheckResult:
    text = f"{result.rule}: {silence.text.removeprefix(f'{silence.rule}: ')}"
    return replace(result, state="unknown", since=None, n=0, text=text)


def health_many(devices: Iterable[Device], at: datetime) -> dict[int, Health]:
    """Health of each machine as of `at`, by device id; as many queries as `watched`."""
    machines = list(devices)
    checks: dict[int, list[CheckResult]] = {d.pk: [] for d in machines}
    if machines:
        for item in watched(machines, at):
            checks[item.device_id].append(item.result)
    return {pk: combine(results) for pk, results in checks.items()}


def health_at(device: Device, at: datetime) -> Health:
    """Health of one machine from the readings measured up to `at`."""
    return health_many([device], at)[device.pk]
