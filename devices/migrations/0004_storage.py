"""Newest readings, rollups, how long they are kept, and snapshots of twins."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce


def count_loose(apps, schema_editor):
    """No snapshot is there yet, so all events lie after the newest one."""
    states = apps.get_model("devices", "TwinState").objects
    events = apps.get_model("devices", "TwinEvent").objects.filter(device=OuterRef("device"))
    counted = events.order_by().values("device").annotate(n=Count("pk")).values("n")
    states.update(loose=Coalesce(Subquery(counted), 0))


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0003_device_key"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Reading5Min",
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
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ReadingDay",
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
                        "day",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
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
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ReadingLatest",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "device_id",
                        "metric_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("measured_at", models.DateTimeField()),
                ("value", models.FloatField()),
                ("received_at", models.DateTimeField()),
                (
                    "device",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="latest",
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
        ),
        migrations.CreateModel(
            name="RetentionPolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(unique=True)),
                ("raw_months", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("five_minute_months", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("day_months", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("reason", models.CharField(max_length=300)),
                ("by_name", models.CharField(max_length=150)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            name="RetentionRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("raw_before", models.DateTimeField(blank=True, null=True)),
                ("five_minute_before", models.DateTimeField(blank=True, null=True)),
                ("day_before", models.DateField(blank=True, null=True)),
                ("requested_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("partitions", models.PositiveIntegerField(default=0)),
                ("raw", models.PositiveBigIntegerField(default=0)),
                ("five_minute", models.PositiveBigIntegerField(default=0)),
                ("day", models.PositiveBigIntegerField(default=0)),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="devices.retentionpolicy",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
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
            name="TwinSnapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("events", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("revision", models.PositiveIntegerField()),
                ("state", models.JSONField()),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="snapshots",
                        to="devices.device",
                    ),
                ),
            ],
            options={
                "ordering": ["device", "at", "revision"],
            },
        ),
        migrations.AddField(
            model_name="twinstate",
            name="loose",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="reading",
            name="device",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="readings",
                to="devices.device",
            ),
        ),
        migrations.AlterField(
            model_name="reading",
            name="metric",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="readings",
                to="devices.metric",
            ),
        ),
        migrations.AddIndex(
            model_name="twinevent",
            index=models.Index(fields=["device", "at", "revision"], name="twin_event_moment"),
        ),
        migrations.AddConstraint(
            model_name="retentionpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("raw_months__isnull", True),
                        models.Q(("raw_months__gte", 2), ("raw_months__lte", 600)),
                        _connector="OR",
                    ),
                    models.Q(
                        ("five_minute_months__isnull", True),
                        models.Q(("five_minute_months__gte", 2), ("five_minute_months__lte", 600)),
                        _connector="OR",
                    ),
                    models.Q(
                        ("day_months__isnull", True),
                        models.Q(("day_months__gte", 2), ("day_months__lte", 600)),
                        _connector="OR",
                    ),
                ),
                name="retention_months_are_bounded",
                violation_error_message="Keep 2 to 600 months, or for ever.",
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("five_minute_months__isnull", True),
                        models.Q(
                            ("raw_months__isnull", False),
                            ("five_minute_months__gte", models.F("raw_months")),
                        ),
                        _connector="OR",
                    ),
                    models.Q(
                        ("day_months__isnull", True),
                        models.Q(
                            ("five_minute_months__isnull", False),
                            ("day_months__gte", models.F("five_minute_months")),
                        ),
                        _connector="OR",
                    ),
                ),
                name="retention_coarse_outlives_fine",
                violation_error_message="Longer steps are kept at least as long as shorter ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="retention_has_a_reason",
                violation_error_message="Who changes the policy says why.",
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at", None)),
                fields=("policy",),
                name="retention_run_once_a_policy",
                violation_error_message="This policy is being applied already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="twinsnapshot",
            constraint=models.UniqueConstraint(
                fields=("device", "at", "revision"),
                name="twin_snapshot_once",
                violation_error_message="This snapshot is already there.",
            ),
        ),
        # the next event then makes a long journal's snapshots; until then its whole length is folded
        migrations.RunPython(count_loose, migrations.RunPython.noop),
    ]
