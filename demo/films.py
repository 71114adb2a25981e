"""The demo's X-rays as DICOM: real pictures of the public sets, synthetic people and machines.

Pictures and their licences stand in `demo/images/attribution.json`; the attribution travels in
Image Comments (0020,4000) and is shown beside the film.
"""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from .fleet import MACHINES, MANUFACTURER, MODELS, Machine

ISSUER = "TwinHealth demo"
IMAGES = Path(__file__).parent / "images"
_NAMESPACE = uuid.UUID("6f0d1d4e-6d0c-5b57-9a43-2f6f0e6a7c11")
_SOP_CLASS = {
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray Image Storage - For Presentation
    "CR": "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography Image Storage
}


@dataclass(frozen=True, slots=True)
class Film:
    """One demo film: which picture, which machine, which synthetic person, how long ago.

    `form` varies how the same grey values are stored, as senders do: `plain` (8 bit),
    `mono1` (MONOCHROME1), `rle` (RLE Lossless), `deep` (12 of 16 bits).
    """

    file_name: str
    serial: str
    number: int
    minutes_ago: int
    form: str = "plain"
    deviation_index: float = 0.0

    @property
    def patient_id(self) -> str:
        """Synthetic patient number."""
        return f"DEMO-{self.number:04d}"


FILMS: tuple[Film, ...] = (
    Film("mhh_cd11e9c223.jpg", "DX100-0422", 1, 34, "plain", 0.4),
    Film("mhh_608c96eae8.jpg", "DX100-0417", 2, 52, "deep", -0.3),
    Film("nih_1bf0ad5a82.jpg", "DX100-0431", 3, 75, "mono1", 0.9),
    Film("nih_2edcde9360.jpg", "DX100-0417", 4, 118, "plain", 0.1),
    Film("mhh_9c9eb4ec1f.jpg", "DX100-0422", 5, 150, "rle", 0.6),
    Film("nih_30a1a06d0b.jpg", "MX5-2207", 6, 185, "plain", -1.1),
    Film("nih_7bc729b7ac.jpg", "CR20-1093", 7, 230, "mono1", 0.2),
    Film("mhh_abe918a877.jpg", "DX100-0999", 8, 290, "plain", 0.0),
    Film("nih_712f66f40a.jpg", "DX100-0422", 9, 340, "deep", -0.2),
    Film("mhh_2e291d4e19.jpg", "CR20-1093", 10, 410, "plain", 1.3),
    Film("nih_a4edd73a4e.jpg", "DX100-0417", 11, 490, "rle", 0.5),
)


@lru_cache(maxsize=1)
def attributions() -> dict[str, dict[str, Any]]:
    """Source, licence and attribution of each picture, by file name."""
    rows = json.loads((IMAGES / "attribution.json").read_text())
    return {row["file_name"]: row for row in rows}


def attribution_text(film: Film) -> str:
    """The line that must stand beside the film."""
    row = attributions()[film.file_name]
    return f"{row['attribution']} Changes: {row['changes']}"


def _uid(*parts: str) -> str:
    """A UID under 2.25 (PS3.5 B.2) that is the same each time."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(parts)).int}"


def _pixels(film: Film) -> tuple[np.ndarray, int, str]:
    """Grey values, bits stored and photometric interpretation of the film's form."""
    grey = np.asarray(Picture.open(IMAGES / film.file_name).convert("L"))
    if film.form == "mono1":
        return 255 - grey, 8, "MONOCHROME1"
    if film.form == "deep":
        return grey.astype(np.uint16) << 4, 12, "MONOCHROME2"
    return grey, 8, "MONOCHROME2"


def _machine(serial: str) -> Machine:
    return next(machine for machine in MACHINES if machine.serial == serial)


def _add_pixels(ds: Dataset, film: Film) -> None:
    """Image Pixel and VOI modules (PS3.3 C.7.6.3, C.11.2)."""
    pixels, bits, photometric = _pixels(film)
    allocated = 8 * pixels.dtype.itemsize
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, photometric, 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = allocated, bits, bits - 1
    full = float(2**bits)
    ds.WindowCenter, ds.WindowWidth = str(full / 2), str(full)
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PresentationLUTShape = "INVERSE" if photometric == "MONOCHROME1" else "IDENTITY"
    ds.PixelData = pixels.tobytes()


def dataset_for(film: Film, *, now: datetime) -> Dataset:
    """The film as a DICOM dataset, exposed `minutes_ago` before `now` (aware, UTC)."""
    machine = _machine(film.serial)
    modality = MODELS[machine.model]
    taken = now - timedelta(minutes=film.minutes_ago)
    view = attributions()[film.file_name]["view"]
    day, time = taken.strftime("%Y%m%d"), taken.strftime("%H%M%S")
    # another first start is another examination: its time is part of the identity
    key = (film.file_name, taken.isoformat())

    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = _SOP_CLASS[modality]
    ds.SOPInstanceUID = _uid("instance", *key)
    ds.StudyInstanceUID = _uid("study", *key)
    ds.SeriesInstanceUID = _uid("series", *key)
    ds.PatientID, ds.IssuerOfPatientID = film.patient_id, ISSUER
    ds.PatientName = f"Demo^Patient {film.number:02d}"
    ds.PatientBirthDate = ds.PatientSex = ""
    ds.AccessionNumber = f"DEMO{film.number:05d}"
    ds.ReferringPhysicianName = ds.StudyID = ""
    ds.SeriesNumber = ds.InstanceNumber = "1"
    ds.TimezoneOffsetFromUTC = "+0000"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = day
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = time
    ds.StudyDescription = "Chest X-ray (demo)"
    ds.Modality, ds.BodyPartExamined, ds.ViewPosition = modality, "CHEST", view
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.Manufacturer, ds.ManufacturerModelName = MANUFACTURER, machine.model
    ds.DeviceSerialNumber, ds.StationName = machine.serial, machine.name
    ds.SoftwareVersions = machine.config["software_versions"]
    if "detector_id" in machine.config:
        ds.DetectorID = machine.config["detector_id"]
        ds.DetectorType = machine.config["detector_type"]
    ds.KVP, ds.Exposure, ds.ExposureTime = "110", "3", "12"
    ds.DeviationIndex = str(film.deviation_index)
    ds.BurnedInAnnotation = "NO"
    ds.ImageComments = f"Synthetic header around a public picture. {attribution_text(film)}"
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_10918_1"

    _add_pixels(ds, film)
    if film.form == "rle":
        ds.compress(RLELossless, generate_instance_uid=False)
    return ds


def film_bytes(film: Film, *, now: datetime) -> bytes:
    """The film as a DICOM file (PS3.10)."""
    buffer = io.BytesIO()
    dataset_for(film, now=now).save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
