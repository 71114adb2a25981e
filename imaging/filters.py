"""`?field=value` of this room's lists."""

from __future__ import annotations

import django_filters

from .models import Image, QuarantinedFile
from .models.image import Door
from .models.intake import QuarantineState


class ImageFilter(django_filters.FilterSet):
    """Images by machine, patient (our number) and time of exposure."""

    device = django_filters.NumberFilter(field_name="device_id")
    device_serial = django_filters.CharFilter()
    patient = django_filters.NumberFilter(field_name="series__study__patient_id")
    study = django_filters.CharFilter(field_name="series__study__study_instance_uid")
    modality = django_filters.CharFilter(field_name="series__modality")
    view_position = django_filters.CharFilter()
    acquired_from = django_filters.IsoDateTimeFilter(field_name="acquired_at", lookup_expr="gte")
    acquired_to = django_filters.IsoDateTimeFilter(field_name="acquired_at", lookup_expr="lt")
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
