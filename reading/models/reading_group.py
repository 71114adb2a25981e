"""Readers who read the same way: blinded at first, or with the model from the start."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class ReadingGroup(models.Model):
    """A named group that admins keep; its readers see the model after their own first read."""

    name = models.CharField(max_length=64, unique=True)
    blinded = models.BooleanField(default=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="ReadingGroupMember", related_name="+"
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""),
                name="reading_group_has_a_name",
                violation_error_message="A group has a name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReadingGroupMember(models.Model):
    """That a person is in a group; nobody is in two."""

    group = models.ForeignKey(ReadingGroup, models.CASCADE, related_name="rows")
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        ordering = ["user__username"]

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"
