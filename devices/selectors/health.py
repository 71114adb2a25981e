"""Health as of any moment, for one machine or the fleet, in a constant number of queries."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from devices.rule_kinds.spec import ELSEWHERE, KEPT, OF_MACHINE, Spec
from devices.rules import CheckResult, Sample, check, good

from . import machine_facts
from .machine_checks import machine_checks
from .newest import newest_many
from .rules import SPEC_COLUMNS, Watched, spec_of
from .verdicts import from_verdict

_NEVER = (None, None)
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


@dataclass(slots=True)
class _Row:
    """One rule on one machine: what decides it.

    Attributes:
        newest_at: of the metric's newest reading, as `newest_value`.
        cleared_at: of a limit, when a reading last cleared it.
        verdict: of a kept kind, what the worker found.
    """

    spec: Spec
    metric_id: int | None
    machine: int
    newest_at: datetime | None
    newest_value: float | None
    cleared_at: datetime | None
    verdict: dict[str, Any] | None = None


class _Brief:
    """Good checks told alike for all machines, without value and moment, where nobody reads them.

    Of a fleet nearly every check is good, and only their number is shown.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._said: dict[int, tuple[datetime, CheckResult]] = {}
        self.found: list[Watched] = []

    def takes(self, machine: int, spec: Spec, newest: tuple[Any, Any]) -> bool:
        """Whether the newest reading alone says that the rule is good; then it is among `found`."""
        moment, value = newest
        limit = spec.limit
        if spec.kind != "limit" or moment is None or limit.keep_seconds:
            return False
        if not (math.isfinite(value) and limit.clears(value)):
            return False
        if limit.rule_id not in self._said:
            oldest = self._at - timedelta(seconds=limit.max_age)
            said = good(limit, Sample(self._at, value), version=spec.version)
            text = f"{limit.rule}: good"
            self._said[limit.rule_id] = (
                oldest,
                replace(said, value=None, measured_at=None, text=text),
            )
        oldest, result = self._said[limit.rule_id]
        if moment < oldest:
            return False
        self.found.append(Watched(machine, spec, result))
        return True


def _rules(devices: Sequence[Device], at: datetime, brief: _Brief | None) -> list[_Row]:
    """Per machine and rule: the newest reading, and the last one that clears a limit.

    Rules that `brief` takes are left out.

    Of a kept kind also what the worker found: the state where it isn't from later, or the last
    change before. Two queries where every newest reading clears, one more for the others and one
    for the kept kinds.
    """
    newest = newest_many([d.pk for d in devices], at)
    models = {d.model_id for d in devices}
    rules = Rule.objects.filter(
        ~Q(kind__in=ELSEWHERE),
        Q(metric__device_model__in=models) | Q(device_model__in=models),
        enabled=True,
    ).annotate(owner=Coalesce("metric__device_model", "device_model"))
    by_model: dict[int, list[tuple[Spec, int | None]]] = defaultdict(list)
    for rule in rules.values(*SPEC_COLUMNS, "owner"):
        by_model[rule["owner"]].append((spec_of(rule), rule["metric_id"]))
    rows = []
    for device in devices:
        machine = device.pk
        for spec, metric in by_model.get(device.model_id, ()):
            pair = newest.get((machine, metric), _NEVER) if metric else _NEVER
            if brief and brief.takes(machine, spec, pair):
                continue
            moment, value = pair
            cleared = moment if spec.kind == "limit" else None
            rows.append(_Row(spec, metric, machine, moment, value, cleared))
    _add_cleared([row for row in rows if row.spec.kind == "limit" and not _clears(row)], at)
    _add_verdicts([row for row in rows if row.spec.kind in KEPT], at)
    return rows


def _clears(row: _Row) -> bool:
    """Whether the newest reading alone says that all is well."""
    limit = row.spec.limit
    return row.newest_value is None or (not limit.keep_seconds and limit.clears(row.newest_value))


def _of_machines(rows: list[_Row]) -> Iterator[QuerySet[Rule]]:
    """The rows' rules, once for each of their machines and for no other machine."""
    machines: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        machines[row.spec.limit.rule_id].append(row.machine)
    rules = sorted(machines)
    for start in range(0, len(rules), _TERMS):
        pairs = Q()
        for rule in rules[start : start + _TERMS]:
            pairs |= Q(pk=rule, machine__in=machines[rule])
        yield Rule.objects.annotate(
            machine=Coalesce("metric__device_model__devices__id", "device_model__devices__id")
        ).filter(pairs)


def _add_cleared(rows: list[_Row], at: datetime) -> None:
    """When limits were last cleared."""
    if not rows:
        return
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
    cleared = {
        (machine, rule): moment
        for found in _of_machines(rows)
        for machine, rule, moment in found.annotate(
            clear_low=Coalesce(F("low") + margin, Value(_NO_LOW)),
            clear_high=Coalesce(F("high") - margin, Value(_NO_HIGH)),
            cleared_at=Subquery(_clearing(newest).values("measured_at")[:1]),
        ).values_list("machine", "pk", "cleared_at")
    }
    for row in rows:
        row.cleared_at = cleared.get((row.machine, row.spec.limit.rule_id))


