"""What every page's frame shows: the hospital's name, the left rail by role."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from twinhealth.web import badges

from .permissions import Can, Role, may


@dataclass(frozen=True, slots=True)
class Door:
    """One entry of the left rail."""

    label: str
    url_name: str
    permission: Can
    icon: str
    # path prefixes under which the entry is the current one
    prefix: str | tuple[str, ...]
    counted: str = ""  # the page whose count it shows, if not its own


_MAINTENANCE = ("/maintenance", "/planning", "/quality", "/inventory")

RAIL: dict[str, tuple[Door, ...]] = {
    Role.CLINICIAN: (
        Door("Worklist", "reading:worklist", Can.WORKLIST_READ, "list", "/worklist"),
        Door("Critical", "reading:critical", Can.FINDING_REVIEW, "act", "/critical"),
        Door("Upload", "imaging:upload", Can.IMAGE_UPLOAD, "upload", "/upload"),
        Door("Patients", "patients:list", Can.PATIENT_READ, "people", "/patients"),
        # re-read lists are reached from there
        Door(
            "Machines",
            "devices:fleet",
            Can.DEVICE_HEALTH,
            "machine",
            "/devices",
            "reading:re-reads",
        ),
        Door("Quarantine", "imaging:quarantine", Can.QUARANTINE_READ, "shield", "/quarantine"),
    ),
    Role.ENGINEER: (
        Door("Fleet", "devices:fleet", Can.DEVICE_HEALTH, "machine", "/devices"),
        Door("Alerts", "devices:alerts", Can.ALERT_READ, "bell", "/alerts"),
        Door("Inbox", "devices:inbox", Can.DEVICE_WRITE, "inbox", "/device-inbox"),
        Door("Maintenance", "devices:maintenance", Can.MAINTENANCE_READ, "wrench", _MAINTENANCE),
    ),
    Role.ADMIN: (
        Door("Maintenance", "devices:maintenance", Can.MAINTENANCE_READ, "wrench", _MAINTENANCE),
        Door("Fleet", "devices:fleet", Can.DEVICE_HEALTH, "machine", "/devices"),
        Door("Alerts", "devices:alerts", Can.ALERT_READ, "bell", "/alerts"),
        Door("Users", "accounts:users", Can.USER_ADMIN, "people", "/users"),
        # quarantine is reached from there: a rail of six fits a phone
        Door("Audit", "accounts:audit", Can.AUDIT_READ, "book", "/audit", "imaging:quarantine"),
        Door("Models", "detection:models", Can.VERSION_ADMIN, "chip", "/models"),
    ),
}


def house(request: HttpRequest) -> dict[str, Any]:
    """Template context of the page frame."""
    user = getattr(request, "user", None)
    role = getattr(user, "role", "")
    rail = []
    for door in RAIL.get(role, ()):
        if not may(user, door.permission):
            continue
        rail.append(
            {
                "label": door.label,
                "url": reverse(door.url_name),
                "icon": door.icon,
                "current": request.path.startswith(door.prefix),
                # asked for only where the rail is drawn, not for fragments
                "badge": partial(badges.badge, door.counted or door.url_name, user),
            }
        )
    # in the top bar, not on the rail: one more entry wouldn't fit a phone
    bell = None
    if may(user, Can.ALERT_READ):
        bell = {
            "url": reverse("devices:notifications"),
            "badge": partial(badges.badge, "devices:notifications", user),
        }
    return {
        "bell": bell,
        "hospital_name": settings.HOSPITAL_NAME,
        "embedded": settings.EMBEDDED,
        "rail": rail,
    }
