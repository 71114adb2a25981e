"""What a signed session means for the machine: its alert, its marks, the orders that wait.

Everything is reckoned anew from all signed sessions by when was measured, so a session that is
entered late, or corrected, leads to the same as one entered in time.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from devices.models import Alert, AlertState, Metric
from devices.models.alert import ResolveReason
from devices.rules import CheckResult
from devices.services import alert_changes, alerts, closed_loop
from devices.services.evaluation import RECURS_WITHIN
from devices.services.order_changes import AnyRequest
from quality.models import Protocol, QASession, Verdict
from quality.runs import Run, failing_runs
from quality.selectors.standing import standing
from quality.tests_of import from_json

from . import marks


def follow(*, session: QASession, actor: User, request: AnyRequest = None) -> None:
    """Settle alert, marks and evidence; the caller holds the machine's twin."""
    protocol = session.protocol
    found = standing(session.device_id, protocol.pk)
    runs = failing_runs(found)
    before = [each for each in found if each.pk != session.pk]
    if session.supersedes is not None:
        before.append(session.supersedes)
        before.sort(key=lambda each: (each.performed_at, each.pk))
    failing = bool(found) and found[-1].verdict == Verdict.ACTION
    failed = bool(before) and before[-1].verdict == Verdict.ACTION
    alert = newest_alert(session.device_id, protocol)
    if failing:
        if not failed or found[-1].pk == session.pk:
            _raise(session, runs[-1], alert)
    elif alert is not None and alert.state != AlertState.RESOLVED and found:
        _settle(alert, found, actor, request)
    if session.verdict != Verdict.ACTION and found and found[-1].pk == session.pk:
        _give_evidence(session)
    marks.settle(
        device=session.device,
        protocol=protocol,
        runs=runs,
        alert=newest_alert(session.device_id, protocol),
        actor=actor,
        request=request,
    )


def newest_alert(device_id: int, protocol: Protocol) -> Alert | None:
    """The last alert of the protocol's failures on a machine."""
    found = Alert.objects.select_related("device", "rule")
    return found.filter(device=device_id, rule=protocol.rule_id).order_by("-pk").first()


def _raise(session: QASession, run: Run, alert: Alert | None) -> None:
    """Open the alert, or bring the one that stands up to this failure."""
    now, last = timezone.now(), run.failed[-1]
    names = [
        row["name"]
        for row in (last.content or {}).get("tests", ())
        if row["verdict"] == Verdict.ACTION
    ]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    text = f"{session.protocol.name} failed: {shown} beyond the action level (QA-{last.pk})"
    result = CheckResult(
        rule_id=session.protocol.rule_id,
        rule=session.protocol.name,
        metric="",
        unit="1",
        state="act",
        value=None,
        since=run.failed[0].performed_at,
        n=len(run.failed),
        low=None,
        high=None,
        affects_image=True,
        text=text,
        measured_at=last.performed_at,
        kind="qa",
        version=1,
    )
    if alert is None:
        alert_changes.open_alert(session.device, result, now)
    elif alert.state != AlertState.RESOLVED:
        alert_changes.refresh(alert, result, now)
    elif now - (alert.resolved_at or now) < RECURS_WITHIN:
        alert_changes.reopen(alert, result, now)
        closed_loop.came_back(alert, now)
    else:
        alert_changes.open_alert(session.device, result, now)


def _settle(alert: Alert, found: list[QASession], actor: User, request: AnyRequest) -> None:
    """The newest session is good: the alert's failure is over, or never was."""
    last = found[-1]
    wrong = not any(
        each.verdict == Verdict.ACTION and each.performed_at >= alert.since - timedelta(seconds=1)
        for each in found
    )
    if wrong:
        text = "The failure was corrected: it never was."
        alerts.resolve(
            alert=alert,
            actor=actor,
            reason=ResolveReason.FALSE_ALARM,
            text=text,
            request=request,
        )
        return
    closed_loop.qa_passed(
        device_id=alert.device_id,
        at=last.performed_at,
        name=f"{last.protocol.name}, {last}",
        metric_ids=(),
        rule_ids=[alert.rule_id],
    )
    alert.refresh_from_db()
    if alert.state != AlertState.RESOLVED:  # no order waited: the signed session is the evidence
        alerts.resolve(
            alert=alert,
            actor=actor,
            reason=ResolveReason.REPAIRED,
            text=f"Test passed: {last.protocol.name}, {last}",
            request=request,
        )


def _give_evidence(session: QASession) -> None:
    """Orders on alerts of the metrics of which its good tests say something."""
    verdicts = dict(session.results.values_list("key", "verdict"))
    keys = {
        test.metric
        for test in map(from_json, session.version.tests)
        if test.metric and verdicts.get(test.key) == Verdict.PASS
    }
    if keys:
        metrics = Metric.objects.filter(device_model=session.device.model_id, key__in=keys)
        closed_loop.qa_passed(
            device_id=session.device_id,
            at=session.performed_at,
            name=f"{session.protocol.name}, {session}",
            metric_ids=list(metrics.values_list("pk", flat=True)),
        )