def _add_verdicts(rows: list[_Row], at: datetime) -> None:
    """What the worker found of kept kinds."""
    if not rows:
        return
    state = RuleState.objects.filter(
        device=OuterRef("machine"), rule=OuterRef("pk"), last_at__lte=at
    )
    change = RuleChange.objects.filter(
        device=OuterRef("machine"), rule=OuterRef("pk"), at__lte=at
    ).order_by("-at")
    verdicts = {
        (machine, rule): verdict
        for found in _of_machines(rows)
        for machine, rule, verdict in found.annotate(
            verdict=Coalesce(
                Subquery(state.values("verdict")[:1]), Subquery(change.values("verdict")[:1])
            )
        ).values_list("machine", "pk", "verdict")
    }
    for row in rows:
        row.verdict = verdicts.get((row.machine, row.spec.limit.rule_id))


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


def watched(devices: Sequence[Device], at: datetime, *, brief: bool = False) -> list[Watched]:
    """Every enabled rule of the machines with its verdict as of `at`.

    Limits and silence are judged here: readings before the last one that clears a limit can't
    matter, so a healthy check costs one reading, a failing one those since it began. Of the kinds
    that keep a state the worker's verdict is taken. As many queries for any number of machines.

    Args:
        devices: whose.
        at: as of.
        brief: checks that are plainly good say so without value and moment.
    """
    ids = [d.pk for d in devices]
    plainly = _Brief(at) if brief else None
    rows = _rules(devices, at, plainly)
    machine_rules = [(row.machine, row.spec) for row in rows if row.spec.kind in OF_MACHINE]
    rows = [row for row in rows if row.spec.kind not in OF_MACHINE]
    facts: dict[int, dict[str, Any]] = {}
    if machine_rules or any(row.spec.kind == "silence" for row in rows):
        facts = machine_facts.states(ids, at)
    wanted: dict[tuple[int, int], datetime | None] = {}
    for row in rows:
        if not _needs_run(row, at):
            continue
        pair, cleared = (row.machine, cast("int", row.metric_id)), row.cleared_at
        if pair in wanted:
            known = wanted[pair]
            cleared = min(known, cleared) if known and cleared else None
        wanted[pair] = cleared
    runs = _runs(wanted, at) if wanted else {}
    found = [_judged(row, runs, facts, at) for row in rows]
    if plainly:
        found += plainly.found
    return [*_hushed(found), *machine_checks(machine_rules, facts, at)]


def _judged(
    row: _Row,
    runs: dict[tuple[int, int], list[Sample]],
    facts: dict[int, dict[str, Any]],
    at: datetime,
) -> Watched:
    machine, spec = row.machine, row.spec
    if spec.kind == "silence":
        result = silent(spec, row.newest_at, at)
        if facts[machine]["lifecycle"] != "in_service":
            text = f"{spec.limit.rule}: the machine is out of service"
            result = replace(result, state="unknown", since=None, text=text)
        return Watched(machine, spec, result)
    if spec.kind in KEPT:
        result = from_verdict(spec, row.verdict, row.newest_at, at)
        return Watched(machine, spec, result)
    samples: tuple[Sample, ...] = ()
    if _needs_run(row, at):
        run = runs.get((machine, cast("int", row.metric_id)), [])
        cleared = row.cleared_at
        samples = tuple(s for s in run if cleared is None or s.at > cleared)
    elif row.newest_at is not None and row.newest_value is not None:
        newest = Sample(row.newest_at, row.newest_value)
        samples = (newest,)
        if _says_good(row, at):
            result = good(spec.limit, newest, version=spec.version)
            return Watched(machine, spec, result, samples)
    result = check(spec.limit, samples, at, version=spec.version)
    return Watched(machine, spec, result, samples)


def _needs_run(row: _Row, at: datetime) -> bool:
    """False where the newest reading alone decides: there is none, it clears, it is too old."""
    newest = row.newest_at
    if row.spec.kind != "limit" or newest is None:
        return False
    if at - newest > timedelta(seconds=row.spec.limit.max_age):
        return False
    return row.cleared_at is None or newest > row.cleared_at


def _says_good(row: _Row, at: datetime) -> bool:
    """Whether the newest reading is young and clears the limit: there is nothing to fold."""
    newest, value = row.newest_at, row.newest_value
    if newest is None or value is None or row.cleared_at != newest or not math.isfinite(value):
        return False
    return at - newest <= timedelta(seconds=row.spec.limit.max_age)


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


def health_many(
    devices: Iterable[Device], at: datetime, *, brief: bool = False
) -> dict[int, Health]:
    """Health of each machine as of `at`, by device id; queries and `brief` as of `watched`."""
    machines = list(devices)
    checks: dict[int, list[CheckResult]] = {d.pk: [] for d in machines}
    if machines:
        for item in watched(machines, at, brief=brief):
            checks[item.device_id].append(item.result)
    return {pk: combine(results) for pk, results in checks.items()}


def health_at(device: Device, at: datetime) -> Health:
    """Health of one machine from the readings measured up to `at`."""
    return health_many([device], at)[device.pk]
