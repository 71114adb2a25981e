"""Reports as signed, drafts of them, text blocks."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0008_reading_policy"),
        ("imaging", "0003_requested_urgency"),
        ("reading", "0005_double_reading"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content", models.JSONField()),
                ("text", models.TextField()),
                ("by_name", models.CharField(max_length=150)),
                ("at", models.DateTimeField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "signature",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="report",
                        to="detection.signature",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("text", ""), _negated=True),
                            models.Q(("sha256", ""), _negated=True),
                        ),
                        name="report_says_something",
                        violation_error_message="A report has a text and its hash.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReportDraft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sections", models.JSONField(default=dict)),
                ("conclusion", models.CharField(blank=True, max_length=16)),
                ("revision", models.PositiveIntegerField(default=0)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="imaging.image",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("image", "by"),
                        name="report_draft_one_per_reader",
                        violation_error_message="You have a draft of this report.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TextBlock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "section",
                    models.CharField(
                        choices=[
                            ("clinical", "Clinical information"),
                            ("technique", "Technique"),
                            ("comparison", "Comparison"),
                            ("findings", "Findings"),
                            ("impression", "Impression"),
                        ],
                        max_length=16,
                    ),
                ),
                ("title", models.CharField(max_length=60)),
                ("code", models.CharField(max_length=20)),
                ("text", models.TextField(max_length=2000)),
                ("archived", models.BooleanField(default=False)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["section", "code", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("archived", False), ("owner__isnull", False)),
                        fields=("owner", "code"),
                        name="text_block_own_code_once",
                        violation_error_message="You have a block with this code.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("archived", False), ("owner", None)),
                        fields=("code",),
                        name="text_block_shared_code_once",
                        violation_error_message="There is a shared block with this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("title", ""), _negated=True),
                            models.Q(("code", ""), _negated=True),
                            models.Q(("text", ""), _negated=True),
                        ),
                        name="text_block_says_something",
                        violation_error_message="A block has a title, a code and a text.",
                    ),
                ],
            },
        ),
        AppendOnly("reading_report"),
    ]
