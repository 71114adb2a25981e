"""Machines on one supply, fed by the minute, for the tests of the life of alerts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from devices.models import Alert, Device, Notification, Subscription, Supply, Webhook
from devices.services import relations, subscriptions, webhooks
from devices.services.evaluation import evaluate_rules
from tests.devices import factories as f

HOUR = timedelta(hours=1)


class Ward:
    """Machines of one model with one `noise` rule each way; `now` moves with what is fed."""

    def __init__(self, machines: int = 3, *, watch: float | None = None) -> None:
        made = f.model()
        self.noise = f.metric(made)
        self.heat = f.metric(made, "heat")
        f.rule(self.noise, "act")
        f.rule(self.heat, "watch")
        if watch is not None:
            f.rule(self.noise, "watch", high=watch)
        self.machines = [f.device(made, location=f"R{n}") for n in range(machines)]
        self.now: datetime = timezone.now() - timedelta(hours=3)
        self.person = f.user()

    def supply(self, *machines: Device) -> Supply:
        return relations.save_supply(
            actor=self.person,
            name=f"Panel {Supply.objects.count() + 1}",
            kind="power",
            devices=machines or self.machines,
        )

    def feed(
        self, machine: Device, value: float, metric: str = "noise", minutes: float = 1
    ) -> Alert:
        """A reading, and what the rules make of it; the newest alert of the metric."""
        self.now += timedelta(minutes=minutes)
        on = self.noise if metric == "noise" else self.heat
        f.reading(machine, on, value, self.now)
        evaluate_rules(device=machine, now=self.now)
        return Alert.objects.filter(device=machine, rule__metric=on).latest("pk")

    def catch_up(self) -> None:
        """People act at the real time."""
        self.now = timezone.now()


def subscribe(user: User | None = None, **fields: Any) -> Subscription:
    user = user or f.user()
    if fields.get("email") and not user.email:
        user.email = f"{user.username}@hospital.example"
        user.save()
    fields = {
        "watch": True, "act": True, "escalations": True, "in_app": True, "email": False, **fields,
    }  # fmt: skip
    return subscriptions.subscribe(user=user, **fields)


def webhook(url: str, **fields: Any) -> tuple[Webhook, str]:
    fields = {"actor": f.user("admin"), "name": f"hook {Webhook.objects.count()}", **fields}
    return webhooks.create(url=url, **fields)


def news() -> list[tuple[int, str]]:
    """What was told in the app, oldest first: alert and news."""
    rows = Notification.objects.filter(channel="in_app", state="sent").order_by("pk")
    return list(rows.values_list("alert_id", "news"))
