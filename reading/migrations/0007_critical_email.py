"""E-mails of critical results, and how their attempts ended."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from twinhealth.db import AppendOnly, NoLongerAppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("reading", "0006_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        NoLongerAppendOnly("reading_criticalattempt"),
        migrations.AddField(
            model_name="criticalattempt",
            name="reason",
            field=models.CharField(blank=True, default="", max_length=300),
        ),
        migrations.AlterField(
            model_name="criticalattempt",
            name="how",
            field=models.CharField(
                choices=[("in_app", "on screen"), ("email", "e-mail")],
                default="in_app",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="criticalattempt",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("shown", "shown"),
                    ("inactive", "account is closed"),
                    ("sent", "sent"),
                    ("failed", "not sent"),
                ],
                max_length=12,
            ),
        ),
        AppendOnly("reading_criticalattempt"),
        migrations.CreateModel(
            name="CriticalEmail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("step", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waits"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("failed", "not sent"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("taken_at", models.DateTimeField(blank=True, null=True)),
                (
                    "result",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="emails",
                        to="reading.criticalresult",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["state", "due_at"], name="critical_email_due")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("result", "step"),
                        name="critical_email_once_per_step",
                        violation_error_message="This step has its e-mail.",
                    ),
                    models.CheckConstraint(
                        condition=Q(state="queued", due_at__isnull=False)
                        | ~Q(state="queued") & Q(due_at=None),
                        name="critical_email_due_while_queued",
                        violation_error_message="An e-mail that waits says until when.",
                    ),
                    models.CheckConstraint(
                        condition=~Q(state="sending") | Q(taken_at__isnull=False),
                        name="critical_email_taken_at_a_time",
                        violation_error_message="An e-mail that is being sent says since when.",
                    ),
                ],
            },
        ),
    ]
