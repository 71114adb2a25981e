"""What /metrics shows of this room: alerts that nobody has resolved, and the MQTT door."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from devices.models import Alert, MqttCount, Notification
from devices.models.alert import AlertState
from devices.models.device_model import Severity
from devices.models.notification import News, SendState
from twinhealth.web import metrics


def connect() -> None:
    """Have them in /metrics; called once, when the room is ready."""
    metrics.register("devices", collect)


def collect() -> Iterator[Metric]:
    """Three queries; every state and severity is there, zero included."""
    alerts = GaugeMetricFamily(
        "twinhealth_alerts", "Unresolved alerts of machines.", labels=["state", "severity"]
    )
    unresolved = Alert.objects.order_by().exclude(state=AlertState.RESOLVED)
    counts = {
        (state, severity): count
        for state, severity, count in unresolved.values_list("state", "severity").annotate(
            count=Count("pk")
        )
    }
    for state in (AlertState.OPEN, AlertState.ACKNOWLEDGED):
        for severity in Severity.values:
            alerts.add_metric([state, severity], counts.get((state.value, severity), 0))
    yield alerts
    yield _notifications()
    yield from _mqtt()


def _notifications() -> Metric:
    """The outbox: what waits, and what was given up and needs somebody."""
    family = GaugeMetricFamily(
        "twinhealth_notifications",
        "Messages to people and programs that are not delivered.",
        labels=["state"],
    )
    shown = (SendState.QUEUED, SendState.SENDING, SendState.DEAD)
    # a webhook's test that failed is seen by who tried it, and nobody need be woken for it
    told = Notification.objects.order_by().exclude(news=News.TEST)
    rows = told.filter(state__in=shown).values_list("state")
    counts = dict(rows.annotate(count=Count("pk")))
    for state in shown:
        family.add_metric([state.value], counts.get(state.value, 0))
    return family


def _mqtt() -> Iterator[Metric]:
    """Of another process, so the database counts (`MqttCount`)."""
    families = {
        "message": CounterMetricFamily(
            "twinhealth_mqtt_messages", "MQTT messages, taken or why not.", labels=["outcome"]
        ),
        "reading": CounterMetricFamily(
            "twinhealth_mqtt_readings", "Readings in taken messages.", labels=["outcome"]
        ),
    }
    for outcome, count in MqttCount.objects.order_by("outcome").values_list("outcome", "count"):
        of, _, name = outcome.partition(":")
        families[of].add_metric([name], count)
    yield from families.values()
