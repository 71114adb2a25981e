"""Fields that the shapes of plans, orders and downtime share."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User

from . import checklist_steps, selectors_maintenance
from .fields import LARGEST_ID
from .models import Device


@extend_schema_field(
    {"oneOf": [{"type": "integer"}, {"type": "string"}], "description": "number or serial"}
)
class DeviceField(serializers.Field[Device, Any, int, Any]):
    """A machine by its number, or by its serial."""

    default_error_messages = {
        "type": "Give the machine's number or its serial.",
        "unknown": "There is no such machine.",
    }

    def to_internal_value(self, data: Any) -> Device:
        """A whole number is the machine's own; text is a serial first."""
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("type")
        found = None
        if isinstance(data, str) and "\0" not in data:
            found = Device.objects.filter(serial=data.strip()).first()
        if found is None and str(data).isdecimal() and int(data) <= LARGEST_ID:
            found = Device.objects.filter(pk=int(data)).first()
        if found is None:
            self.fail("unknown")
        return found

    def to_representation(self, value: Device) -> int:
        """Its number."""
        return value.pk


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": checklist_steps.MAX_STEP},
            {
                "type": "object",
                "properties": {
                    "step": {"type": "string"},
                    "kind": {"type": "string", "enum": list(checklist_steps.Kind)},
                    "unit": {"type": "string", "description": "UCUM"},
                    "low": {"type": "number", "nullable": True},
                    "high": {"type": "number", "nullable": True},
                },
                "required": ["step", "kind"],
            },
        ]
    }
)
class StepField(serializers.JSONField):
    """A step's text where it passes or fails; else with its kind, a number with its limits."""

    text = serializers.CharField(max_length=checklist_steps.MAX_STEP, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        """Texts are looked at here, the rest by `checklist_steps.steps`."""
        if not isinstance(data, dict):
            return self.text.run_validation(data)
        if not data.keys() >= {"step", "kind"}:
            raise serializers.ValidationError("A step is a text, or has `step` and `kind`.")
        return super().to_internal_value(data)


class StepsField(serializers.ListField):
    """A checklist's steps."""

    child = StepField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=checklist_steps.MAX_STEPS, **kwargs)


def worker_field(**kwargs: Any) -> serializers.SlugRelatedField[User]:
    """Somebody who works on orders, by user name."""
    return serializers.SlugRelatedField(
        slug_field="username", queryset=selectors_maintenance.workers(), **kwargs
    )
