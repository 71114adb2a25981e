"""The worker keeps where each fold stands: new readings are folded once, a year is never reread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.timezone import make_aware

from devices.models import Device, Reading, ReadingLatest, Rule, RuleChange, RuleState
from devices.rule_kinds.fold import Change, Fold, changes
from devices.rule_kinds.spec import KEPT, Spec
from devices.rules import Sample
from devices.selectors import readings as readings_selectors
from devices.selectors.rules import SPEC_COLUMNS, fingerprint, spec_of
from devices.selectors.verdicts import to_verdict

from .events import lock_twin


def mark_late(*, moments: Mapping[int, Collection[tuple[int, datetime]]]) -> None:
    """Note which folds have gone on beyond readings that came in just now; one query for all.

    Args:
        moments: by machine's id, (metric's id, moment); the caller holds their twins.
    """
    first: dict[tuple[int, int], datetime] = {}
    for device, mine in moments.items():
        for metric, moment in mine:
            key = (device, metric)
            first[key] = min(moment, first.get(key, moment))
    metrics = {metric for _, metric in first}
    behind = RuleState.objects.filter(device__in=moments, rule__metric__in=metrics)
    late = []
    for state in behind.select_related("rule").only(
        "device_id", "last_at", "late_from", "rule__metric_id"
    ):
        came = first.get((state.device_id, state.rule.metric_id or 0))
        if came is not None and state.last_at is not None and came <= state.last_at:
            state.late_from = min(came, state.late_from or came)
            late.append(state)
    if late:
        RuleState.objects.bulk_update(late, ["late_from"])


def refresh(*, device: Device, now: datetime) -> None:
    """Fold what came since into the states of the device's kept rules; the caller holds its twin.

    A rule without a state, one that was changed, and one behind which a reading came late is
    folded anew, from as many readings as its kind remembers. Three queries, and one for each that
    changed its verdict.
    """
    rows = Rule.objects.filter(
        enabled=True, kind__in=KEPT, metric__device_model=device.model_id
    ).values(*SPEC_COLUMNS)
    specs = {row["id"]: (row["metric_id"], spec_of(row)) for row in rows}
    if not specs:
        return
    states = {s.rule_id: s for s in RuleState.objects.filter(device=device, rule__in=specs)}
    starts: dict[int, datetime] = {}
    for pk, (_, spec) in specs.items():
        state = states.get(pk)
        starts[pk] = now - timedelta(seconds=spec.memory_seconds)
        if state is None or not _goes_on(state, spec, now):
            states.pop(pk, None)
        elif state.last_at is not None:
            starts[pk] = state.last_at
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    anew = {pk for pk, (_, spec) in specs.items() if spec.kind == "drift" and pk not in states}
    days = _days(device, {specs[pk][0] for pk in anew}, min(starts.values()), today)
    wanted = {pk: (specs[pk][0], today if pk in anew else starts[pk]) for pk in specs}
    readings = _readings(device, wanted, now)
    for pk, (metric, spec) in specs.items():
        # what is over of a drift's baseline comes as days
        past = [s for s in days.get(metric, []) if s.at >= starts[pk]] if pk in anew else []
        first = today if pk in anew else starts[pk]
        samples = [
            *past,
            *(s for s in readings[metric] if s.at > first or (pk in anew and s.at == first)),
        ]
        state = states.get(pk)
        if state is None:
            RuleChange.objects.filter(device=device, rule=pk, at__gt=starts[pk]).delete()
        _fold(device, spec, state, samples, now)


def catch_up(*, device_ids: Collection[int], now: datetime) -> None:
    """Fold what the kept states of machines don't know yet; each machine a transaction.

    For who asks about the past before the worker has looked: late readings, a retired machine.
    One query where nothing is behind.

    Args:
        device_ids: which.
        now: as of when.
    """
    newest = ReadingLatest.objects.filter(
        device=OuterRef("device"), metric=OuterRef("rule__metric")
    ).values("measured_at")
    behind = (
        RuleState.objects.filter(device__in=device_ids, rule__enabled=True)
        .filter(Q(late_from__isnull=False) | Q(last_at__lt=Subquery(newest[:1])))
        .order_by("device")
        .values_list("device", flat=True)
        .distinct()
    )
    for device in Device.objects.filter(pk__in=list(behind)).order_by("pk"):
        with transaction.atomic():
            lock_twin(device.pk)
            refresh(device=device, now=now)


def forget(*, device: Device) -> None:
    """The days on which states rest were added up anew: the worker folds them again."""
    with transaction.atomic():
        lock_twin(device.pk)
        RuleState.objects.filter(device=device).delete()


def _goes_on(state: RuleState, spec: Spec, now: datetime) -> bool:
    same = state.fingerprint == fingerprint(spec)
    return same and state.late_from is None and (state.last_at is None or state.last_at <= now)


def _days(
    device: Device, metrics: Collection[int], start: datetime, today: datetime
) -> dict[int, list[Sample]]:
    """Means of the whole days since, as readings at the day's beginning; at most one query."""
    if not metrics:
        return {}
    first, last = timezone.localdate(start), timezone.localdate(today) - timedelta(days=1)
    found = readings_selectors.daily([device.pk], metrics, first, last)
    return {
        metric: [Sample(make_aware(datetime.combine(d.day, time.min)), d.mean) for d in days]
        for (_, metric), days in found.items()
    }


def _readings(
    device: Device, wanted: Mapping[int, tuple[int, datetime]], now: datetime
) -> dict[int, list[Sample]]:
    """Of each metric, from the earliest that any of its rules needs; one query."""
    earliest: dict[int, datetime] = {}
    for metric, start in wanted.values():
        earliest[metric] = min(start, earliest.get(metric, start))
    terms = Q()
    for metric, start in earliest.items():
        terms |= Q(metric=metric, measured_at__gte=start)
    found: dict[int, list[Sample]] = defaultdict(list)
    rows = Reading.objects.filter(terms, device=device, measured_at__lte=now)
    for metric, at, value in rows.order_by("measured_at").values_list(
        "metric_id", "measured_at", "value"
    ):
        found[metric].append(Sample(at, value))
    return found


def _fold(
    device: Device,
    spec: Spec,
    state: RuleState | None,
    samples: Collection[Sample],
    now: datetime,
) -> None:
    fold = Fold(spec)
    if state is not None:
        fold.load(state.state)
    failed = fold.failing
    found = changes(fold, samples)
    fold.advance(now)
    if failed and not fold.failing and not found:
        found = [Change(now, fold.result(now))]
    _keep_changes(device, spec, found)
    verdict = to_verdict(fold.result(now))
    if state is not None and not samples and verdict == state.verdict and not found:
        return
    RuleState.objects.update_or_create(
        device=device,
        rule_id=spec.limit.rule_id,
        defaults={
            "fingerprint": fingerprint(spec),
            "state": fold.dump(),
            "verdict": verdict,
            "last_at": fold.newest.at if fold.newest else None,
            "late_from": None,
        },
    )


def _keep_changes(device: Device, spec: Spec, found: Collection[Change]) -> None:
    RuleChange.objects.bulk_create(
        [
            RuleChange(
                device=device,
                rule_id=spec.limit.rule_id,
                at=change.at,
                verdict=to_verdict(change.result),
            )
            # of one moment the last one stands
            for change in {change.at: change for change in found}.values()
        ],
        update_conflicts=True,
        unique_fields=["device", "rule", "at"],
        update_fields=["verdict"],
    )
