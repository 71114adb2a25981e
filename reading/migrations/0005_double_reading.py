"""The reading policy, and films that are read twice."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("reading", "0003_critical_results"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ceiling_minutes__gte", 15), ("ceiling_minutes__lte", 1440)
                        ),
                        name="policy_ceiling_is_bounded",
                        violation_error_message="A ceiling lasts 15 to 1440 minutes.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("twice", "share"),
                                ("twice_percent__isnull", False),
                                ("twice_percent__gte", 1),
                                ("twice_percent__lte", 100),
                            ),
                            models.Q(
                                models.Q(("twice", "share"), _negated=True), ("twice_percent", None)
                            ),
                            _connector="OR",
                        ),
                        name="policy_share_has_a_percentage",
                        violation_error_message="A share, and nothing else, has 1 to 100 percent.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="policy_has_a_reason",
                        violation_error_message="Who changes the policy says why.",
                    ),
                ],
            },
        ),
        AppendOnly("reading_readingpolicy"),
    ]
