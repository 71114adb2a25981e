"""PNG and JPEG: decoded, checked for being grey, wrapped into DICOM. Child process only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from PIL import UnidentifiedImageError
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from imaging.xray import SECONDARY_CAPTURE
from twinhealth.errors import InvalidInputError

from .dicom import check_size
from .limits import Limits

Picture.MAX_IMAGE_PIXELS = None  # our own cap is checked before anything is decoded
# a grey picture saved as colour JPEG comes back with channels this far apart at most
_GREY_TOLERANCE = 3


@dataclass(frozen=True, slots=True)
class Grey:
    """A decoded picture.

    Attributes:
        pixels: uint8 or uint16 (rows, columns), low is black.
        lossy: it came as JPEG.
        padding: the grey level that a PNG declares not to be picture (PNG, 11.3.2.1 tRNS).
    """

    pixels: npt.NDArray[np.unsignedinteger[Any]]
    lossy: bool
    padding: int | None = None

    @property
    def bits(self) -> int:
        """8 or 16."""
        return self.pixels.dtype.itemsize * 8


def open_picture(path: Path, *, limits: Limits) -> Grey:
    """Decode a PNG or JPEG of a film.

    Raises:
        InvalidInputError: `not_a_picture`, `truncated`, `colour_picture`, `multi_frame`.
        TooLargeError: `too_many_pixels`, `too_many_frames`.
    """
    try:
        with Picture.open(path, formats=("PNG", "JPEG")) as picture:
            check_size(picture.height, picture.width, 1, limits)
            if getattr(picture, "n_frames", 1) > 1:
                raise InvalidInputError("multi_frame", "The picture is animated; send one film.")
            picture.load()
            lossy = picture.format == "JPEG"
            return Grey(_grey(picture), lossy=lossy, padding=_padding(picture))
    except UnidentifiedImageError as error:
        raise InvalidInputError("not_a_picture", "This is no PNG or JPEG picture.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # Pillow's own words for a cut or damaged file
        raise InvalidInputError(
            "truncated", "The picture is cut off or damaged. Export it again."
        ) from error


def _grey(picture: Picture.Image) -> npt.NDArray[np.unsignedinteger[Any]]:
    if picture.mode.startswith("I;16"):
        return np.asarray(picture).astype(np.uint16)
    if picture.mode == "I":
        values = np.asarray(picture)
        if values.min() < 0 or values.max() > 65535:
            raise InvalidInputError("not_a_picture", "The picture has more than 16 bits per pixel.")
        return values.astype(np.uint16)
    if picture.mode in {"1", "L"}:
        return np.asarray(picture.convert("L"))
    if picture.mode in {"LA", "P", "PA", "RGB", "RGBA", "YCbCr"}:
        colours = np.asarray(picture.convert("RGB"))
        spread = colours.max(axis=2) - colours.min(axis=2)
        if int(spread.max()) <= _GREY_TOLERANCE:
            return np.ascontiguousarray(colours[:, :, 1])
    raise InvalidInputError(
        "colour_picture", "The picture is in colour; an X-ray film is grey. Export it as grey."
    )


def _padding(picture: Picture.Image) -> int | None:
    """Of a grey PNG; with a palette or colours the level of one channel says nothing."""
    level = picture.info.get("transparency")
    grey = picture.mode == "L" or picture.mode.startswith("I")
    return level if grey and isinstance(level, int) else None


def wrap(grey: Grey, identity: dict[str, str], acquired_at: datetime | None) -> FileDataset:
    """A Secondary Capture with the picture and what the sender says of it.

    Args:
        grey: the picture.
        identity: DICOM keyword -> value: UIDs, Patient ID, Device Serial Number, view.
        acquired_at: exposure, aware, where the sender knows it.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(SECONDARY_CAPTURE)
    meta.MediaStorageSOPInstanceUID = UID(identity["SOPInstanceUID"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = SECONDARY_CAPTURE
    data.Modality = "DX"
    data.ConversionType = "WSD"
    data.PatientName = ""
    data.PatientBirthDate = data.PatientSex = ""
    data.StudyDate = data.StudyTime = data.AccessionNumber = data.StudyID = ""
    data.ReferringPhysicianName = data.SeriesNumber = data.InstanceNumber = None
    for keyword, value in identity.items():
        if value:
            setattr(data, keyword, value)
    if acquired_at is not None:
        data.TimezoneOffsetFromUTC = acquired_at.strftime("%z")[:5]
        data.AcquisitionDate = data.ContentDate = data.StudyDate = acquired_at.strftime("%Y%m%d")
        clock = acquired_at.strftime("%H%M%S.%f")
        data.AcquisitionTime = data.ContentTime = data.StudyTime = clock
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = grey.pixels.shape
    data.BitsAllocated = data.BitsStored = grey.bits
    data.HighBit = grey.bits - 1
    data.PixelRepresentation = 0
    data.BurnedInAnnotation = "YES"  # nobody looked: the safe answer
    if grey.padding is not None:
        data.PixelPaddingValue = grey.padding
    if grey.lossy:
        data.LossyImageCompression = "01"
    if grey.bits == 8:
        # shown exactly as the picture: (PS3.3 C.11.2.1.2) this window is the identity
        data.WindowCenter, data.WindowWidth = "128", "256"
    raw = np.ascontiguousarray(grey.pixels, dtype="<u1" if grey.bits == 8 else "<u2").tobytes()
    data.add_new(0x7FE00010, "OB" if grey.bits == 8 else "OW", raw + b"\0" * (len(raw) % 2))
    return data
