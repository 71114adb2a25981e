"""When a hospital takes pictures, and the weather around it. Pure; every magnitude is chosen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from .quantities import STEP

Floats = npt.NDArray[np.float64]

# a day's exposures by hour, before they are scaled to 1: planned work by day, accidents at all
# hours, ward rounds in the early morning
ROOM = (1, 1, 1, 1, 1, 2, 6, 30, 80, 100, 100, 90, 60, 70, 85, 70, 45, 20, 8, 5, 4, 3, 2, 1)
EMERGENCY = (
    22,
    18,
    15,
    12,
    12,
    14,
    20,
    32,
    45,
    58,
    65,
    66,
    62,
    62,
    62,
    60,
    60,
    60,
    58,
    54,
    48,
    42,
    34,
    28,
)
WARD = (4, 3, 3, 4, 15, 60, 100, 80, 40, 30, 28, 25, 20, 22, 25, 22, 20, 18, 15, 12, 10, 8, 6, 5)
ROLES: tuple[tuple[str, tuple[int, ...], float, float], ...] = (
    # role, rhythm, exposures of a weekday, share of that on Sundays and holidays
    ("room", ROOM, 110, 0.12),
    ("emergency", EMERGENCY, 90, 0.95),
    ("ward", WARD, 35, 0.75),
)
SATURDAY = 0.35  # how far a Saturday lies from a Sunday towards a weekday
WINTER = 0.15  # more pictures in the middle of January, as much less in July
FIXED_HOLIDAYS = ((1, 1), (5, 1), (12, 25), (12, 26))


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (Gauss's rule with its two exceptions)."""
    century = year // 100
    shift = (15 - (13 + 8 * century) // 25 + century - century // 4) % 30
    moon = (19 * (year % 19) + shift) % 30
    if moon == 29 or (moon == 28 and year % 19 > 10):
        moon -= 1
    week = (2 * (year % 4) + 4 * (year % 7) + 6 * moon + (4 + century - century // 4) % 7) % 7
    return date(year, 3, 22) + timedelta(days=moon + week)


def is_holiday(day: date) -> bool:
    """New Year, Good Friday, Easter Monday, 1 May, Christmas."""
    around = (day - easter(day.year)).days
    return (day.month, day.day) in FIXED_HOLIDAYS or around in {-2, 1}


class Calendar:
    """The steps of a simulation in local time.

    Attributes:
        hour: local time of day at each step, in hours.
        rates: by role, expected exposures in each step.
        outdoor: outdoor temperature in Cel without the day's own weather.
        vapour: outdoor water vapour in g/m3.
    """

    def __init__(self, start: datetime, steps: int, zone: ZoneInfo) -> None:
        hours = np.empty(steps)
        day_share = np.empty((len(ROLES), steps))
        year_angle = np.empty(steps)
        for step in range(0, steps, 3):  # offsets change on quarters of an hour
            local = (start + timedelta(seconds=step * STEP)).astimezone(zone)
            part = slice(step, step + 3)
            hours[part] = local.hour + local.minute / 60
            day_share[:, part] = _shares(local.date())[:, None]
            year_angle[part] = 2 * np.pi * (local.timetuple().tm_yday - 15) / 365.25
        minutes = np.arange(steps) % 3 * (STEP / 3600)
        self.hour: Floats = hours + minutes
        by_hour = np.array([[h / sum(rhythm) for h in rhythm] for _, rhythm, _, _ in ROLES])
        a_day = np.array([count for _, _, count, _ in ROLES])[:, None]
        season = 1 + WINTER * np.cos(year_angle)
        self.rates: Floats = (
            by_hour[:, hours.astype(int)] * day_share * season * a_day * (STEP / 3600)
        )
        # a middle European year: -1 to 21 Cel, coldest about 15 January, warmest in the afternoon
        day_swing = (4 - 2 * np.cos(year_angle)) * np.sin((self.hour - 9) / 24 * 2 * np.pi)
        self.outdoor: Floats = 10 - 9.5 * np.cos(year_angle) + day_swing
        self.vapour: Floats = 0.75 * saturation(10 - 9.5 * np.cos(year_angle))


def _shares(day: date) -> Floats:
    """Each role's share of a weekday's work on that day."""
    low = np.array([sunday for _, _, _, sunday in ROLES])
    if is_holiday(day) or day.weekday() == 6:
        return low
    return low + SATURDAY * (1 - low) if day.weekday() == 5 else np.ones_like(low)


def saturation(celsius: Floats) -> Floats:
    """Water vapour that air can hold, g/m3 (Magnus formula over water, ideal gas)."""
    pressure = 611.2 * np.exp(17.62 * celsius / (243.12 + celsius))
    return 1000 * pressure / (461.5 * (celsius + 273.15))
