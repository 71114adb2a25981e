"""An uploaded weights file, and versions that came as one."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0004_dataset_export"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="detectorversion",
            name="uploaded",
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name="WeightsUpload",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "waits for its check"),
                            ("checking", "being checked"),
                            ("accepted", "registered"),
                            ("refused", "refused"),
                        ],
                        default="uploaded",
                        max_length=16,
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField()),
                ("path", models.CharField(blank=True, max_length=300)),
                ("evidence_path", models.CharField(blank=True, max_length=300)),
                ("manifest", models.JSONField()),
                ("uploaded_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("lease_token", models.CharField(blank=True, max_length=36)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("code", models.CharField(blank=True, max_length=64)),
                ("message", models.CharField(blank=True, max_length=500)),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="upload",
                        to="detection.detectorversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-uploaded_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["uploaded", "checking"])),
                        fields=("sha256",),
                        name="weights_upload_checked_once",
                        violation_error_message="This file is being checked already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state", "checking"),
                                ("lease_until__isnull", False),
                                models.Q(("lease_token", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "checking"), _negated=True),
                                ("lease_token", ""),
                                ("lease_until", None),
                            ),
                            _connector="OR",
                        ),
                        name="weights_upload_checking_has_a_lease",
                        violation_error_message="An upload under check has a lease, no other has.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["accepted", "refused"]), _negated=True),
                            ("finished_at__isnull", False),
                            _connector="OR",
                        ),
                        name="weights_upload_ended_has_a_time",
                        violation_error_message="A check that has ended says when.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "accepted"), ("version__isnull", False)),
                            models.Q(
                                models.Q(("state", "accepted"), _negated=True), ("version", None)
                            ),
                            _connector="OR",
                        ),
                        name="weights_upload_accepted_has_a_version",
                        violation_error_message="An accepted upload has its version, no other has.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "refused"), _negated=True),
                            models.Q(
                                models.Q(("code", ""), _negated=True),
                                models.Q(("message", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="weights_upload_refused_has_a_reason",
                        violation_error_message="A refused upload says why.",
                    ),
                ],
            },
        ),
    ]
