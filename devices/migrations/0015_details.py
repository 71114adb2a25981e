"""Several AE titles a machine; known models get the metrics of tubes and doses."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from devices.standard_metrics import STANDARD_METRICS

_NEW = {
    "tube_exposures", "tube_hours", "dose_area_product", "dose_at_rp", "entrance_exposure_rp",
    "irradiation_events", "fluoro_time",
}  # fmt: skip


def to_list(apps: Any, schema_editor: Any) -> None:
    """One title to a list of one."""
    devices = apps.get_model("devices", "Device").objects
    for device in devices.exclude(ae_title=""):
        devices.filter(pk=device.pk).update(ae_titles=[device.ae_title])


def add_metrics(apps: Any, schema_editor: Any) -> None:
    """As a new model gets them."""
    metrics = apps.get_model("devices", "Metric").objects
    for model in apps.get_model("devices", "DeviceModel").objects.all():
        there = set(metrics.filter(device_model=model).values_list("key", flat=True))
        for m in STANDARD_METRICS:
            if m.key in _NEW - there:
                metrics.create(
                    device_model=model, key=m.key, label=m.label, unit=m.unit, max_age=m.max_age,
                    plausible_low=m.low, plausible_high=m.high, counter_of=m.counter_of,
                )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("devices", "0014_reading_imports")]
    operations = [
        migrations.AddField(
            model_name="device",
            name="ae_titles",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="devicemodel",
            name="maintenance_months",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="devicemodel",
            name="maintenance_source",
            field=models.CharField(blank=True, default="", max_length=300),
        ),
        migrations.RunPython(to_list, migrations.RunPython.noop),
        migrations.RemoveField(model_name="device", name="ae_title"),
        migrations.RunPython(add_metrics, migrations.RunPython.noop),
    ]
