"""Hours of readings, from the five minutes that are there already, and how long they are kept."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F

# the hour's mean first, then distances from it: squares of large values would cancel out
FILL = """
    INSERT INTO devices_readinghour
        (device_id, metric_id, starts_at, n, total, m2, low, high, first_at, last_at)
    SELECT device_id, metric_id, hour, sum(n), sum(total),
        sum(m2 + n * (total / n - mean) * (total / n - mean)),
        min(low), max(high), min(first_at), max(last_at)
    FROM (
        SELECT *, sum(total) OVER one / sum(n) OVER one AS mean
        FROM (SELECT *, {hour} AS hour FROM devices_reading5min) AS five
        WINDOW one AS (PARTITION BY device_id, metric_id, hour)
    ) AS beside
    GROUP BY device_id, metric_id, hour"""
HOUR = {
    "postgresql": "date_bin('1 hour', starts_at, '2000-01-01T00:00:00Z')",
    "sqlite": "substr(starts_at, 1, 13) || ':00:00'",  # times of UTC are kept as text
}
# the current hour changes with each reading, as in 0006
MONTHS = 60  # five years, between what lies on both sides of them
ROOM = "ALTER TABLE devices_readinghour SET (fillfactor = 80)"


def fill(apps: Any, schema_editor: Any) -> None:
    """Add up the five minutes."""
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        if vendor == "postgresql":
            cursor.execute(ROOM)
        cursor.execute(FILL.format(hour=HOUR[vendor]))


def settle(apps: Any, schema_editor: Any) -> None:
    """Policies from before say nothing of hours, and what was deleted before has left none."""
    for policy in apps.get_model("devices", "RetentionPolicy").objects.all():
        five, day = policy.five_minute_months, policy.day_months
        if five is not None:
            months = max(MONTHS, five)
            policy.hour_months = months if day is None else min(months, day)
            policy.save(update_fields=["hour_months"])
    runs = apps.get_model("devices", "RetentionRun").objects
    runs.update(hour_before=F("five_minute_before"))


def _bounded(name: str) -> models.Q:
    return models.Q((f"{name}__isnull", True)) | models.Q(
        (f"{name}__gte", 2), (f"{name}__lte", 600)
    )


def _at_least(longer: str, shorter: str) -> models.Q:
    return models.Q((f"{longer}__isnull", True)) | models.Q(
        (f"{shorter}__isnull", False), (f"{longer}__gte", models.F(shorter))
    )


class Migration(migrations.Migration):
    dependencies = [("devices", "0016_standing_still")]

    operations = [
        migrations.CreateModel(
            name="ReadingHour",
            fields=[
                ("n", models.PositiveIntegerField()),
                ("total", models.FloatField()),
                ("m2", models.FloatField()),
                ("low", models.FloatField()),
                ("high", models.FloatField()),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "device_id",
                        "metric_id",
                        "starts_at",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                (
                    "device",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="devices.device",
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="devices.metric",
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.RemoveConstraint(
            model_name="retentionpolicy", name="retention_months_are_bounded"
        ),
        migrations.RemoveConstraint(
            model_name="retentionpolicy", name="retention_coarse_outlives_fine"
        ),
        migrations.AddField(
            model_name="retentionpolicy",
            name="hour_months",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="retentionrun",
            name="hour",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="retentionrun",
            name="hour_before",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(settle, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="retentionpolicy",
            constraint=models.CheckConstraint(
                condition=_bounded("raw_months")
                & _bounded("five_minute_months")
                & _bounded("hour_months")
                & _bounded("day_months"),
                name="retention_months_are_bounded",
                violation_error_message="Keep 2 to 600 months, or for ever.",
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionpolicy",
            constraint=models.CheckConstraint(
                condition=_at_least("five_minute_months", "raw_months")
                & _at_least("hour_months", "five_minute_months")
                & _at_least("day_months", "hour_months"),
                name="retention_coarse_outlives_fine",
                violation_error_message="Longer steps are kept at least as long as shorter ones.",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
