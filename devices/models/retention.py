"""How long readings are kept, who settled it, and what was deleted by it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

SHORTEST, LONGEST = 2, 600  # months
LENGTHS = ("raw_months", "five_minute_months", "hour_months", "day_months")


def _bounded(name: str) -> Q:
    return Q((f"{name}__isnull", True)) | Q((f"{name}__gte", SHORTEST), (f"{name}__lte", LONGEST))


def _at_least(longer: str, shorter: str) -> Q:
    """What has no end is longest."""
    return Q((f"{longer}__isnull", True)) | (
        Q((f"{shorter}__isnull", False)) & Q((f"{longer}__gte", F(shorter)))
    )


class RetentionPolicy(models.Model):
    """What an admin settled, when and why; rows are only ever added and the newest counts.

    Full calendar months (UTC) before the current one; `None` keeps for ever.
    """

    # one more than the row before, so that of two changes made from the same row one is refused
    number = models.PositiveIntegerField(unique=True)
    raw_months = models.PositiveSmallIntegerField(null=True, blank=True)
    five_minute_months = models.PositiveSmallIntegerField(null=True, blank=True)
    hour_months = models.PositiveSmallIntegerField(null=True, blank=True)
    day_months = models.PositiveSmallIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=_bounded("raw_months")
                & _bounded("five_minute_months")
                & _bounded("hour_months")
                & _bounded("day_months"),
                name="retention_months_are_bounded",
                violation_error_message=f"Keep {SHORTEST} to {LONGEST} months, or for ever.",
            ),
            models.CheckConstraint(
                condition=_at_least("five_minute_months", "raw_months")
                & _at_least("hour_months", "five_minute_months")
                & _at_least("day_months", "hour_months"),
                name="retention_coarse_outlives_fine",
                violation_error_message="Longer steps are kept at least as long as shorter ones.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="retention_has_a_reason",
                violation_error_message="Who changes the policy says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"retention {self.number}"

    @property
    def lengths(self) -> dict[str, int | None]:
        """Months by field's name, from readings to days."""
        return {name: getattr(self, name) for name in LENGTHS}


class RetentionRun(models.Model):
    """One deletion by a policy: the moments before which it deletes, and what it has deleted.

    From the row's commit on, the doors refuse readings measured before `raw_before`, so that a
    reading which is deleted can't come a second time and be counted twice.
    """

    policy = models.ForeignKey(RetentionPolicy, models.PROTECT, related_name="runs")
    raw_before = models.DateTimeField(null=True, blank=True)
    five_minute_before = models.DateTimeField(null=True, blank=True)
    hour_before = models.DateTimeField(null=True, blank=True)
    day_before = models.DateField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    partitions = models.PositiveIntegerField(default=0)
    raw = models.PositiveBigIntegerField(default=0)
    five_minute = models.PositiveBigIntegerField(default=0)
    hour = models.PositiveBigIntegerField(default=0)
    day = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy"],
                condition=Q(finished_at=None),
                name="retention_run_once_a_policy",
                violation_error_message="This policy is being applied already.",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of retention {self.policy_id}"
