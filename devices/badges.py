"""What of this room waits for somebody, on the left rail."""

from __future__ import annotations

from devices.models import Alert, AlertState, InboxEntry
from devices.models.inbox import InboxState
from devices.selectors.notifications import unread
from twinhealth.web import badges


def connect() -> None:
    """Have them counted; called once, when the room is ready."""
    badges.register(
        "devices:alerts",
        lambda _: Alert.objects.filter(state=AlertState.OPEN),
        one="open alert",
        many="open alerts",
    )
    badges.register(
        "devices:notifications", unread, one="unread notification", many="unread notifications"
    )
    badges.register(
        "devices:inbox",
        lambda _: InboxEntry.objects.filter(state=InboxState.OPEN),
        one="unknown machine",
        many="unknown machines",
    )
