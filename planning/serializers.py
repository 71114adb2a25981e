"""Shapes of the answers of `planning`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class SimulatedFigureSerializer(serializers.Serializer[Any]):
    """A mean over the runs; nine of ten runs lie between low and high; error of the mean (90 %)."""

    mean = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    error = serializers.FloatField()


class SimulatedFiguresSerializer(serializers.Serializer[Any]):
    """All figures; null: not enough data."""

    unplanned = SimulatedFigureSerializer(allow_null=True, help_text="covered hours")
    rooms_together = SimulatedFigureSerializer(allow_null=True, help_text="% of runs")
    together = SimulatedFigureSerializer(allow_null=True, help_text="h")
    on_time = SimulatedFigureSerializer(allow_null=True, help_text="%")
    displaced = SimulatedFigureSerializer(allow_null=True, help_text="exams")
    overtime = SimulatedFigureSerializer(allow_null=True, help_text="h")


class InputSourceSerializer(serializers.Serializer[Any]):
    """Where an input comes from."""

    input = serializers.CharField(source="label")
    value = serializers.CharField()
    kind = serializers.CharField(help_text="known, estimated, assumed, not enough data")
    text = serializers.CharField()


class ChangeFateSerializer(serializers.Serializer[Any]):
    """A change, and why it was refused where `code` isn't empty."""

    text = serializers.CharField()
    words = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class WhatIfResultSerializer(serializers.Serializer[Any]):
    """The present, the scenario, and the difference run by run."""

    id = serializers.IntegerField(allow_null=True)
    today = serializers.DateField()
    days = serializers.IntegerField()
    runs = serializers.IntegerField()
    seed = serializers.IntegerField()
    machines = serializers.IntegerField()
    orders = serializers.IntegerField()
    changes = ChangeFateSerializer(many=True)
    base = SimulatedFiguresSerializer()
    scenario = SimulatedFiguresSerializer()
    difference = SimulatedFiguresSerializer()
    sources = InputSourceSerializer(many=True)


class SuggestedMoveSerializer(serializers.Serializer[Any]):
    """An order to another day; `order` is null for a due date that has no order yet."""

    order = serializers.IntegerField(allow_null=True)
    title = serializers.CharField()
    machine = serializers.CharField()
    device = serializers.IntegerField(source="machine_pk")
    day = serializers.DateField()
    to = serializers.DateField()
    why = serializers.CharField()
    made_on = serializers.DateField(allow_null=True)


class SuggestionSerializer(serializers.Serializer[Any]):
    """The moves, and what the simulation says of the three schedules."""

    id = serializers.IntegerField(source="pk")
    made_at = serializers.DateTimeField()
    moves = SuggestedMoveSerializer(many=True)
    present = SimulatedFiguresSerializer(source="result.figures.present")
    first_come = SimulatedFiguresSerializer(source="result.figures.first_come")
    suggestion = SimulatedFiguresSerializer(source="result.figures.suggestion")
    difference = SimulatedFiguresSerializer(source="result.differences.suggestion")
    objective = serializers.JSONField(source="result.objective")
    sources = InputSourceSerializer(source="result.sources", many=True)


class AbsorberSerializer(serializers.Serializer[Any]):
    """A machine and how many exams it takes."""

    device = serializers.IntegerField()
    name = serializers.CharField()
    exams = serializers.FloatField()


class LostHourSerializer(serializers.Serializer[Any]):
    """One hour."""

    at = serializers.DateTimeField()
    wanted = serializers.FloatField()
    left = serializers.FloatField()
    taken = serializers.SerializerMethodField()

    @extend_schema_field(AbsorberSerializer(many=True))
    def get_taken(self, hour: Any) -> list[dict[str, Any]]:
        """Who takes how many."""
        return _absorbers(hour.taken)


class LossSerializer(serializers.Serializer[Any]):
    """Expected exams of the machine, what others take over, and what is displaced."""

    device = serializers.IntegerField(source="device.pk")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    known = serializers.BooleanField()
    wanted = serializers.FloatField()
    absorbed = serializers.FloatField()
    left = serializers.FloatField()
    absorbers = serializers.SerializerMethodField()
    hours = LostHourSerializer(many=True)

    @extend_schema_field(AbsorberSerializer(many=True))
    def get_absorbers(self, loss: Any) -> list[dict[str, Any]]:
        """In all, most first."""
        return _absorbers(loss.absorbers)


def _absorbers(pairs: Any) -> list[dict[str, Any]]:
    return [{"device": device.pk, "name": device.name, "exams": count} for device, count in pairs]
