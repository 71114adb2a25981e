"""A person with one role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from accounts.permissions import Role


class Users(UserManager["User"]):
    """Names are found whatever their case: nobody should wonder whether it was `Admin`."""

    use_in_migrations = False

    def get_by_natural_key(self, username: str | None) -> User:
        """Used by Django's sign-in."""
        return self.get(username__iexact=username)


class User(AbstractUser):
    """A person with one role; what the role may do stands in `accounts.permissions.TABLE`."""

    role = models.CharField(max_length=16, choices=Role.choices)
    # whole name as written on a report; Western first/last fields don't fit every name
    display_name = models.CharField(max_length=128, blank=True)
    # a clinician who answers for the room: sees every reader's figures, not only the own ones
    is_reading_lead = models.BooleanField(default=False)
    is_demo = models.BooleanField(default=False)
    must_change_password = models.BooleanField(default=False)
    # counted up to end every session of this person at once
    session_epoch = models.PositiveIntegerField(default=0)

    objects: ClassVar[Users] = Users()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="user_role_is_known",
                condition=models.Q(role__in=Role.values),
                violation_error_message="A user has one of the three roles.",
            ),
            models.CheckConstraint(
                name="user_lead_reads",
                condition=models.Q(is_reading_lead=False) | models.Q(role=Role.CLINICIAN),
                violation_error_message="Only a clinician leads a reading room.",
            ),
            models.UniqueConstraint(
                Lower("username"),
                name="user_name_is_unique_in_any_case",
                violation_error_message="This user name is taken.",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_session_auth_hash(self) -> str:
        """A session lives as long as this stays the same: password and epoch."""
        return self._session_hash(None)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under keys that are being replaced."""
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret)

    def _session_hash(self, secret: str | bytes | None) -> str:
        value = f"{self.password}:{self.session_epoch}"
        return salted_hmac("accounts.session", value, secret=secret, algorithm="sha256").hexdigest()
