"""`manage.py prepare`: everything between "installed" and "started", in one process.

Checks, database, pages' files, the detector's row and, on the first start, the demo hospital. Run
by `make run` before anything is started; embedded mode only, production does each step itself.
"""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from twinhealth import checks


class Command(BaseCommand):
    """Make the data folder ready; may be run again at any time."""

    help = "Make the embedded hospital ready to start (checks, database, pages, demo)"
    requires_system_checks = [checks.START, checks.DETECTOR]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether a demo hospital is wanted."""
        parser.add_argument("--demo", action="store_true", help="demo accounts, machines and films")

    def check(self, *args: Any, **kwargs: Any) -> None:
        """Run the start checks too; they are not part of every command's checks."""
        super().check(*args, **{**kwargs, "include_deployment_checks": True})

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the steps in their order."""
        if not settings.EMBEDDED:
            raise CommandError("This prepares the embedded mode; see docs/deployment.md.")
        if options["demo"]:
            self._refuse_a_real_hospital()
        call_command("migrate", interactive=False, verbosity=0)
        self._collect_static()
        call_command("register_detector", verbosity=0, stdout=_Silence())
        if options["demo"]:
            self._demo()

    def _refuse_a_real_hospital(self) -> None:
        """Demo accounts have a known password: never among real ones."""
        users = get_user_model()
        if "accounts_user" not in connection.introspection.table_names():
            return
        people = users.objects.filter(is_active=True)
        if people.exists() and not people.filter(is_demo=True).exists():
            raise CommandError(
                "This database has accounts and none of them is a demo account; the demo is not "
                "put beside them. Choose another DATA_DIR or DATABASE_URL, or DEMO=0."
            )

    def _collect_static(self) -> None:
        root = Path(settings.STATIC_ROOT)
        stamp = root / ".fingerprint"
        fingerprint = _static_fingerprint()
        if stamp.exists() and stamp.read_text() == fingerprint:
            return
        call_command("collectstatic", interactive=False, verbosity=0, clear=root.exists())
        stamp.write_text(fingerprint)

    def _demo(self) -> None:
        call_command("create_demo_users", verbosity=0, stdout=_Silence())
        stamp = Path(settings.DATA_DIR) / "demo-seeded"
        database = f"{connection.vendor} {connection.settings_dict['NAME']}"
        if stamp.exists() and stamp.read_text() == database:
            return
        self.stdout.write("making the demo hospital (the first time only)")
        call_command("seed_demo")
        stamp.write_text(database)


class _Silence:
    """These commands tell of each row; `make run` says what matters at the end."""

    def write(self, text: str) -> None:
        """Take it and do nothing."""


def _static_fingerprint() -> str:
    """Of names, sizes and times of all files that would be collected."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(["CVS", ".*", "*~"]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
