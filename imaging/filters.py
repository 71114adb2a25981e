"""`?field=value` of this room's lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django_filters.fields import IsoDateTimeField

from .models import Image, QuarantinedFile
from .models.image import Door
from .models.intake import QuarantineState

# what a key column can hold
_ID = {"min_value": 0, "max_value": 2**63 - 1, "decimal_places": 0}


class _MomentField(IsoDateTimeField):
    """ISO 8601; a time that leaves the calendar in UTC is refused."""

    def to_python(self, value: Any) -> datetime | None:
        found: datetime | None = super().to_python(value)
        try:
            return found.astimezone(UTC) if found else None
        except OverflowError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A bound on a time."""

    field_class = _MomentField


class ImageFilter(django_filters.FilterSet):
    """Images by machine, patient (our number) and time of exposure."""

    device = django_filters.NumberFilter(field_name="device_id", **_ID)
    device_serial = django_filters.CharFilter()
    patient = django_filters.NumberFilter(field_name="series__study__patient_id", **_ID)
    study = django_filters.CharFilter(field_name="series__study__study_instance_uid")
    modality = django_filters.CharFilter(field_name="series__modality")
    view_position = django_filters.CharFilter()
    acquired_from = MomentFilter(field_name="acquired_at", lookup_expr="gte")
    acquired_to = MomentFilter(field_name="acquired_at", lookup_expr="lt")
    door = django_filters.ChoiceFilter(choices=Door.choices)
    is_demo = django_filters.BooleanFilter()

    class Meta:
        model = Image
        fields: list[str] = []


class QuarantineFilter(django_filters.FilterSet):
    """Quarantine by state and reason."""

    state = django_filters.ChoiceFilter(choices=QuarantineState.choices)
    code = django_filters.CharFilter()

    class Meta:
        model = QuarantinedFile
        fields: list[str] = []
