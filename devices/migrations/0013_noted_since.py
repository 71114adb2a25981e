"""From when a machine's failures are noted here."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0012_components"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="noted_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
