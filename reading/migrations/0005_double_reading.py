"""The reading policy, and films that are read twice."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0008_reading_policy"),
        ("imaging", "0003_requested_urgency"),
        ("reading", "0004_reading_groups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Adjudication",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "choice",
                    models.CharField(
                        choices=[("first", "as first"), ("second", "as second"), ("own", "own")],
                        max_length=8,
                    ),
                ),
                (
                    "signature",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjudication",
                        to="detection.signature",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReadingPolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(unique=True)),
                ("ceiling_minutes", models.PositiveSmallIntegerField(default=60)),
                (
                    "twice",
                    models.CharField(
                        choices=[
                            ("none", "none"),
                            ("share", "a share, drawn by the film's SHA-256"),
                            ("flagged", "those that the detector flags"),
                            ("all", "all"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                ("twice_percent", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("reason", models.CharField(max_length=300)),
                ("by_name", models.CharField(max_length=150)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            name="DoubleReading",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("none", "none"),
                            ("share", "a share, drawn by the film's SHA-256"),
                            ("flagged", "those that the detector flags"),
                            ("all", "all"),
                        ],
                        max_length=8,
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "image",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="double_reading",
                        to="imaging.image",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reading.readingpolicy",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="IndependentRead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
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
                ("sections", models.JSONField(default=dict)),
                ("findings", models.JSONField()),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="independent_reads",
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
                "ordering": ["image", "position"],
                "indexes": [models.Index(fields=["reader"], name="read_by_reader")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("image", "position"),
                        name="read_one_per_position",
                        violation_error_message="Another reader was faster.",
                    ),
                    models.UniqueConstraint(
                        fields=("image", "reader"),
                        name="read_one_per_reader",
                        violation_error_message="This reader has read the film already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("position__gte", 1), ("position__lte", 2)),
                        name="read_first_or_second",
                        violation_error_message="Two readers read a film, not more.",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="readingpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("ceiling_minutes__gte", 15), ("ceiling_minutes__lte", 1440)),
                name="policy_ceiling_is_bounded",
                violation_error_message="A ceiling lasts 15 to 1440 minutes.",
            ),
        ),
        migrations.AddConstraint(
            model_name="readingpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("twice", "share"),
                        ("twice_percent__isnull", False),
                        ("twice_percent__gte", 1),
                        ("twice_percent__lte", 100),
                    ),
                    models.Q(models.Q(("twice", "share"), _negated=True), ("twice_percent", None)),
                    _connector="OR",
                ),
                name="policy_share_has_a_percentage",
                violation_error_message="A share, and nothing else, has 1 to 100 percent.",
            ),
        ),
        migrations.AddConstraint(
            model_name="readingpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="policy_has_a_reason",
                violation_error_message="Who changes the policy says why.",
            ),
        ),
        AppendOnly("reading_readingpolicy"),
        AppendOnly("reading_doublereading"),
        AppendOnly("reading_independentread"),
        AppendOnly("reading_adjudication"),
    ]
