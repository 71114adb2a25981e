"""Evidence, readings apart, and what was known at a promotion; a run keeps its thresholds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from twinhealth.db import AppendOnly, NoLongerAppendOnly


def keep_thresholds(apps, schema_editor):
    """A film that was read keeps what its version counted from until now."""
    runs = apps.get_model("detection", "DetectionRun").objects
    for version in apps.get_model("detection", "DetectorVersion").objects.all():
        runs.filter(version=version, state="done").update(thresholds=version.thresholds)


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0002_append_only"),
        ("imaging", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EvidenceFilm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=200)),
                ("body", models.JSONField()),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="EvidenceSet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        choices=[("val", "validation"), ("test", "test")], max_length=16
                    ),
                ),
                ("content_sha256", models.CharField(max_length=64)),
                ("films", models.PositiveIntegerField()),
                ("figures", models.JSONField(default=dict)),
                ("imported_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="VersionReading",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[("shadow", "reading along"), ("scoring", "signed films")],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waits"),
                            ("done", "read"),
                            ("failed", "could not be read"),
                        ],
                        default="queued",
                        max_length=16,
                    ),
                ),
                ("reason_code", models.CharField(blank=True, max_length=64)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("lease_token", models.CharField(blank=True, max_length=36)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("queued_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("seconds", models.FloatField(blank=True, null=True)),
                ("scores", models.JSONField(default=dict)),
                ("boxes", models.JSONField(default=list)),
            ],
        ),
        migrations.AddField(
            model_name="detectionrun",
            name="thresholds",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="detectorversion",
            name="registered_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="detectorversion",
            name="temperature",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="detectorversion",
            name="offset",
            field=models.FloatField(default=0.0),
        ),
        NoLongerAppendOnly("detection_promotion"),
        migrations.AddField(
            model_name="promotion",
            name="chosen_on",
            field=models.CharField(blank=True, default="", max_length=16),
        ),
        migrations.AddField(
            model_name="promotion",
            name="comparison",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="promotion",
            name="temperature",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="promotion",
            name="offset",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="promotion",
            name="thresholds",
            field=models.JSONField(default=dict),
        ),
        AppendOnly("detection_promotion"),
        migrations.AlterField(
            model_name="detectorversion",
            name="state",
            field=models.CharField(
                choices=[
                    ("candidate", "candidate"),
                    ("shadow", "reads along"),
                    ("active", "active"),
                    ("retired", "retired"),
                ],
                default="candidate",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="detectorversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "shadow")),
                fields=("state",),
                name="detector_version_one_shadow",
                violation_error_message="Another version reads along.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detectorversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("temperature", None), ("temperature__gt", 0), _connector="OR"),
                name="detector_version_temperature_is_positive",
                violation_error_message="A temperature is above 0.",
            ),
        ),
        migrations.AddField(
            model_name="evidenceset",
            name="imported_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="evidenceset",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="evidence_sets",
                to="detection.detectorversion",
            ),
        ),
        migrations.AddField(
            model_name="evidencefilm",
            name="evidence",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rows",
                to="detection.evidenceset",
            ),
        ),
        migrations.AddField(
            model_name="versionreading",
            name="image",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="imaging.image"
            ),
        ),
        migrations.AddField(
            model_name="versionreading",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="readings",
                to="detection.detectorversion",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidenceset",
            constraint=models.UniqueConstraint(
                fields=("version", "name"),
                name="evidence_one_per_set",
                violation_error_message="This version has evidence on this set already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidencefilm",
            constraint=models.UniqueConstraint(
                fields=("evidence", "key"),
                name="evidence_film_once",
                violation_error_message="A film occurs once in a set.",
            ),
        ),
        migrations.AddIndex(
            model_name="versionreading",
            index=models.Index(
                condition=models.Q(("state", "queued")), fields=["queued_at"], name="reading_waits"
            ),
        ),
        migrations.AddIndex(
            model_name="versionreading",
            index=models.Index(
                fields=["version", "state", "finished_at"], name="reading_of_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="versionreading",
            constraint=models.UniqueConstraint(
                fields=("version", "image"),
                name="reading_one_per_version_and_image",
                violation_error_message="This version has a reading of the image already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="versionreading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "queued"),
                    models.Q(("finished_at__isnull", False), ("lease_until", None)),
                    _connector="OR",
                ),
                name="reading_finished_has_a_time",
                violation_error_message="A finished reading says when, and nobody holds it.",
            ),
        ),
        migrations.RunPython(keep_thresholds, migrations.RunPython.noop),
    ]
