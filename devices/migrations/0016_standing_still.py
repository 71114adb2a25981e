"""A sensor that stands still is a kind of rule."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0015_details"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="rule",
            name="rule_has_a_limit",
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
                        ("kind__in", ["limit", "rate", "stuck", "image_quality", "reject_rate"]),
                        _negated=True,
                    ),
                    ("low__isnull", False),
                    ("high__isnull", False),
                    _connector="OR",
                ),
                name="rule_has_a_limit",
                violation_error_message="A rule needs a lower or an upper limit.",
            ),
        ),
    ]
