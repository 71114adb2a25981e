"""X-ray files made in memory, for every room's tests. `make_dicom()` is a valid film as it stands."""

from __future__ import annotations

import io
import zlib
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pydicom
from PIL import Image as Picture
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    generate_uid,
)

ACQUIRED_AT = datetime(2025, 3, 4, 10, 20, 30, tzinfo=UTC)


def make_pixels(
    *, rows: int = 64, columns: int = 48, bits: int = 12, seed: int | str = 0, signed: bool = False
) -> npt.NDArray[np.integer]:
    """A smooth ramp with a disc and some noise: the same for the same `seed`."""
    rng = np.random.default_rng(zlib.crc32(str(seed).encode()))
    top = 2**bits - 1
    y, x = np.mgrid[0:rows, 0:columns]
    ramp = (y / max(rows - 1, 1) * 0.6 + x / max(columns - 1, 1) * 0.3) * top
    disc = ((y - rows / 2) ** 2 + (x - columns / 2) ** 2) < (min(rows, columns) / 4) ** 2
    noisy = ramp + disc * 0.08 * top + rng.normal(0, 0.01 * top, (rows, columns))
    values = np.clip(np.rint(noisy), 0, top).astype(np.int64)
    if signed:
        return (values - 2 ** (bits - 1)).astype(np.int8 if bits <= 8 else np.int16)
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


# tests write what a careful program wouldn't
@disable_value_validation()
def make_dataset(
    *,
    rows: int = 64,
    columns: int = 48,
    bits: int = 12,
    photometric: str = "MONOCHROME2",
    patient_id: str | None = "P1",
    patient_name: str = "Doe^Jane",
    serial: str = "XR-1",
    sop_uid: str | None = None,
    study_uid: str | None = None,
    acquired_at: datetime = ACQUIRED_AT,
    pixels: npt.NDArray[Any] | None = None,
    transfer_syntax: str = ExplicitVRLittleEndian,
    **extra_tags: Any,
) -> FileDataset:
    """The dataset behind `make_dicom`, for tests that bend it further."""
    uid = sop_uid or generate_uid()
    if pixels is None:
        # different films show different pictures, as in life
        pixels = make_pixels(rows=rows, columns=columns, bits=bits, seed=f"{uid}{patient_id}")
    rows, columns = pixels.shape[:2]
    allocated = pixels.dtype.itemsize * 8

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = extra_tags.get(
        "SOPClassUID", DigitalXRayImageStorageForPresentation
    )
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = transfer_syntax

    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = uid
    data.StudyInstanceUID = study_uid or generate_uid()
    data.SeriesInstanceUID = generate_uid()
    data.Modality = "DX"
    data.PatientName = patient_name
    if patient_id is not None:
        data.PatientID = patient_id
    data.PatientBirthDate = "19580102"
    data.PatientSex = "F"
    data.AccessionNumber = "A1"
    data.Manufacturer = "Acme"
    data.ManufacturerModelName = "Ray 1"
    if serial:
        data.DeviceSerialNumber = serial
    data.StationName = "ROOM1"
    local = acquired_at.astimezone(UTC)
    data.TimezoneOffsetFromUTC = "+0000"
    data.StudyDate = data.ContentDate = data.AcquisitionDate = local.strftime("%Y%m%d")
    data.StudyTime = data.ContentTime = data.AcquisitionTime = local.strftime("%H%M%S.%f")
    data.BodyPartExamined = "CHEST"
    data.ViewPosition = "PA"
    data.Rows, data.Columns = rows, columns
    data.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    data.PhotometricInterpretation = photometric
    if pixels.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = allocated
    data.BitsStored = bits
    data.HighBit = bits - 1
    data.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OB" if allocated == 8 else "OW"
    for keyword, value in extra_tags.items():
        if value is None:
            if keyword in data:
                del data[keyword]
        else:
            setattr(data, keyword, value)
    return data


@disable_value_validation()
def make_dicom(
    *,
    rows: int = 64,
    columns: int = 48,
    bits: int = 12,
    photometric: str = "MONOCHROME2",
    patient_id: str | None = "P1",
    patient_name: str = "Doe^Jane",
    serial: str = "XR-1",
    sop_uid: str | None = None,
    study_uid: str | None = None,
    acquired_at: datetime = ACQUIRED_AT,
    pixels: npt.NDArray[Any] | None = None,
    transfer_syntax: str = ExplicitVRLittleEndian,
    **extra_tags: Any,
) -> bytes:
    """One DICOM Part 10 file.

    Args:
        rows, columns, bits: of the generated picture, where `pixels` isn't given.
        photometric: `MONOCHROME1` or `MONOCHROME2` (or a colour one, to be refused).
        patient_id: `None` leaves the element out.
        serial: Device Serial Number; empty leaves it out.
        sop_uid, study_uid: new ones unless given.
        acquired_at: aware; written in UTC with Timezone Offset From UTC.
        pixels: stored values (rows, columns) or (rows, columns, 3).
        transfer_syntax: uncompressed, deflated, RLE, JPEG-LS or JPEG 2000 (what pydicom writes).
        extra_tags: keyword = value; `None` removes the element.
    """
    compressed = transfer_syntax not in _PLAIN
    data = make_dataset(
        rows=rows,
        columns=columns,
        bits=bits,
        photometric=photometric,
        patient_id=patient_id,
        patient_name=patient_name,
        serial=serial,
        sop_uid=sop_uid,
        study_uid=study_uid,
        acquired_at=acquired_at,
        pixels=pixels,
        transfer_syntax=ExplicitVRLittleEndian if compressed else transfer_syntax,
        **extra_tags,
    )
    if compressed:
        # not gdcm, whose RLE encoder aborts the process on odd sizes
        plugin = "pyjpegls" if transfer_syntax == JPEGLSLossless else "pylibjpeg"
        data.compress(transfer_syntax, generate_instance_uid=False, encoding_plugin=plugin)
    if transfer_syntax == ExplicitVRBigEndian:
        if data["PixelData"].VR == "OW":
            data.PixelData = np.frombuffer(data.PixelData, dtype="<u2").byteswap().tobytes()
        return to_bytes(data, big_endian=True)
    return to_bytes(data)


_PLAIN = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
)


@disable_value_validation()
def to_bytes(data: Dataset, *, big_endian: bool = False) -> bytes:
    """The file's bytes; `big_endian`: the pixel data are so already."""
    out = io.BytesIO()
    if big_endian:
        pydicom.dcmwrite(out, data, implicit_vr=False, little_endian=False, force_encoding=True)
    else:
        data.save_as(out, enforce_file_format=True)
    return out.getvalue()


def make_picture(
    *,
    kind: Literal["PNG", "JPEG"] = "PNG",
    rows: int = 64,
    columns: int = 48,
    mode: Literal["L", "I;16", "RGB"] = "L",
    colour: bool = False,
    seed: int | str = 0,
) -> bytes:
    """A PNG or JPEG film; `RGB` with three equal channels unless `colour`."""
    if mode == "I;16":
        picture = Picture.fromarray(make_pixels(rows=rows, columns=columns, bits=16, seed=seed))
    else:
        grey = make_pixels(rows=rows, columns=columns, bits=8, seed=seed)
        if mode == "L":
            picture = Picture.fromarray(grey)
        else:
            other = grey[::-1] if colour else grey
            picture = Picture.fromarray(np.stack([grey, other, grey], axis=2))
    out = io.BytesIO()
    picture.save(out, format=kind)
    return out.getvalue()
