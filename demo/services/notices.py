"""What the demo's people chose to be told of maintenance, and the first look of the worker."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from accounts.models import User
from notices.models import Look
from notices.services import choosing, policies, telling


def seed_notices(*, admin: User, engineer: User, now: datetime) -> None:
    """Settings of two people and the house's policy; what the worker finds is told at once."""
    choosing.choose(
        user=engineer,
        ways={"order_overdue": "in_app"},
        ahead=[14, 7, 1],
        scope="all",
        digest=True,
        digest_at=time(7),
        quiet_from=time(20),
        quiet_to=time(6),
        quiet_days=[6],
    )
    choosing.choose(
        user=admin,
        ways={"order_due": "in_app", "order_coming": "digest"},
        ahead=[14, 7],
        scope="all",
        digest=True,
        digest_at=time(6, 30),
    )
    policies.settle(
        user=admin,
        escalate_days=2,
        hold_days=5,
        reason="Weekends are staffed (synthetic)",
        now=now,
    )
    # what was just seeded is news, too
    for kind in ("order_assigned", "order_moved"):
        Look.objects.get_or_create(kind=kind, defaults={"until": now - timedelta(hours=1)})
    telling.tell_all()
