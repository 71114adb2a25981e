"""What a file says of itself, as plain values: what the decoding process hands to the others."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from devices.facts import ImageFacts, MachineName

from .frame import Frame, Lut, Spacing, Window


@dataclass(frozen=True, slots=True)
class Statistics:
    """Cheap figures of one picture, see `imaging.statistics.measure`."""

    mean: float  # % of the range
    saturated: float  # % of pixels at the highest value
    clipped: float  # % of pixels at the lowest value
    noise: float  # standard deviation of fine noise, share of the range
    dead_columns: int
    constant: bool  # every pixel has one value: nobody's picture


@dataclass(frozen=True, slots=True)
class PixelFacts:
    """What the decoded pixels tell.

    Attributes:
        sha256: of the picture whatever its encoding (`imaging.statistics.fingerprint`).
        statistics: cheap figures.
    """

    sha256: str
    statistics: Statistics

    def readings(self) -> dict[str, tuple[float, str]]:
        """As readings of the machine: metric key -> (value, UCUM unit)."""
        s = self.statistics
        return {
            "pixel_mean": (s.mean, "%"),
            "pixel_saturated": (s.saturated, "%"),
            "pixel_noise": (s.noise, "1"),
            "pixel_dead_columns": (float(s.dead_columns), "1"),
        }


@dataclass(frozen=True, slots=True)
class Header:
    """A DICOM header in typed values; texts are decoded, trimmed and free of control characters.

    Attributes:
        acquired_at: exposure, aware; `None` where the header gives no usable time.
        acquired_at_is_guess: it's not the acquisition's own date and time.
        samples: 1 is grey.
        windows: usable VOI windows only (finite, wide enough).
        readings, config: as `devices.facts.ImageFacts` names them.
        burned_in: Burned In Annotation (0028,0301), `YES`, `NO` or empty.
        modality_lut, voi_luts, shape, spacing: as in `imaging.frame.Frame`.
        requested_urgency: Requested Procedure Priority (0040,1003) in small letters (PS3.3, table
            C.4-11: STAT, HIGH, ROUTINE, MEDIUM, LOW); empty where it is none of these.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str
    modality: str
    body_part: str
    view_position: str
    accession_number: str
    study_description: str
    patient_id: str
    issuer: str
    patient_name: str
    birth_date: str  # ISO date or empty
    sex: str
    acquired_at: datetime | None
    acquired_at_is_guess: bool
    study_at: datetime | None
    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    slope: float
    intercept: float
    windows: tuple[Window, ...]
    padding: tuple[int, int] | None
    machine: MachineName
    readings: dict[str, tuple[float, str]] = field(default_factory=dict)
    config: dict[str, str] = field(default_factory=dict)
    burned_in: str = ""
    modality_lut: Lut | None = None
    voi_luts: tuple[Lut, ...] = ()
    shape: str = ""
    spacing: Spacing | None = None
    requested_urgency: str = ""

    def frame(self, pixels: npt.NDArray[np.integer[Any]]) -> Frame:
        """Stored values (rows, columns) with what is needed to show them."""
        return Frame(
            pixels=pixels,
            photometric="MONOCHROME1" if self.photometric == "MONOCHROME1" else "MONOCHROME2",
            bits_stored=self.bits_stored,
            slope=self.slope,
            intercept=self.intercept,
            windows=self.windows,
            padding=self.padding,
            modality_lut=self.modality_lut,
            voi_luts=self.voi_luts,
            shape=self.shape,
            spacing=self.spacing,
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-safe dict; `from_json` is its inverse."""
        data = asdict(self)
        for name in ("acquired_at", "study_at"):
            data[name] = data[name].isoformat() if data[name] else None
        data["modality_lut"] = lut_to_json(self.modality_lut)
        data["voi_luts"] = [lut_to_json(lut) for lut in self.voi_luts]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build from what `to_json` gave."""
        values = {f.name: data[f.name] for f in fields(cls)}
        for name in ("acquired_at", "study_at"):
            values[name] = datetime.fromisoformat(values[name]) if values[name] else None
        values["windows"] = tuple(Window(**w) for w in values["windows"])
        values["modality_lut"] = lut_from_json(values["modality_lut"])
        values["voi_luts"] = tuple(
            lut for lut in map(lut_from_json, values["voi_luts"]) if lut is not None
        )
        values["spacing"] = Spacing(**values["spacing"]) if values["spacing"] else None
        values["padding"] = tuple(values["padding"]) if values["padding"] else None
        values["machine"] = MachineName(**values["machine"])
        values["readings"] = {k: (float(v), str(u)) for k, (v, u) in values["readings"].items()}
        return cls(**values)


def lut_to_json(lut: Lut | None) -> dict[str, Any] | None:
    """JSON-safe dict of a table, its entries as base64; `lut_from_json` is the inverse."""
    if lut is None:
        return None
    return asdict(lut) | {"data": b64encode(lut.data).decode()}


def lut_from_json(data: dict[str, Any] | None) -> Lut | None:
    """Build from what `lut_to_json` gave."""
    return Lut(**data | {"data": b64decode(data["data"])}) if data else None


@dataclass(frozen=True, slots=True)
class Inspection:
    """A file looked through, pixels included.

    Attributes:
        header: what it says.
        pixels: `None` where nothing here shows them, then `problem` says why.
        problem: empty, or a code (`cannot_display`).
        problem_message: for a person.
    """

    header: Header
    pixels: PixelFacts | None
    problem: str = ""
    problem_message: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON-safe dict; `from_json` is its inverse."""
        return {
            "header": self.header.to_json(),
            "pixels": asdict(self.pixels) if self.pixels else None,
            "problem": self.problem,
            "problem_message": self.problem_message,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build from what `to_json` gave."""
        pixels = data["pixels"]
        return cls(
            header=Header.from_json(data["header"]),
            pixels=PixelFacts(pixels["sha256"], Statistics(**pixels["statistics"]))
            if pixels
            else None,
            problem=data["problem"],
            problem_message=data["problem_message"],
        )

    def image_facts(self, acquired_at: datetime) -> ImageFacts:
        """What the image tells of its machine: header values and pixel figures."""
        readings = dict(self.header.readings)
        if self.pixels and not self.pixels.statistics.constant:
            readings.update(self.pixels.readings())
        return ImageFacts(acquired_at=acquired_at, readings=readings, config=self.header.config)
