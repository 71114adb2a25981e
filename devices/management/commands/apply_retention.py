"""Deletes readings by the settled policy, or says what it would delete."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from devices.selectors.retention import policy_now
from devices.selectors.storage import plan
from devices.services import deletion, retention
from twinhealth.errors import DomainError

_HOUR = 3600.0


class Command(BaseCommand):
    """`apply_retention [--dry-run]`."""

    help = "Delete readings by the settled policy; --dry-run only says what it would delete."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Only one choice: look or delete."""
        parser.add_argument("--dry-run", action="store_true", help="change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what goes, and unless told otherwise delete it here, without a worker."""
        now = timezone.now()
        found = plan(policy_now(), now)
        months = ", ".join(f"{month:%Y-%m}" for month in found.partitions)
        self.stdout.write(
            f"{len(found.partitions)} partitions{f' ({months})' if months else ''}, "
            f"{found.raw} readings, {found.five_minute} five minutes, {found.hour} hours, "
            f"{found.day} days; "
            f"{found.day_kept} old days stay for alerts and films"
        )
        if options["dry_run"] or found.nothing:
            return
        try:
            run = retention.begin(user=None, now=now)
        except DomainError as error:
            raise CommandError(error.message) from error
        if not deletion.work(run_id=run.pk, seconds=_HOUR):
            raise CommandError("It isn't done; beat goes on with it.")
        self.stdout.write("deleted")
