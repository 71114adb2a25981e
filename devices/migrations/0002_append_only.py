"""Rows of `devices_twinevent` are only ever added, whoever asks."""

from __future__ import annotations

from django.db import migrations

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("devices", "0001_initial")]
    operations = [AppendOnly("devices_twinevent")]
