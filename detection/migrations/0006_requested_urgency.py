"""How soon a film is wanted; and which part of its rank ends at the ceiling."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

HOUR = 3600.0  # the ceiling, in which `rank` counts


def split_rank(apps, schema_editor):
    """Until now a rank was the head start less the arrival; nobody had asked for a film yet."""
    item = apps.get_model("detection", "WorklistItem")
    changed = []
    for row in item.objects.filter(signed=False).only("rank", "waiting_since"):
        row.head_start = max(
            0.0, round(1024 * (row.rank + row.waiting_since.timestamp() / HOUR)) / 1024
        )
        changed.append(row)
    item.objects.bulk_update(changed, ["head_start"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0005_weights_upload"),
        ("imaging", "0003_requested_urgency"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="worklistitem",
            name="head_start",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="worklistitem",
            name="urgency",
            field=models.CharField(
                blank=True,
                choices=[
                    ("stat", "STAT"),
                    ("high", "high"),
                    ("routine", "routine"),
                    ("medium", "medium"),
                    ("low", "low"),
                ],
                default="",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="worklistitem",
            name="urgency_reason",
            field=models.CharField(blank=True, default="", max_length=300),
        ),
        migrations.RunPython(split_rank, migrations.RunPython.noop),
        migrations.CreateModel(
            name="UrgencySet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "urgency",
                    models.CharField(
                        choices=[
                            ("stat", "STAT"),
                            ("high", "high"),
                            ("routine", "routine"),
                            ("medium", "medium"),
                            ("low", "low"),
                        ],
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "image",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="urgency_set",
                        to="imaging.image",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="urgency_set_has_a_reason",
                        violation_error_message="Who changes the urgency of a film says why.",
                    )
                ],
            },
        ),
    ]
