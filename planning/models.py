"""Scenarios that were kept, and schedules that were proposed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Scenario(models.Model):
    """Changes that an admin thought of, and what the simulation said of them at the time."""

    name = models.CharField(max_length=100, unique=True)
    changes = models.JSONField(default=list)  # `planning.changes.Change.to_json`
    assumptions = models.JSONField(default=dict)  # those that differ from the usual ones
    result = models.JSONField(default=dict)  # `planning.results`
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    applied_at = models.DateTimeField(null=True, blank=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""),
                name="scenario_has_a_name",
                violation_error_message="A scenario needs a name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Suggestion(models.Model):
    """A schedule that was proposed: its moves with their reasons, and what was measured."""

    moves = models.JSONField(default=list)  # `planning.suggestion.to_json`
    result = models.JSONField(default=dict)  # `planning.results`
    assumptions = models.JSONField(default=dict)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"suggestion {self.pk}"
