"""Keys of machines, with which they send their readings themselves, and what came over MQTT."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MqttCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("outcome", models.CharField(max_length=40, unique=True)),
                ("count", models.PositiveBigIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
            ],
        ),
        migrations.AlterField(
            model_name="reading",
            name="received_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name="reading",
            name="source",
            field=models.CharField(
                choices=[
                    ("rest", "sent by the device"),
                    ("mqtt", "sent by the device over MQTT"),
                    ("dicom", "image header"),
                    ("pixels", "image pixels"),
                    ("simulator", "simulator"),
                ],
                max_length=16,
            ),
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
                    ("alias_confirmed", "alias confirmed"),
                ],
                max_length=32,
            ),
        ),
        migrations.CreateModel(
            name="DeviceKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("prefix", models.CharField(max_length=12, unique=True)),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keys",
                        to="devices.device",
                    ),
                ),
                (
                    "revoked_by",
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
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True),
                            models.Q(("prefix", ""), _negated=True),
                            models.Q(("digest", ""), _negated=True),
                        ),
                        name="device_key_is_whole",
                        violation_error_message="A key needs a name.",
                    )
                ],
            },
        ),
    ]
