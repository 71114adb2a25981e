"""What an image tells of the machine that took it: plain values, no DICOM, no ORM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MachineName:
    """How an image names its machine (PS3.3 C.7.5.1 General Equipment)."""

    serial: str  # Device Serial Number (0018,1000), else Station Name (0008,1010)
    station_name: str = ""
    manufacturer: str = ""
    model_name: str = ""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Header values and pixel statistics of one image.

    Attributes:
        acquired_at: exposure, aware.
        readings: metric key -> (value, UCUM unit); unusable header values are left out.
            Keys: `exposure_index`, `deviation_index`, `kvp` (kV), `exposure_mas` (mA.s),
            `exposure_time` (ms), `detector_temperature` (Cel), `detector_exposures` (1),
            `pixel_noise`, `pixel_saturated` (%), `pixel_mean`, … as the device's model defines.
        config: reported configuration: `software_versions`, `detector_id`, `detector_type`,
            `station_name`, …; only keys that the header has.
    """

    acquired_at: datetime
    readings: dict[str, tuple[float, str]]
    config: dict[str, str]
