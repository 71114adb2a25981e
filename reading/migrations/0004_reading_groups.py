"""Reading groups, and what their blinded readers thought before the model was shown."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("imaging", "0003_requested_urgency"),
        ("reading", "0003_critical_results"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReadingGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=64, unique=True)),
                ("blinded", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ReadingGroupMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="reading.readinggroup",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["user__username"],
            },
        ),
        migrations.AddField(
            model_name="readinggroup",
            name="members",
            field=models.ManyToManyField(
                related_name="+", through="reading.ReadingGroupMember", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.CreateModel(
            name="FirstImpression",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reader_name", models.CharField(max_length=150)),
                ("at", models.DateTimeField()),
                (
                    "conclusion",
                    models.CharField(
                        choices=[
                            ("normal", "normal"),
                            ("abnormal", "abnormal"),
                            ("not_readable", "not readable"),
                        ],
                        max_length=16,
                    ),
                ),
                ("text", models.TextField(blank=True, max_length=4000)),
                ("boxes", models.JSONField(default=list)),
                ("seen_before", models.BooleanField(default=False)),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="first_impressions",
                        to="imaging.image",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("image", "reader"),
                        name="first_impression_once_per_reader",
                        violation_error_message="This reader has given a first impression already.",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="readinggroup",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="reading_group_has_a_name",
                violation_error_message="A group has a name.",
            ),
        ),
        AppendOnly("reading_firstimpression"),
    ]
