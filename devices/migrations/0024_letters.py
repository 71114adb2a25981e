"""Letters of other rooms in the outbox, why a message was dropped, events by time."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0023_downtimes_apart"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="notification",
            name="notification_of_an_alert_or_a_test",
        ),
        migrations.AddField(
            model_name="notification",
            name="dropped_because",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="notification",
            name="letter",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="notification",
            name="occasion",
            field=models.CharField(blank=True, max_length=160),
        ),
        migrations.AddField(
            model_name="notification",
            name="path",
            field=models.CharField(blank=True, max_length=200),
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
                    ("letter", "a letter"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            model_name="workorderevent",
            index=models.Index(fields=["at"], name="order_event_at"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                condition=models.Q(("news", "letter")),
                fields=("user", "letter", "occasion", "channel"),
                name="notification_one_letter_per_occasion",
                violation_error_message="This person is told of it already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("alert", None),
                        ("channel", "webhook"),
                        ("letter", ""),
                        ("news", "test"),
                        ("occasion", ""),
                    ),
                    models.Q(
                        ("alert", None),
                        ("channel", "email"),
                        ("news", "letter"),
                        models.Q(("letter", ""), _negated=True),
                        models.Q(("occasion", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("news__in", ["test", "letter"]), _negated=True),
                        ("alert__isnull", False),
                        ("letter", ""),
                        ("occasion", ""),
                    ),
                    _connector="OR",
                ),
                name="notification_of_an_alert_a_test_or_a_letter",
                violation_error_message="A notification is of an alert, a letter, or a test.",
            ),
        ),
    ]
