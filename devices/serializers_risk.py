"""Shapes of failure risk in REST."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from devices import risk


class RiskPriorSerializer(serializers.Serializer[Any]):
    """A gamma distribution of failures a year."""

    shape = serializers.FloatField()
    rate_years = serializers.FloatField(source="rate")
    mean_per_year = serializers.FloatField(source="mean")


class RiskSerializer(serializers.Serializer[Any]):
    """Chance of at least one failure within `days`, or what is missing to say one."""

    rung = serializers.ChoiceField(choices=[risk.RUNG, "none"])
    text = serializers.CharField()
    days = serializers.IntegerField(default=risk.DAYS)
    probability = serializers.FloatField(source="chance.probability", default=None, allow_null=True)
    low = serializers.FloatField(source="chance.low", default=None, allow_null=True)
    high = serializers.FloatField(source="chance.high", default=None, allow_null=True)
    interval = serializers.FloatField(default=risk.INTERVAL)
    failures = serializers.IntegerField(source="own.failures")
    machine_years = serializers.FloatField(source="own.years")
    pool = serializers.ChoiceField(choices=["model", "modality"])
    pool_name = serializers.CharField()
    pool_machines = serializers.IntegerField(source="evidence.machines")
    pool_failures = serializers.IntegerField(source="evidence.failures")
    pool_machine_years = serializers.FloatField(source="evidence.years")
    prior = RiskPriorSerializer(allow_null=True)


class RiskRowSerializer(serializers.Serializer[Any]):
    """A row that tells of a failure; rows that overlap in time are one failure."""

    kind = serializers.ChoiceField(choices=["downtime", "alert"])
    id = serializers.IntegerField(source="pk")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    text = serializers.CharField()


class RiskMachineSerializer(serializers.Serializer[Any]):
    """One machine of the class, with its record."""

    device = serializers.IntegerField(source="device.pk")
    name = serializers.CharField(source="device.name")
    since = serializers.DateTimeField()
    failures = serializers.IntegerField(source="record.failures")
    machine_years = serializers.FloatField(source="record.years")
    rows = RiskRowSerializer(many=True)


class RiskWithRowsSerializer(RiskSerializer):
    """The risk, and every row that made it."""

    machines = RiskMachineSerializer(source="histories", many=True)
