"""Who may what: the one table. Every address names the permission it asks for."""

from __future__ import annotations

from enum import StrEnum

from django.db import models


class Role(models.TextChoices):
    """The three people who use TwinHealth every day."""

    CLINICIAN = "clinician", "Clinician"
    ENGINEER = "engineer", "Biomedical engineer"
    ADMIN = "admin", "Admin"


class Can(StrEnum):
    """One thing a person may do."""

    ANYONE = "anyone"  # no sign-in: login page, health of the process
    SIGNED_IN = "signed_in"  # any role: own account, search box, home
    IMAGE_UPLOAD = "image.upload"
    IMAGE_READ = "image.read"  # metadata
    IMAGE_PIXELS = "image.pixels"
    WORKLIST_READ = "worklist.read"
    FINDING_REVIEW = "finding.review"  # verdicts, claims, signatures
    TEXT_BLOCKS = "textblock.write"  # phrases of reports: one's own, and seeing the shared ones
    TEXT_BLOCKS_SHARED = "textblock.shared"  # changing those of the house
    READERS_COMPARE = "readers.compare"  # figures of every reader
    PATIENT_READ = "patient.read"
    PATIENT_WRITE = "patient.write"
    DEVICE_HEALTH = "device.health"  # state and trust, no readings
    DEVICE_READ = "device.read"  # the whole twin: readings, events, configuration
    DEVICE_WRITE = "device.write"  # register, configure, inbox
    READING_WRITE = "reading.write"
    RULE_EDIT = "rule.edit"
    ALERT_READ = "alert.read"
    ALERT_WORK = "alert.work"
    ALERT_POLICY = "alert.policy"  # when alerts escalate and what is one incident
    WEBHOOK_ADMIN = "webhook.admin"  # which programs are told of alerts
    REREAD_READ = "reread.read"  # how far re-read lists are; who the patients are, only readers see
    MAINTENANCE_READ = "maintenance.read"
    MAINTENANCE_PLAN = "maintenance.plan"
    ORDER_WORK = "order.work"
    QUARANTINE_READ = "quarantine.read"
    USER_ADMIN = "user.admin"
    AUDIT_READ = "audit.read"
    VERSION_ADMIN = "version.admin"
    STORAGE_ADMIN = "storage.admin"  # how long readings are kept, and deleting by it
    DATASET_EXPORT = "dataset.export"  # signed films with their pixels, under pseudonyms


_CLINICIAN = {
    Can.IMAGE_UPLOAD,
    Can.IMAGE_READ,
    Can.IMAGE_PIXELS,
    Can.WORKLIST_READ,
    Can.FINDING_REVIEW,
    Can.TEXT_BLOCKS,
    Can.PATIENT_READ,
    Can.PATIENT_WRITE,
    Can.DEVICE_HEALTH,
    Can.REREAD_READ,
    Can.QUARANTINE_READ,
}
_ENGINEER = {
    Can.DEVICE_HEALTH,
    Can.DEVICE_READ,
    Can.DEVICE_WRITE,
    Can.READING_WRITE,
    Can.RULE_EDIT,
    Can.ALERT_READ,
    Can.ALERT_WORK,
    Can.REREAD_READ,
    Can.MAINTENANCE_READ,
    Can.ORDER_WORK,
}
_ADMIN = _ENGINEER | {
    Can.IMAGE_READ,
    Can.TEXT_BLOCKS,
    Can.TEXT_BLOCKS_SHARED,
    Can.MAINTENANCE_PLAN,
    Can.ALERT_POLICY,
    Can.WEBHOOK_ADMIN,
    Can.QUARANTINE_READ,
    Can.USER_ADMIN,
    Can.AUDIT_READ,
    Can.VERSION_ADMIN,
    Can.STORAGE_ADMIN,
    Can.DATASET_EXPORT,
}
_EVERYBODY = {Can.ANYONE, Can.SIGNED_IN}

TABLE: dict[str, frozenset[Can]] = {
    Role.CLINICIAN: frozenset(_CLINICIAN | _EVERYBODY),
    Role.ENGINEER: frozenset(_ENGINEER | _EVERYBODY),
    Role.ADMIN: frozenset(_ADMIN | _EVERYBODY),
}

# what a clinician who leads the reading room may do besides
_LEAD = frozenset({Can.READERS_COMPARE, Can.TEXT_BLOCKS_SHARED})


def may(user: object, permission: Can) -> bool:
    """True if the signed-in, active user's role holds the permission."""
    if permission is Can.ANYONE:
        return True
    if not getattr(user, "is_authenticated", False) or not getattr(user, "is_active", False):
        return False
    role = getattr(user, "role", "")
    leads = role == Role.CLINICIAN and getattr(user, "is_reading_lead", False)
    return permission in TABLE.get(role, frozenset()) or (leads and permission in _LEAD)
