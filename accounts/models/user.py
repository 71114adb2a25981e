"""A person with one role."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from accounts.permissions import Role


class User(AbstractUser):
    """A person with one role; what the role may do stands in `accounts.permissions.TABLE`."""

    role = models.CharField(max_length=16, choices=Role.choices)
    # whole name as written on a report; Western first/last fields don't fit every name
    display_name = models.CharField(max_length=128, blank=True)
    is_demo = models.BooleanField(default=False)
    must_change_password = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="user_role_is_known",
                condition=models.Q(role__in=Role.values),
                violation_error_message="A user has one of the three roles.",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username
