"""The four demo accounts of the embedded mode."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from accounts.permissions import Role
from accounts.services import users

DEMO_ACCOUNTS = (
    ("clinician", Role.CLINICIAN, "Demo clinician"),
    ("clinician2", Role.CLINICIAN, "Demo clinician, second reader"),
    ("engineer", Role.ENGINEER, "Demo engineer"),
    ("admin", Role.ADMIN, "Demo admin"),
)


class Command(BaseCommand):
    """Make the demo accounts, or give them the password again; refuses outside embedded mode."""

    help = "Make the demo accounts with the password from DEMO_PASSWORD (embedded mode only)"

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Run it as often as you like; accounts that people made are left alone."""
        if not settings.EMBEDDED:
            raise CommandError("Demo accounts exist only in the embedded mode.")
        password = os.environ.get("DEMO_PASSWORD", "")
        if not password:
            raise CommandError("Set DEMO_PASSWORD to the password of the demo accounts.")
        for username, role, display_name in DEMO_ACCOUNTS:
            self._account(username, role, display_name, password)

    def _account(self, username: str, role: str, display_name: str, password: str) -> None:
        user = User.objects.filter(username__iexact=username).first()
        if user is None:
            users.create_user(
                username=username,
                role=role,
                display_name=display_name,
                password=password,
                must_change_password=False,
                is_demo=True,
                actor=None,
            )
            self.stdout.write(f"{username}: made")
        elif not user.is_demo:
            raise CommandError(f"{username} is not a demo account; it is left as it is.")
        elif user.check_password(password):
            self.stdout.write(f"{username}: there")
        else:
            user.set_password(password)
            user.save(update_fields=["password"])
            self.stdout.write(f"{username}: password set")
