"""DICOM dataset -> typed facts. Reads what is there, leaves out what can't be used; never raises.

Runs in the decoding process, beside the parser: it knows no database and no Django.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone, tzinfo

from pydicom.dataset import Dataset

from devices.facts import MachineName

from . import display_header
from .elements import integer, number, text, value
from .facts import Header

# PS3.3, table C.4-11, in small letters
URGENCIES = frozenset({"stat", "high", "routine", "medium", "low"})
# before the first medical X-ray no date is believed; a clock may run this far ahead
_FIRST_YEAR = 1896
_CLOCK_AHEAD = timedelta(hours=24)

_DATE = re.compile(r"^(\d{4})\.?(\d{2})\.?(\d{2})$")
_TIME = re.compile(r"^(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?$")
_DATETIME = re.compile(r"^(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?$")
_OFFSET = re.compile(r"^([+-])(\d{2})(\d{2})$")

# metric key, DICOM keyword, factor to the unit, unit, lowest value that makes sense
_READINGS: tuple[tuple[str, str, float, str, float], ...] = (
    ("exposure_index", "ExposureIndex", 1.0, "1", 0.001),
    ("target_exposure_index", "TargetExposureIndex", 1.0, "1", 0.001),
    ("deviation_index", "DeviationIndex", 1.0, "1", -50.0),
    ("kvp", "KVP", 1.0, "kV", 1.0),
    ("exposure_mas", "ExposureInuAs", 0.001, "mA.s", 0.001),
    ("exposure_mas", "Exposure", 1.0, "mA.s", 0.001),
    ("exposure_time", "ExposureTimeInuS", 0.001, "ms", 0.001),
    ("exposure_time", "ExposureTime", 1.0, "ms", 0.001),
    ("tube_current", "XRayTubeCurrent", 1.0, "mA", 0.001),
    ("detector_temperature", "DetectorTemperature", 1.0, "Cel", -40.0),
    ("detector_exposures", "ExposuresOnDetectorSinceManufactured", 1.0, "1", 0.0),
)
_CONFIG: tuple[tuple[str, str], ...] = (
    ("software_versions", "SoftwareVersions"),
    ("detector_id", "DetectorID"),
    ("detector_type", "DetectorType"),
    ("detector_calibrated_on", "DateOfLastDetectorCalibration"),
    ("station_name", "StationName"),
    ("manufacturer", "Manufacturer"),
    ("model_name", "ManufacturerModelName"),
)


def parse_date(value: str) -> date | None:
    """DA (PS3.5 table 6.2-1), with ACR-NEMA's dots tolerated."""
    match = _DATE.match(value)
    if not match:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def parse_offset(value: str) -> tzinfo | None:
    """`&ZZXX` (PS3.5 table 6.2-1, DT), from -1200 to +1400."""
    match = _OFFSET.match(value)
    if not match:
        return None
    delta = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if delta > timedelta(hours=14):
        return None
    return timezone(-delta if match[1] == "-" else delta)


def _moment(day: str, clock: str, zone: tzinfo) -> tuple[datetime | None, bool]:
    """Aware time and whether the clock time was there."""
    parsed = parse_date(day)
    if parsed is None:
        return None, False
    match = _TIME.match(clock)
    hour, minute, second, micro = 0, 0, 0, 0
    if match:
        hour, minute = int(match[1]), int(match[2] or 0)
        second = min(int(match[3] or 0), 59)  # a leap second
        micro = int((match[4] or "0").ljust(6, "0"))
    if hour > 23 or minute > 59:
        return datetime(parsed.year, parsed.month, parsed.day, tzinfo=zone), False
    moment = datetime(
        parsed.year, parsed.month, parsed.day, hour, minute, second, micro, tzinfo=zone
    )
    return moment, match is not None


def from_datetime(value: str, zone: tzinfo) -> tuple[datetime | None, bool]:
    """DT (PS3.5 table 6.2-1) as an aware time, and whether its clock time was there."""
    match = _DATETIME.match(value)
    if not match:
        return None, False
    own = parse_offset(match[3] or "")
    return _moment(match[1], match[2] or "", own or zone)


def exposure_time_point(
    data: Dataset, *, zone: tzinfo, now: datetime
) -> tuple[datetime | None, bool]:
    """When the film was taken, and whether that is a guess.

    Acquisition DateTime, Acquisition Date and Time, then Content's are the exposure's own; a
    series' or study's date is a guess, so is a day without a time, and so is everything after a
    date that can't be true (the future, before the first X-ray).

    Args:
        data: header.
        zone: where neither the value nor Timezone Offset From UTC (0008,0201) says otherwise.
        now: the present, aware.
    """
    local = parse_offset(text(data, "TimezoneOffsetFromUTC")) or zone
    candidates = [(*from_datetime(text(data, "AcquisitionDateTime"), local), False)]
    candidates += [
        (*_moment(text(data, f"{of}Date"), text(data, f"{of}Time"), local), guess)
        for of, guess in (
            ("Acquisition", False),
            ("Content", False),
            ("Series", True),
            ("Study", True),
        )
    ]
    distrust = False
    for moment, has_clock, guess in candidates:
        if moment is None:
            continue
        if not plausible(moment, now):
            distrust = True
            continue
        return moment, guess or distrust or not has_clock
    return None, True


