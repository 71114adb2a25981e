"""Rules get kinds, versions and a kept state; metrics a cadence; alerts the version."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0003_device_key"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RuleChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("verdict", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="RuleState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("fingerprint", models.CharField(max_length=64)),
                ("state", models.JSONField()),
                ("verdict", models.JSONField()),
                ("last_at", models.DateTimeField(null=True)),
                ("late_from", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RuleVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("values", models.JSONField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("reason", models.CharField(max_length=300)),
            ],
            options={
                "ordering": ["rule", "number"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="rule",
            name="rule_one_per_metric_and_severity",
        ),
        migrations.RemoveConstraint(
            model_name="rule",
            name="rule_has_a_limit",
        ),
        migrations.AddField(
            model_name="metric",
            name="cadence",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="rule",
            name="device_model",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="machine_rules",
                to="devices.devicemodel",
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="keep_seconds",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="rule",
            name="kind",
            field=models.CharField(
                choices=[
                    ("limit", "limit"),
                    ("rate", "rate of change"),
                    ("drift", "drift from its own baseline"),
                    ("anomaly", "unusual behaviour"),
                    ("silence", "silence"),
                    ("image_quality", "image quality"),
                    ("reject_rate", "reject rate"),
                    ("config", "configuration"),
                    ("clock", "clock"),
                ],
                default="limit",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="params",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AlterField(
            model_name="rule",
            name="metric",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rules",
                to="devices.metric",
            ),
        ),
        migrations.AddField(
            model_name="rulechange",
            name="device",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rule_changes",
                to="devices.device",
            ),
        ),
        migrations.AddField(
            model_name="rulechange",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="changes",
                to="devices.rule",
            ),
        ),
        migrations.AddField(
            model_name="rulestate",
            name="device",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rule_states",
                to="devices.device",
            ),
        ),
        migrations.AddField(
            model_name="rulestate",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="states",
                to="devices.rule",
            ),
        ),
        migrations.AddField(
            model_name="ruleversion",
            name="by",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="ruleversion",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="devices.rule",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="rule_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to="devices.ruleversion",
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="current",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="devices.ruleversion",
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(
                fields=("metric", "kind", "severity", "name"),
                name="rule_one_per_metric_kind_severity_and_name",
                violation_error_message="The metric has a rule of this kind, severity and name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(
                fields=("device_model", "kind", "severity", "name"),
                name="rule_one_per_model_kind_severity_and_name",
                violation_error_message="The model has a rule of this kind, severity and name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind__in", ["limit", "rate", "image_quality", "reject_rate"]),
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
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("device_model__isnull", False),
                        ("kind__in", ["config", "clock"]),
                        ("metric", None),
                    ),
                    models.Q(
                        models.Q(("kind__in", ["config", "clock"]), _negated=True),
                        ("device_model", None),
                        ("metric__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="rule_of_a_metric_or_of_a_model",
                violation_error_message="A rule is of a metric, or of the machine as a whole.",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulechange",
            constraint=models.UniqueConstraint(
                fields=("device", "rule", "at"),
                name="rule_change_one_per_moment",
                violation_error_message="This change is kept already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulestate",
            constraint=models.UniqueConstraint(
                fields=("device", "rule"),
                name="rule_state_one_per_device_and_rule",
                violation_error_message="This state is kept already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=models.UniqueConstraint(
                fields=("rule", "number"),
                name="rule_version_number_is_unique",
                violation_error_message="Another change took this number.",
            ),
        ),
    ]
