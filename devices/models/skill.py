"""What people are able to do, and where an admin let somebody work without it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class PersonSkill(models.Model):
    """One skill of one person, until a day where it ends."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="skills")
    name = models.CharField(max_length=64)
    valid_until = models.DateField(null=True, blank=True)  # the last day; none: it doesn't end
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["person__username", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                "person",
                Lower("name"),
                name="skill_once_per_person",
                violation_error_message="This person has the skill already.",
            ),
            models.CheckConstraint(
                condition=~Q(name=""),
                name="skill_has_a_name",
                violation_error_message="A skill has a name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SkillWaiver(models.Model):
    """An admin let one person work on one order without a skill that it asks for."""

    order = models.ForeignKey("devices.WorkOrder", models.CASCADE, related_name="waivers")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    skills = models.JSONField(default=list)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="waiver_has_a_reason",
                violation_error_message="Say why.",
            ),
        ]

    def __str__(self) -> str:
        return self.reason
