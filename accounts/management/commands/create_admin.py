"""The first account of a hospital, or one more admin where all others are lost."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.permissions import Role
from accounts.services import users
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Make an admin and print a one-time password."""

    help = "Make an admin account; prints its one-time password once"

    def add_arguments(self, parser: CommandParser) -> None:
        """Name of the account."""
        parser.add_argument("username")
        parser.add_argument("--display-name", default="", help="whole name as under reports")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        try:
            user, password = users.create_user(
                username=options["username"],
                role=Role.ADMIN,
                display_name=options["display_name"],
                actor=None,
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"user name: {user.username}")
        self.stdout.write(f"one-time password: {password}")
        self.stdout.write("Sign in and choose an own password; it is stored nowhere else.")
