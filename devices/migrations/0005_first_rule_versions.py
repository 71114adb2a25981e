"""Every rule that is there becomes its version 1; versions are only ever added."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from twinhealth.db import AppendOnly

_VALUES = (
    "kind", "name", "severity", "low", "high", "hysteresis", "for_seconds", "min_samples",
    "keep_seconds", "params", "affects_image", "enabled",
)  # fmt: skip


def first_versions(apps: Any, schema_editor: Any) -> None:
    """Write down what each rule says."""
    rules = apps.get_model("devices", "Rule")
    versions = apps.get_model("devices", "RuleVersion")
    for rule in rules.objects.filter(current=None):
        rule.current = versions.objects.create(
            rule=rule,
            number=1,
            values={name: getattr(rule, name) for name in _VALUES},
            reason="as it was before versions were kept",
        )
        rule.save(update_fields=["current"])


def reject_rates(apps: Any, schema_editor: Any) -> None:
    """Models that are known get the metric that new ones have."""
    metrics = apps.get_model("devices", "Metric")
    for model in apps.get_model("devices", "DeviceModel").objects.all():
        metrics.objects.get_or_create(
            device_model=model,
            key="reject_rate",
            defaults={
                "label": "Rejected films",
                "unit": "%",
                "max_age": 30 * 86_400,
                "plausible_low": 0,
                "plausible_high": 100,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("devices", "0004_rules_with_versions")]
    operations = [
        migrations.RunPython(first_versions, migrations.RunPython.noop),
        migrations.RunPython(reject_rates, migrations.RunPython.noop),
        AppendOnly("devices_ruleversion"),
    ]
