"""An X-Ray Radiation Dose SR: what its irradiation events tell of the machine. In the child only.

PS3.16 TID 10001 (report), 10003 and 10003A to C (irradiation event), 1004 (device observer). Who
the patient is stays unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset

from devices.facts import MachineName
from imaging.dose import DOSE_SR, DoseReportFacts, Exposure
from imaging.elements import number, text, value
from imaging.header import from_datetime, parse_offset, plausible
from twinhealth.errors import InvalidInputError, TooLargeError

from .dicom import read_file
from .limits import Limits

MAX_BYTES = 32 * 1024**2
MAX_ITEMS = 100_000
MAX_DEPTH = 32
MAX_EVENTS = 10_000
_ITEM = b"\xfe\xff\x00\xe0"  # PS3.5 7.5, little endian

_REPORT = "113701"
_EVENT = "113706"
_STARTED = "111526"
# concept (DCM) of an event's number -> metric key
_NUMBERS = {
    "122130": "dose_area_product",
    "113738": "dose_at_rp",
    "111636": "entrance_exposure_rp",
    "113733": "kvp",
    "113734": "tube_current",
    "113736": "exposure_mas",
    "113824": "exposure_time",
}
_FLUORO_TIME = "113730"
_OBSERVER = {"121016": "serial", "121012": "uid", "121014": "manufacturer", "121015": "model_name"}


def read_report(path: Path, *, limits: Limits, zone: str) -> DoseReportFacts:
    """Everything that TwinHealth takes from a dose report.

    Raises:
        InvalidInputError: `not_dicom`, `bad_header`, `truncated`, `not_a_dose_report`,
            `no_dose_events`.
        TooLargeError: `report_too_large`, `too_many_items`, `inflated_too_large`.
    """
    if path.stat().st_size > MAX_BYTES:
        raise TooLargeError(
            "report_too_large",
            f"The dose report is larger than {MAX_BYTES} bytes; no machine writes such.",
            max_bytes=MAX_BYTES,
        )
    # before a parser makes an object of each: an item of content has about four items inside
    if path.read_bytes().count(_ITEM) > 5 * MAX_ITEMS:
        raise _too_many()
    try:
        data = read_file(path, limits=limits).dataset
        return _facts(data, zone)
    except RecursionError:
        raise _too_many() from None


def _facts(data: Dataset, zone: str) -> DoseReportFacts:
    if text(data, "SOPClassUID", 80) != DOSE_SR or _concept(data) != _REPORT:
        raise InvalidInputError(
            "not_a_dose_report", "This structured report is no X-ray radiation dose report."
        )
    local = parse_offset(text(data, "TimezoneOffsetFromUTC")) or ZoneInfo(zone)
    now = datetime.now(UTC)
    exposures: list[Exposure] = []
    observer: dict[str, str] = {}
    fluoro: tuple[float, str] | None = None
    events = 0
    for depth, item in _walk(data):
        code = _concept(item)
        if code == _EVENT:
            events += 1
            exposure = _exposure(item, local, now)
            if exposure is not None and len(exposures) < MAX_EVENTS:
                exposures.append(exposure)
        elif code == _FLUORO_TIME:
            fluoro = _measured(item) or fluoro
        elif depth == 1 and code in _OBSERVER:
            said = text(item, "TextValue") or text(item, "UID")
            observer.setdefault(_OBSERVER[code], said)
    if not exposures:
        raise InvalidInputError(
            "no_dose_events",
            "The dose report has no irradiation event with a time that can be true.",
            events=events,
        )
    last = max(exposures, key=lambda e: e.at)
    last.readings["irradiation_events"] = (float(events), "1")
    if fluoro is not None:
        last.readings["fluoro_time"] = fluoro
    return DoseReportFacts(
        sop_instance_uid=text(data, "SOPInstanceUID", 80),
        machine=_machine(data, observer),
        exposures=tuple(sorted(exposures, key=lambda e: e.at)),
        events=events,
    )


def _machine(data: Dataset, observer: dict[str, str]) -> MachineName:
    """The device observer is what irradiated; the header's equipment wrote the report."""
    station = text(data, "StationName")
    serial = observer.get("serial") or text(data, "DeviceSerialNumber")
    return MachineName(
        serial=serial or observer.get("uid") or station,
        station_name=station,
        manufacturer=observer.get("manufacturer") or text(data, "Manufacturer", 128),
        model_name=observer.get("model_name") or text(data, "ManufacturerModelName", 128),
    )


def _too_many() -> TooLargeError:
    return TooLargeError(
        "too_many_items",
        f"The report has more than {MAX_ITEMS} items or {MAX_DEPTH} levels; it is damaged.",
        max_items=MAX_ITEMS,
        max_depth=MAX_DEPTH,
    )


def _children(item: Dataset) -> list[Dataset]:
    found = value(item, "ContentSequence")
    return list(found) if isinstance(found, list) or hasattr(found, "__iter__") else []


def _walk(root: Dataset) -> Iterator[tuple[int, Dataset]]:
    """All content items with their depth, without recursion."""
    waiting = [(1, child) for child in _children(root)]
    count = 0
    while waiting:
        depth, item = waiting.pop()
        count += 1
        if count > MAX_ITEMS or depth > MAX_DEPTH:
            raise _too_many()
        yield depth, item
        waiting.extend((depth + 1, child) for child in _children(item))


def _concept(item: Dataset) -> str:
    """Code value of what the item is about, where it is one of DICOM's (DCM)."""
    names = value(item, "ConceptNameCodeSequence")
    if not names or text(names[0], "CodingSchemeDesignator", 16) != "DCM":
        return ""
    return text(names[0], "CodeValue", 16)


def _measured(item: Dataset) -> tuple[float, str] | None:
    """Number and UCUM code of a NUM item."""
    values = value(item, "MeasuredValueSequence")
    if not values:
        return None
    found, units = (
        number(values[0], "NumericValue"),
        value(values[0], "MeasurementUnitsCodeSequence"),
    )
    if found is None or not units:
        return None
    if text(units[0], "CodingSchemeDesignator", 16) != "UCUM":
        return None
    return found, text(units[0], "CodeValue", 16)


def _exposure(event: Dataset, local: Any, now: datetime) -> Exposure | None:
    """One irradiation event; the first of several values counts (TID 10003B: one a pulse)."""
    at = None
    readings: dict[str, tuple[float, str]] = {}
    for _, item in _walk(event):
        code = _concept(item)
        if code == _STARTED and at is None:
            at, _ = from_datetime(text(item, "DateTime"), local)
        elif code in _NUMBERS:
            found = _measured(item)
            if found is not None:
                readings.setdefault(_NUMBERS[code], found)
    if at is None or not plausible(at, now):
        return None
    return Exposure(at.astimezone(UTC), readings)
