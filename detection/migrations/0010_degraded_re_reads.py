"""Changes of trust, and the films to re-read after a machine was found degraded."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0009_second_looks"),
        ("devices", "0011_degraded"),
        ("imaging", "0003_requested_urgency"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReRead",
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
                        choices=[("finding", "a finding"), ("negative", "signed as normal")],
                        max_length=8,
                    ),
                ),
                ("exposed_at", models.DateTimeField()),
                ("signed_at", models.DateTimeField()),
                ("listed_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("assigned", "assigned"),
                            ("done", "done"),
                            ("dropped", "not concerned any more"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unchanged", "re-read, unchanged"),
                            ("changed", "re-read, changed"),
                            ("not_re_read", "done without re-reading"),
                        ],
                        max_length=11,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=1000)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="re_reads",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="re_reads",
                        to="imaging.image",
                    ),
                ),
            ],
            options={
                "ordering": ["-exposed_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ReReadEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("verb", models.CharField(max_length=16)),
                ("text", models.CharField(blank=True, max_length=1000)),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="detection.reread",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="ReReadList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("settled_steps", models.PositiveSmallIntegerField(default=0)),
                ("filled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "span",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="re_read_list",
                        to="devices.degradedspan",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="reread",
            name="list",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="items",
                to="detection.rereadlist",
            ),
        ),
        migrations.CreateModel(
            name="TrustChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "was",
                    models.CharField(
                        choices=[("full", "full"), ("reduced", "reduced"), ("unknown", "unknown")],
                        max_length=8,
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[("full", "full"), ("reduced", "reduced"), ("unknown", "unknown")],
                        max_length=8,
                    ),
                ),
                ("reasons", models.JSONField(default=list)),
                (
                    "because",
                    models.CharField(
                        choices=[
                            ("degraded", "the machine was marked as degraded"),
                            ("ended", "the mark as degraded was given its end"),
                            ("withdrawn", "the mark as degraded was withdrawn"),
                            ("readings", "readings came later"),
                            ("machine", "the machine became known"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trust_changes",
                        to="detection.detectionrun",
                    ),
                ),
                (
                    "span",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="devices.degradedspan",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="reread",
            index=models.Index(fields=["list", "exposed_at"], name="re_read_by_exposure"),
        ),
        migrations.AddIndex(
            model_name="reread",
            index=models.Index(fields=["list", "state", "result"], name="re_read_progress"),
        ),
        migrations.AddIndex(
            model_name="reread",
            index=models.Index(
                condition=models.Q(("state__in", ["open", "assigned"])),
                fields=["assigned_to"],
                name="re_read_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="reread",
            constraint=models.UniqueConstraint(
                fields=("list", "image"),
                name="re_read_film_once_per_list",
                violation_error_message="This film is on the list already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reread",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("done_at__isnull", False),
                        ("done_by__isnull", False),
                        ("state", "done"),
                        models.Q(("result", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("state", "done"), _negated=True),
                        ("done_at", None),
                        ("done_by", None),
                        ("note", ""),
                        ("result", ""),
                    ),
                    _connector="OR",
                ),
                name="re_read_done_by_whom_and_how",
                violation_error_message="What is done says by whom and how.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reread",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("assigned_to__isnull", False), ("state", "assigned")),
                    models.Q(("assigned_to", None), ("state", "open")),
                    ("state__in", ["done", "dropped"]),
                    _connector="OR",
                ),
                name="re_read_assigned_has_a_reader",
                violation_error_message="An assigned film names its reader.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reread",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("result__in", ["", "unchanged"]),
                    models.Q(("note", ""), _negated=True),
                    _connector="OR",
                ),
                name="re_read_result_has_words",
                violation_error_message="Say what changed, or why it wasn't re-read.",
            ),
        ),
        migrations.AddConstraint(
            model_name="trustchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("because__in", ["degraded", "ended", "withdrawn"]), ("span__isnull", False)
                    ),
                    models.Q(("because__in", ["readings", "machine"]), ("span", None)),
                    _connector="OR",
                ),
                name="trust_change_names_its_mark",
                violation_error_message="A change by a mark names the mark.",
            ),
        ),
        AppendOnly("detection_trustchange"),
        AppendOnly("detection_rereadevent"),
    ]
