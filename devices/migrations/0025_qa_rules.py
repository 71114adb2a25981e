"""Rules behind the alerts of QA protocols: a kind that another room judges."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0024_letters"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="rule",
            name="rule_of_a_metric_or_of_a_model",
        ),
        migrations.AlterField(
            model_name="rule",
            name="kind",
            field=models.CharField(
                choices=[
                    ("limit", "limit"),
                    ("rate", "rate of change"),
                    ("drift", "drift from its own baseline"),
                    ("anomaly", "unusual behaviour"),
                    ("silence", "silence"),
                    ("stuck", "standing still"),
                    ("image_quality", "image quality"),
                    ("reject_rate", "reject rate"),
                    ("config", "configuration"),
                    ("clock", "clock"),
                    ("qa", "QA protocol"),
                ],
                default="limit",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("device_model__isnull", False),
                        ("kind__in", ["config", "clock", "qa"]),
                        ("metric", None),
                    ),
                    models.Q(
                        models.Q(("kind__in", ["config", "clock", "qa"]), _negated=True),
                        ("device_model", None),
                        ("metric__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="rule_of_a_metric_or_of_a_model",
                violation_error_message="A rule is of a metric, or of the machine as a whole.",
            ),
        ),
    ]
