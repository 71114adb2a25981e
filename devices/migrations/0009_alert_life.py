"""Relations of machines, incidents, and the outbox of notifications."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0008_first_rule_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DeliveryAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("delivered", "delivered"),
                            ("failed", "failed"),
                            ("lost", "the worker was lost"),
                        ],
                        max_length=10,
                    ),
                ),
                ("code", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("took_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("text", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("number", models.PositiveIntegerField()),
                (
                    "news",
                    models.CharField(
                        choices=[
                            ("opened", "opened"),
                            ("rose", "became worse"),
                            ("escalated", "nobody acknowledged it in time"),
                            ("reopened", "came back"),
                            ("released", "goes on, and was withheld until now"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "severity",
                    models.CharField(choices=[("watch", "watch"), ("act", "act")], max_length=8),
                ),
                ("text", models.CharField(max_length=300)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("in_app", "in the app"),
                            ("email", "e-mail"),
                            ("webhook", "webhook"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waits"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("dead", "given up"),
                            ("dropped", "not needed any more"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("taken_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-created_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Spare",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("watch", models.BooleanField(default=True)),
                ("act", models.BooleanField(default=True)),
                ("escalations", models.BooleanField(default=True)),
                ("rooms", models.JSONField(blank=True, default=list)),
                ("in_app", models.BooleanField(default=True)),
                ("email", models.BooleanField(default=False)),
                ("quiet_from", models.TimeField(blank=True, null=True)),
                ("quiet_to", models.TimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Supply",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=64, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("power", "power"),
                            ("network", "network"),
                            ("cooling", "cooling"),
                        ],
                        default="power",
                        max_length=8,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "verbose_name_plural": "supplies",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SupplyMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=64, unique=True)),
                ("url", models.CharField(max_length=500)),
                (
                    "severity",
                    models.CharField(
                        choices=[("watch", "watch"), ("act", "act")], default="watch", max_length=8
                    ),
                ),
                ("active", models.BooleanField(default=True)),
                ("salt", models.CharField(max_length=64)),
                ("old_salt", models.CharField(blank=True, max_length=64)),
                ("old_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="alert",
            name="escalated_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="alert",
            name="news_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddField(
            model_name="alert",
            name="opened_withheld",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "told"),
                    ("maintenance", "muted: the machine is in maintenance"),
                    ("snoozed", "snoozed"),
                    ("inhibited", "inhibited by the same metric's act alert"),
                    ("grouped", "told with its incident"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="told",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="alert",
            name="withheld",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "told"),
                    ("maintenance", "muted: the machine is in maintenance"),
                    ("snoozed", "snoozed"),
                    ("inhibited", "inhibited by the same metric's act alert"),
                    ("grouped", "told with its incident"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="AlertGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("label", models.CharField(max_length=64)),
                (
                    "severity",
                    models.CharField(choices=[("watch", "watch"), ("act", "act")], max_length=8),
                ),
                ("opened_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "head",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="heads",
                        to="devices.alert",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="alert",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="members",
                to="devices.alertgroup",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["opened_at"], name="alert_opened"),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("state", "resolved"), _negated=True),
                fields=["news_at"],
                name="alert_unresolved_news",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="alert",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notifications",
                to="devices.alert",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="deliveryattempt",
            name="notification",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="devices.notification",
            ),
        ),
        migrations.AddField(
            model_name="spare",
            name="device",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="spare_rows",
                to="devices.device",
            ),
        ),
        migrations.AddField(
            model_name="spare",
            name="spare",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="stands_in_rows",
                to="devices.device",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="devices",
            field=models.ManyToManyField(blank=True, related_name="+", to="devices.device"),
        ),
        migrations.AddField(
            model_name="subscription",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="alert_subscription",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="supply",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="supply_has_a_name",
                violation_error_message="A supply needs a name.",
            ),
        ),
        migrations.AddField(
            model_name="alertgroup",
            name="supply",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="groups",
                to="devices.supply",
            ),
        ),
        migrations.AddField(
            model_name="supplymember",
            name="device",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="supply_rows",
                to="devices.device",
            ),
        ),
        migrations.AddField(
            model_name="supplymember",
            name="supply",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="members",
                to="devices.supply",
            ),
        ),
        migrations.AddField(
            model_name="webhook",
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
            model_name="notification",
            name="webhook",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notifications",
                to="devices.webhook",
            ),
        ),
        migrations.AddConstraint(
            model_name="spare",
            constraint=models.UniqueConstraint(
                fields=("device", "spare"),
                name="spare_once",
                violation_error_message="This machine is its spare already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="spare",
            constraint=models.CheckConstraint(
                condition=models.Q(("device", models.F("spare")), _negated=True),
                name="spare_is_another_machine",
                violation_error_message="A machine can't stand in for itself.",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quiet_from", None), ("quiet_to", None)),
                    models.Q(("quiet_from__isnull", False), ("quiet_to__isnull", False)),
                    _connector="OR",
                ),
                name="subscription_quiet_hours_have_two_ends",
                violation_error_message="Quiet hours have a begin and an end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertgroup",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("head",),
                name="alert_group_one_live_per_head",
                violation_error_message="This alert heads an incident already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="supplymember",
            constraint=models.UniqueConstraint(
                fields=("supply", "device"),
                name="supply_member_once",
                violation_error_message="The machine hangs on this supply already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("name", ""), _negated=True),
                    models.Q(("url", ""), _negated=True),
                    models.Q(("salt", ""), _negated=True),
                ),
                name="webhook_is_whole",
                violation_error_message="A webhook needs a name and an address.",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("old_salt", ""), ("old_until", None)),
                    models.Q(
                        models.Q(("old_salt", ""), _negated=True), ("old_until__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="webhook_old_secret_ends",
                violation_error_message="The secret before says until when it goes on.",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["state", "due_at"], name="notification_due"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("channel", "in_app"), ("read_at", None), ("state", "sent")),
                fields=["user"],
                name="notification_unread",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user__isnull", False)),
                fields=("alert", "number", "user", "channel"),
                name="notification_once_per_person",
                violation_error_message="This person is told of it already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                condition=models.Q(("webhook__isnull", False)),
                fields=("alert", "number", "webhook"),
                name="notification_once_per_webhook",
                violation_error_message="This address is told of it already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("channel", "webhook"), ("user", None), ("webhook__isnull", False)),
                    models.Q(
                        models.Q(("channel", "webhook"), _negated=True),
                        ("user__isnull", False),
                        ("webhook", None),
                    ),
                    _connector="OR",
                ),
                name="notification_has_one_receiver",
                violation_error_message="A notification has one receiver.",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at__isnull", False), ("state", "queued")),
                    models.Q(models.Q(("state", "queued"), _negated=True), ("due_at", None)),
                    _connector="OR",
                ),
                name="notification_due_while_queued",
                violation_error_message="A notification that waits says until when.",
            ),
        ),
        # what was open before this migration became news when it opened
        migrations.RunSQL("UPDATE devices_alert SET news_at = opened_at", migrations.RunSQL.noop),
        AppendOnly("devices_deliveryattempt"),
    ]
