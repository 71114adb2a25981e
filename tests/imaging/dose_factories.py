"""Radiation dose reports made in memory, as PS3.16 TID 10001 asks."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from imaging.dose import DOSE_SR

STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT: dict[str, tuple[float, str]] = {
    "122130": (2.5e-6, "Gy.m2"),
    "113738": (0.0004, "Gy"),
    "111636": (0.4, "mGy"),
    "113733": (81.0, "kV"),
    "113736": (2500.0, "uA.s"),
    "113824": (8.0, "ms"),
}


def coded(value: str, scheme: str = "DCM") -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "meaning"
    return Sequence([item])


def content(kind: str, concept: str, **values: Any) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", kind
    item.ConceptNameCodeSequence = coded(concept)
    for name, value in values.items():
        setattr(item, name, value)
    return item


def num(concept: str, value: float, unit: str) -> Dataset:
    measured = Dataset()
    measured.NumericValue = f"{value:g}"
    measured.MeasurementUnitsCodeSequence = coded(unit, "UCUM")
    return content("NUM", concept, MeasuredValueSequence=Sequence([measured]))


def event(at: datetime | None = STARTED, **changes: tuple[float, str] | None) -> Dataset:
    """One irradiation event; `c113733=(80, "kV")` changes a number, `None` leaves it out."""
    numbers = {**EVENT, **{key.removeprefix("c"): value for key, value in changes.items()}}
    inside = [num(code, *said) for code, said in numbers.items() if said is not None]
    if at is not None:
        inside.insert(0, content("DATETIME", "111526", DateTime=at.strftime("%Y%m%d%H%M%S+0000")))
    return content("CONTAINER", "113706", ContentSequence=Sequence(inside))


def make_report(
    *events: Dataset,
    serial: str = "XR-1",
    observer: dict[str, str] | None = None,
    sop_uid: str = "",
    more: list[Dataset] | None = None,
    root: str = "113701",
) -> bytes:
    """The bytes of a report; `observer` by concept: 121016 serial, 121012 UID."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DOSE_SR
    meta.MediaStorageSOPInstanceUID = sop_uid or generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = DOSE_SR, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID = data.SeriesInstanceUID = generate_uid()
    data.Modality, data.Manufacturer, data.ManufacturerModelName = "SR", "Acme", "X-1"
    data.PatientID, data.PatientName = "CANARY-ID", "CanaryName^CanaryGiven"
    if serial:
        data.DeviceSerialNumber = serial
    data.ValueType, data.ConceptNameCodeSequence = "CONTAINER", coded(root)
    observed = [
        content("UIDREF", code, UID=said) if code == "121012"
        else content("TEXT", code, TextValue=said)
        for code, said in (observer or {}).items()
    ]  # fmt: skip
    data.ContentSequence = Sequence([*observed, *(events or (event(),)), *(more or [])])
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()
