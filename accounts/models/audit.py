"""The audit trail: who saw or changed what, kept even if the account goes."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One view or change; rows are only ever added (database trigger, migration 0002).

    The actor's name and role are copied in, as IHE ATNA's audit message does, so that the row
    says who even when the account was renamed or removed.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,  # people are looked up by the copied name
    )
    actor_name = models.CharField(max_length=150)
    actor_role = models.CharField(max_length=16, blank=True)
    verb = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64, blank=True)
    # the patient concerned, by our own number, so that "who saw patient X" is one query
    patient_ref = models.BigIntegerField(null=True)
    remote_addr = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-id"]
        # every filter of the audit page ends in the page's order, so that page one of a filter
        # over millions of rows is one short index walk
        indexes = [
            models.Index(fields=["at", "id"], name="audit_time"),
            models.Index(fields=["actor_name", "at"], name="audit_actor"),
            models.Index(fields=["verb", "at"], name="audit_verb"),
            models.Index(fields=["object_type", "object_id", "at"], name="audit_object"),
            models.Index(
                fields=["patient_ref", "at"],
                name="audit_patient",
                condition=models.Q(patient_ref__isnull=False),
            ),
            models.Index(
                fields=["request_id"], name="audit_request", condition=~models.Q(request_id="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.verb} {self.object_type}"
