"""Files of readings on their way in."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0013_noted_since"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="reading",
            name="source",
            field=models.CharField(
                choices=[
                    ("rest", "sent by the device"),
                    ("mqtt", "sent by the device over MQTT"),
                    ("dicom", "image header"),
                    ("pixels", "image pixels"),
                    ("csv", "file of readings"),
                    ("dose_report", "radiation dose report"),
                    ("simulator", "simulator"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="ReadingImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("filename", models.CharField(max_length=255)),
                ("path", models.CharField(max_length=200, unique=True)),
                ("size", models.PositiveBigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("dialect", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checking", "being looked through"),
                            ("checked", "waits for your word"),
                            ("storing", "being stored"),
                            ("done", "stored"),
                            ("failed", "failed"),
                            ("discarded", "discarded"),
                        ],
                        default="checking",
                        max_length=16,
                    ),
                ),
                ("rows_done", models.PositiveBigIntegerField(default=0)),
                ("accepted", models.PositiveBigIntegerField(default=0)),
                ("duplicates", models.PositiveBigIntegerField(default=0)),
                ("refused", models.PositiveBigIntegerField(default=0)),
                ("preview", models.JSONField(default=list)),
                ("message", models.CharField(blank=True, max_length=300)),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                ("touched_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="RefusedRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveBigIntegerField()),
                ("metric", models.CharField(blank=True, max_length=64)),
                ("code", models.CharField(max_length=64)),
                ("message", models.CharField(max_length=300)),
                ("text", models.CharField(blank=True, max_length=500)),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="devices.readingimport",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
    ]