def plausible(moment: datetime, now: datetime) -> bool:
    """Not in the future (a clock may run a day ahead), not before the first X-ray."""
    return moment.year >= _FIRST_YEAR and moment <= now + _CLOCK_AHEAD


def _config(data: Dataset) -> dict[str, str]:
    found = {key: text(data, keyword, 200) for key, keyword in _CONFIG}
    return {key: value for key, value in found.items() if value}


def _readings(data: Dataset) -> dict[str, tuple[float, str]]:
    found: dict[str, tuple[float, str]] = {}
    for key, keyword, factor, unit, lowest in _READINGS:
        value = number(data, keyword)
        if key not in found and value is not None and value * factor >= lowest:
            found[key] = (round(value * factor, 6), unit)
    return found


def read_header(data: Dataset, *, transfer_syntax_uid: str, zone: tzinfo, now: datetime) -> Header:
    """Everything that TwinHealth takes from a header.

    Args:
        data: dataset without (or with) pixels.
        transfer_syntax_uid: from the file meta information.
        zone: the hospital's, for times that name none.
        now: the present, aware.
    """
    acquired_at, is_guess = exposure_time_point(data, zone=zone, now=now)
    local = parse_offset(text(data, "TimezoneOffsetFromUTC")) or zone
    study_at, _ = _moment(text(data, "StudyDate"), text(data, "StudyTime"), local)
    birth = parse_date(text(data, "PatientBirthDate"))
    sex = text(data, "PatientSex").upper()
    signed = integer(data, "PixelRepresentation") == 1
    slope = number(data, "RescaleSlope")
    bits = integer(data, "BitsStored")
    burned_in = text(data, "BurnedInAnnotation", 16).upper()
    table = display_header.modality_lut(data, signed=signed)
    urgency = text(data, "RequestedProcedurePriority", 16).lower()
    return Header(
        sop_class_uid=text(data, "SOPClassUID", 80),
        sop_instance_uid=text(data, "SOPInstanceUID", 80),
        study_instance_uid=text(data, "StudyInstanceUID", 80),
        series_instance_uid=text(data, "SeriesInstanceUID", 80),
        transfer_syntax_uid=transfer_syntax_uid,
        modality=text(data, "Modality", 16),
        body_part=text(data, "BodyPartExamined"),
        view_position=text(data, "ViewPosition", 16),
        accession_number=text(data, "AccessionNumber"),
        study_description=text(data, "StudyDescription", 256),
        patient_id=text(data, "PatientID", 200),
        issuer=text(data, "IssuerOfPatientID", 200),
        patient_name=text(data, "PatientName", 324),
        birth_date=birth.isoformat() if birth else "",
        sex=sex if sex in {"F", "M", "O"} else "",
        acquired_at=acquired_at,
        acquired_at_is_guess=is_guess,
        study_at=study_at if study_at and plausible(study_at, now) else None,
        rows=integer(data, "Rows"),
        columns=integer(data, "Columns"),
        frames=integer(data, "NumberOfFrames", 1) or 1,
        samples=integer(data, "SamplesPerPixel", 1),
        bits_allocated=integer(data, "BitsAllocated"),
        bits_stored=bits,
        high_bit=integer(data, "HighBit", bits - 1),
        signed=signed,
        photometric=text(data, "PhotometricInterpretation", 16),
        slope=slope or 1.0,
        intercept=(number(data, "RescaleIntercept") or 0.0) if slope else 0.0,
        # of a table that isn't sound the windows' units are unknown
        windows=()
        if table is None and value(data, "ModalityLUTSequence")
        else display_header.windows(data),
        padding=display_header.padding(data, signed=signed),
        machine=MachineName(
            serial=text(data, "DeviceSerialNumber") or text(data, "StationName"),
            station_name=text(data, "StationName"),
            manufacturer=text(data, "Manufacturer", 128),
            model_name=text(data, "ManufacturerModelName", 128),
        ),
        readings=_readings(data),
        config=_config(data),
        burned_in=burned_in if burned_in in {"YES", "NO"} else "",
        modality_lut=table,
        # a Modality LUT's output is unsigned; a rescaled value may be negative
        voi_luts=display_header.voi_luts(
            data, signed=table is None and (signed or (number(data, "RescaleIntercept") or 0) < 0)
        ),
        shape=display_header.shape(data),
        spacing=display_header.spacing(data),
        requested_urgency=urgency if urgency in URGENCIES else "",
    )
