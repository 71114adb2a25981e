"""Floating plans and plans by use, plans of a model, blackout dates, labour and cost."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0020_typed_steps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Blackout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("yearly", models.BooleanField(default=False)),
                ("reason", models.CharField(max_length=300)),
            ],
            options={
                "ordering": ["starts_on", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Cost",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("what", models.CharField(max_length=300)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Labour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("minutes", models.PositiveSmallIntegerField()),
                ("note", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="ModelPlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                (
                    "timing",
                    models.CharField(
                        choices=[
                            ("fixed", "by the calendar"),
                            ("floating", "from when it was last done"),
                        ],
                        default="fixed",
                        max_length=8,
                    ),
                ),
                ("rrule", models.CharField(max_length=300)),
                ("starts_on", models.DateField()),
                ("grace_days", models.PositiveSmallIntegerField(default=7)),
                ("lead_days", models.PositiveSmallIntegerField(default=14)),
                ("checklist", models.JSONField(blank=True, default=list)),
                ("verify_required", models.BooleanField(default=False)),
                ("skills", models.JSONField(blank=True, default=list)),
                ("longest_months", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["device_model", "title", "pk"],
            },
        ),
        migrations.CreateModel(
            name="ModelPlanException",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rrule", models.CharField(blank=True, max_length=300)),
                ("reason", models.CharField(max_length=300)),
                ("at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["device__name", "pk"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="maintenanceplan",
            name="plan_has_a_title_and_a_rule",
        ),
        migrations.AddField(
            model_name="maintenanceplan",
            name="meter",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="plans",
                to="devices.metric",
            ),
        ),
        migrations.AddField(
            model_name="maintenanceplan",
            name="meter_base",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="maintenanceplan",
            name="meter_every",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="maintenanceplan",
            name="meter_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="maintenanceplan",
            name="skills",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="maintenanceplan",
            name="timing",
            field=models.CharField(
                choices=[
                    ("fixed", "by the calendar"),
                    ("floating", "from when it was last done"),
                    ("meter", "by use"),
                ],
                default="fixed",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="maintenanceplan",
            name="verify_required",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="workorder",
            name="counts_for",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="counted",
                to="devices.maintenanceplan",
            ),
        ),
        migrations.AddField(
            model_name="workorder",
            name="occurs_on",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="workorder",
            name="skills",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="workorder",
            name="verify_required",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="maintenanceplan",
            name="rrule",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddConstraint(
            model_name="workorder",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("occurs_on__isnull", False),
                    ("plan__isnull", False),
                    models.Q(("state", "cancelled"), _negated=True),
                ),
                fields=("plan", "occurs_on"),
                name="order_one_per_plan_and_occurrence",
                violation_error_message="This occurrence has its order already.",
            ),
        ),
        migrations.AddField(
            model_name="blackout",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="blackout",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="blackouts",
                to="devices.maintenanceplan",
            ),
        ),
        migrations.AddField(
            model_name="cost",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="cost",
            name="order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="costs",
                to="devices.workorder",
            ),
        ),
        migrations.AddField(
            model_name="labour",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="labour",
            name="order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="labour",
                to="devices.workorder",
            ),
        ),
        migrations.AddField(
            model_name="labour",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="modelplan",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="modelplan",
            name="device_model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="model_plans",
                to="devices.devicemodel",
            ),
        ),
        migrations.AddField(
            model_name="maintenanceplan",
            name="model_plan",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="plans",
                to="devices.modelplan",
            ),
        ),
        migrations.AddConstraint(
            model_name="maintenanceplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("title", ""), _negated=True),
                    models.Q(
                        models.Q(
                            models.Q(("timing", "meter"), _negated=True),
                            models.Q(("rrule", ""), _negated=True),
                            ("meter", None),
                        ),
                        models.Q(
                            ("meter__isnull", False),
                            ("meter_every__gt", 0),
                            ("rrule", ""),
                            ("timing", "meter"),
                        ),
                        _connector="OR",
                    ),
                ),
                name="plan_has_a_title_and_a_rule",
                violation_error_message="A plan needs a title and a rule, or a counter.",
            ),
        ),
        migrations.AddConstraint(
            model_name="maintenanceplan",
            constraint=models.UniqueConstraint(
                fields=("model_plan", "device"),
                name="plan_one_per_model_plan_and_machine",
                violation_error_message="This machine has the model's plan already.",
            ),
        ),
        migrations.AddField(
            model_name="modelplanexception",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="modelplanexception",
            name="device",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="plan_exceptions",
                to="devices.device",
            ),
        ),
        migrations.AddField(
            model_name="modelplanexception",
            name="model_plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="exceptions",
                to="devices.modelplan",
            ),
        ),
        migrations.AddConstraint(
            model_name="blackout",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))),
                name="blackout_ends_after_it_starts",
                violation_error_message="It ends after it starts.",
            ),
        ),
        migrations.AddConstraint(
            model_name="labour",
            constraint=models.CheckConstraint(
                condition=models.Q(("minutes__gte", 1)),
                name="labour_takes_time",
                violation_error_message="At least one minute.",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelplanexception",
            constraint=models.UniqueConstraint(
                fields=("model_plan", "device"),
                name="plan_exception_one_per_machine",
                violation_error_message="This machine has an exception already.",
            ),
        ),
    ]
