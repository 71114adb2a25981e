"""Hears of marks that other people and rules end, so that a failing machine doesn't look good."""

from __future__ import annotations

from typing import Any

from devices.models import DegradedSpan
from devices.models.device import Lifecycle
from quality.models import Protocol, QAMark, Verdict
from quality.runs import failing_runs
from quality.selectors.standing import signed, standing
from quality.services import marks
from quality.services.consequences import newest_alert


def mark_changed(*, span: DegradedSpan, **_: Any) -> None:
    """A mark ended or was withdrawn: what failing sessions say counts from there on.

    Not those of the protocol that made it: its own services do that, or a person ended it.
    """
    if span.lasts or span.device.lifecycle == Lifecycle.RETIRED:
        return
    own = QAMark.objects.filter(span=span).first()
    failed = signed().filter(device=span.device_id, verdict=Verdict.ACTION)
    protocols = Protocol.objects.filter(pk__in=failed.values("protocol"))
    if own is not None:
        protocols = protocols.exclude(pk=own.protocol_id)
    for protocol in protocols:
        runs = failing_runs(standing(span.device_id, protocol.pk))
        alert = newest_alert(span.device_id, protocol)
        if runs[-1].ended is None and alert is not None:
            marks.settle(
                device=span.device, protocol=protocol, runs=runs[-1:], alert=alert, actor=None
            )
