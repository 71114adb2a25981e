"""Months of UTC, by which readings are partitioned. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

PREFIX = "devices_reading_"


def following(month: date) -> date:
    """The month after."""
    return (month + timedelta(days=31)).replace(day=1)


def begin(month: date) -> datetime:
    """Its first moment."""
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def partition(month: date) -> str:
    """Name of its partition."""
    return f"{PREFIX}{month:%Y_%m}"


def of_partition(name: str) -> date:
    """The month of a partition's name."""
    year, month = name.removeprefix(PREFIX).split("_")
    return date(int(year), int(month), 1)
