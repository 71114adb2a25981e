"""Machines are marked as degraded, by people and by rules."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0010_wake"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="marks_degraded",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="twinevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("registered", "registered"),
                    ("config_reported", "configuration reported"),
                    ("config_desired", "configuration wanted"),
                    ("lifecycle", "taken in or out of service"),
                    ("alert_opened", "alert opened"),
                    ("alert_resolved", "alert resolved"),
                    ("maintenance_done", "maintenance done"),
                    ("clock", "clock"),
                    ("degraded", "marked as degraded"),
                    ("degraded_ended", "no longer degraded"),
                    ("degraded_withdrawn", "mark as degraded withdrawn"),
                    ("alias_confirmed", "alias confirmed"),
                ],
                max_length=32,
            ),
        ),
        migrations.CreateModel(
            name="DegradedSpan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(max_length=300)),
                (
                    "source",
                    models.CharField(
                        choices=[("person", "a person"), ("alert", "a rule, by its alert")],
                        max_length=8,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("end_reason", models.CharField(blank=True, max_length=300)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("withdraw_reason", models.CharField(blank=True, max_length=300)),
                ("changed_at", models.DateTimeField()),
                ("steps", models.PositiveSmallIntegerField(default=1)),
                (
                    "alert",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="degraded_spans",
                        to="devices.alert",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="degraded_spans",
                        to="devices.device",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "withdrawn_by",
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
                "ordering": ["-since", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("until", None), ("withdrawn_at", None)),
                        fields=("device",),
                        name="degraded_one_that_lasts_per_device",
                        violation_error_message="This machine is marked as degraded already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("until", None), ("until__gt", models.F("since")), _connector="OR"
                        ),
                        name="degraded_ends_after_it_begins",
                        violation_error_message="A degraded span ends after it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", ""), _negated=True),
                            models.Q(
                                models.Q(("by__isnull", False), ("source", "person")),
                                models.Q(
                                    ("alert__isnull", False), ("by", None), ("source", "alert")
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="degraded_says_why_and_by_what",
                        violation_error_message="Say why the machine is degraded.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end_reason", ""), ("ended_at", None)),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("until__isnull", False),
                                models.Q(("end_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="degraded_end_has_a_reason",
                        violation_error_message="Say why the machine is good again.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("withdraw_reason", ""), ("withdrawn_at", None)),
                            models.Q(
                                ("withdrawn_at__isnull", False),
                                models.Q(("withdraw_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="degraded_withdrawal_has_a_reason",
                        violation_error_message="Say why the mark is withdrawn.",
                    ),
                ],
            },
        ),
        # what was said at first stays; a mark ends or is withdrawn, once each
        AppendOnly(
            "devices_degradedspan",
            mutable=(
                "until",
                "ended_at",
                "ended_by_id",
                "end_reason",
                "withdrawn_at",
                "withdrawn_by_id",
                "withdraw_reason",
                "changed_at",
                "steps",
            ),
        ),
    ]
