"""Rows of `accounts_auditentry` are only ever added, whoever asks."""

from __future__ import annotations

from django.db import migrations

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [AppendOnly("accounts_auditentry")]
