"""Orders from alerts wait for evidence that the work held; completions keep what was signed."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0018_alert_policy"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="workorder",
            name="evidence",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "not asked for"),
                    ("waiting", "waiting for evidence"),
                    ("shown", "shown"),
                    ("failed", "not shown"),
                    ("person", "a person resolved the alert"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="workorder",
            name="evidence_by",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="workorder",
            name="evidence_readings",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="workorder",
            name="evidence_text",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="workorder",
            name="follows",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="followed_by",
                to="devices.workorder",
            ),
        ),
        migrations.AddField(
            model_name="workorderevent",
            name="detail",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddIndex(
            model_name="workorder",
            index=models.Index(
                condition=models.Q(("evidence", "waiting")),
                fields=["device"],
                name="order_waits_for_evidence",
            ),
        ),
        migrations.AddConstraint(
            model_name="workorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("evidence", "waiting"), _negated=True),
                    models.Q(("evidence_by__isnull", False), ("state__in", ["done", "verified"])),
                    _connector="OR",
                ),
                name="order_waits_for_evidence_once_done",
                violation_error_message="Evidence is waited for once the work is done.",
            ),
        ),
    ]
