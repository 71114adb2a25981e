"""A webhook can be tried: a message of no alert. Minutes of alerts are a policy."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0017_reading_hour"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AlertPolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(unique=True)),
                ("escalate_minutes", models.PositiveSmallIntegerField()),
                ("group_minutes", models.PositiveSmallIntegerField()),
                ("reason", models.CharField(max_length=300)),
                ("by_name", models.CharField(max_length=150)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.AlterField(
            model_name="notification",
            name="alert",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notifications",
                to="devices.alert",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="news",
            field=models.CharField(
                choices=[
                    ("opened", "opened"),
                    ("rose", "became worse"),
                    ("escalated", "nobody acknowledged it in time"),
                    ("reopened", "came back"),
                    ("released", "goes on, and was withheld until now"),
                    ("test", "a test by an admin"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("alert", None), ("channel", "webhook"), ("news", "test")),
                    models.Q(models.Q(("news", "test"), _negated=True), ("alert__isnull", False)),
                    _connector="OR",
                ),
                name="notification_of_an_alert_or_a_test",
                violation_error_message="A notification is of an alert, or tests a webhook.",
            ),
        ),
        migrations.AddField(
            model_name="alertpolicy",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="alertpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("escalate_minutes__range", (1, 1440)), ("group_minutes__range", (1, 240))
                ),
                name="alert_policy_minutes_are_bounded",
                violation_error_message="These minutes are out of their range.",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="alert_policy_has_a_reason",
                violation_error_message="Who changes the policy says why.",
            ),
        ),
    ]
