"""A DICOM Part 10 file: structure, caps, pixels. Runs in the child process only."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.tag import BaseTag
from pydicom.uid import UID

from imaging.elements import text
from imaging.facts import Header
from imaging.header import read_header
from imaging.xray import is_xray
from twinhealth.errors import InvalidInputError, TooLargeError

from .limits import Limits

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

_EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_IMPLICIT_LITTLE = "1.2.840.10008.1.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_NATIVE = (_IMPLICIT_LITTLE, "1.2.840.10008.1.2.1", _DEFLATED, _EXPLICIT_BIG)
# where several can, the library made for it; the others keep pydicom's order
_PLUGINS = {
    "1.2.840.10008.1.2.5": "pylibjpeg",  # RLE
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",  # JPEG 2000, by OpenJPEG
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
}
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_UNDEFINED = 0xFFFFFFFF

Pixels = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose structure holds and whose declared sizes are within the caps."""

    header: Header
    dataset: Dataset  # without pixels
    buffer: bytes  # the dataset's bytes, inflated where they were deflated
    pixels_at: int  # where Pixel Data starts in it


def _truncated() -> InvalidInputError:
    return InvalidInputError(
        "truncated", "The file ends before its contents do. Send it again from the machine."
    )


@dataclass(frozen=True, slots=True)
class File:
    """A file that was parsed up to its pixels; fields as of `Opened`."""

    dataset: Dataset
    buffer: bytes
    pixels_at: int | None
    syntax: str


def read_file(path: Path, *, limits: Limits) -> File:
    """Parse everything but the pixels.

    Raises:
        InvalidInputError: `not_dicom`, `bad_header`, `truncated`.
        TooLargeError: `inflated_too_large`.
    """
    raw = path.read_bytes()
    if raw[128:132] != b"DICM":
        raise InvalidInputError("not_dicom", "This is no DICOM file: the DICM mark is missing.")
    try:
        meta, start = _read_meta(raw)
        syntax = text(meta, "TransferSyntaxUID")
        buffer = _inflate(raw[start:], limits) if syntax == _DEFLATED else raw[start:]
        dataset, pixels_at = _read_header_part(buffer, syntax)
    except (InvalidInputError, TooLargeError, MemoryError):
        raise
    except Exception as error:
        # the parser may raise anything on hostile bytes
        raise InvalidInputError(
            "bad_header", "The DICOM header can't be read: the file is damaged."
        ) from error
    return File(dataset, buffer, pixels_at, syntax)


def open_dicom(path: Path, *, limits: Limits, zone: str) -> Opened:
    """Read everything but the pixels, and check what the file declares.

    Raises:
        InvalidInputError: `not_dicom`, `bad_header`, `truncated`, `not_an_xray`, `no_pixels`.
        TooLargeError: `inflated_too_large`, `too_many_pixels`, `too_many_frames`.
    """
    file = read_file(path, limits=limits)
    dataset, pixels_at = file.dataset, file.pixels_at
    header = read_header(
        dataset, transfer_syntax_uid=file.syntax, zone=ZoneInfo(zone), now=datetime.now(UTC)
    )
    if not header.sop_class_uid:
        raise InvalidInputError(
            "bad_header", "The DICOM header doesn't say what the file is: it is damaged."
        )
    if not is_xray(header.sop_class_uid, header.modality):
        raise InvalidInputError(
            "not_an_xray",
            "This is no X-ray film: TwinHealth takes CR and DX images (and secondary captures "
            "of them).",
            sop_class_uid=header.sop_class_uid,
        )
    if pixels_at is None or header.rows < 1 or header.columns < 1:
        raise InvalidInputError(
            "no_pixels",
            "The DICOM file carries no picture. Export the image itself, not a report.",
        )
    check_size(header.rows, header.columns, header.frames, limits)
    return Opened(header, dataset, file.buffer, pixels_at)


def check_size(rows: int, columns: int, frames: int, limits: Limits) -> None:
    """Refuse what is declared too large, before a byte of it is decoded."""
    if max(rows, columns) > limits.side or rows * columns > limits.pixels:
        raise TooLargeError(
            "too_many_pixels",
            f"The picture declares {columns} x {rows} pixels; at most {limits.pixels} are taken.",
            rows=rows,
            columns=columns,
            max_pixels=limits.pixels,
            max_side=limits.side,
        )
    if frames > limits.frames:
        raise TooLargeError(
            "too_many_frames",
            f"The file declares {frames} frames; at most {limits.frames} are taken.",
            frames=frames,
            max_frames=limits.frames,
        )


def _read_meta(raw: bytes) -> tuple[Dataset, int]:
    """File meta information (PS3.10 7.1) and where the dataset starts."""
    fp = io.BytesIO(raw)
    fp.seek(132)
    meta = read_dataset(
        fp,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: BaseTag(tag).group != 2,
    )
    if not text(meta, "TransferSyntaxUID"):
        raise InvalidInputError("bad_header", "The DICOM file doesn't say how it is encoded.")
    return meta, fp.tell()


def _inflate(data: bytes, limits: Limits) -> bytes:
    """PS3.5 A.5; stops at the cap, whatever the stream would grow to."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    out = inflater.decompress(data, limits.bytes + 1)
    if len(out) > limits.bytes:
        raise TooLargeError(
            "inflated_too_large",
            f"The file inflates to more than {limits.bytes} bytes.",
            max_bytes=limits.bytes,
        )
    if not inflater.eof:
        raise _truncated()
    return out


def _read_header_part(buffer: bytes, syntax: str) -> tuple[Dataset, int | None]:
    """All elements before the pixels, and where these start; `None` without pixels."""
    fp = io.BytesIO(buffer)
    found = False

    def at_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
        nonlocal found
        found = tag in _PIXEL_TAGS
        return found

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = read_dataset(
            fp,
            is_implicit_VR=syntax == _IMPLICIT_LITTLE,
            is_little_endian=syntax != _EXPLICIT_BIG,
            stop_when=at_pixels,
        )
    end = 0
    for element in data.values():
        if isinstance(element, RawDataElement) and element.length != _UNDEFINED:
            end = max(end, element.value_tell + element.length)
            if len(element.value or b"") < element.length:
                raise _truncated()
    if any("End of file" in str(w.message) for w in caught):
        raise _truncated()
    if not found and 0 < len(buffer) - end < 8:
        raise _truncated()  # cut within the next element's head
    return data, fp.tell() if found else None


def unsupported(header: Header) -> str:
    """Why the film can't be shown even if it's sound; empty: it can."""
    if header.frames > 1:
        return f"It has {header.frames} frames; only single films are shown."
    if header.samples != 1 or header.photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        return "It is a colour picture; only grey films are shown."
    if not 8 <= header.bits_stored <= 16 or header.bits_allocated not in {8, 16}:
        return f"It has {header.bits_stored} bits per pixel; 8 to 16 are shown."
    if header.bits_stored > header.bits_allocated or header.high_bit != header.bits_stored - 1:
        return "Its bits lie in an order that isn't shown."
    return ""


def decode(opened: Opened) -> Pixels | str:
    """Stored values of the one grey frame, or a sentence why nothing here decodes them.

    Raises:
        InvalidInputError: `truncated`, `decode_failed`.
    """
    header = opened.header
    syntax = header.transfer_syntax_uid
    native = syntax in _NATIVE
    value, undefined = _pixel_bytes(opened)
    if native:
        size = header.rows * header.columns * header.bits_allocated // 8
        size *= header.frames * header.samples
        if undefined or len(value) < size:
            raise _truncated()
        value = value[: size + size % 2]
    reason = unsupported(header)
    if reason:
        return reason
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return "Nothing here decodes its compression."
    if not native and not undefined:
        raise InvalidInputError("decode_failed", "The compressed pixels have no frame structure.")
    source = Dataset()
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = UID(syntax)
    source.set_original_encoding(syntax == _IMPLICIT_LITTLE, syntax != _EXPLICIT_BIG)
    source.SamplesPerPixel = 1
    source.PhotometricInterpretation = header.photometric
    source.Rows, source.Columns = header.rows, header.columns
    source.BitsAllocated, source.BitsStored = header.bits_allocated, header.bits_stored
    source.HighBit = header.high_bit
    source.PixelRepresentation = int(header.signed)
    source.add_new(0x7FE00010, "OB" if not native or header.bits_allocated == 8 else "OW", value)
    source["PixelData"].is_undefined_length = undefined
    return _decode(decoder, source, header)


def _decode(decoder: Decoder, source: Dataset, header: Header) -> Pixels | str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pixels, _ = decoder.as_array(
                source,
                index=0,
                raw=True,
                decoding_plugin=_PLUGINS.get(header.transfer_syntax_uid, ""),
            )
        except MemoryError:
            raise
        except NotImplementedError:
            return "Nothing here decodes its compression."
        except Exception as error:
            if not decoder.is_available or "GDCM does not support" in str(error):
                return "Nothing here decodes its compression."
            raise InvalidInputError(
                "decode_failed", "The pixels can't be decoded: the file is damaged."
            ) from error
    if pixels.shape != (header.rows, header.columns) or pixels.dtype.kind not in "iu":
        raise InvalidInputError(
            "decode_failed", "The decoded picture has another size than the header says."
        )
    return pixels


def _pixel_bytes(opened: Opened) -> tuple[bytes, bool]:
    """Value of Pixel Data, and whether it's encapsulated; every declared length is checked."""
    buffer, at = opened.buffer, opened.pixels_at
    order = ">" if opened.header.transfer_syntax_uid == _EXPLICIT_BIG else "<"
    implicit = opened.dataset.original_encoding[0]
    try:
        if implicit:
            (length,) = struct.unpack_from(f"{order}I", buffer, at + 4)
            start = at + 8
        else:
            (length,) = struct.unpack_from(f"{order}I", buffer, at + 8)
            start = at + 12
        if length != _UNDEFINED:
            if start + length > len(buffer):
                raise _truncated()
            return buffer[start : start + length], False
        end = start
        while True:  # items of an encapsulated value, PS3.5 A.4
            group, element, size = struct.unpack_from("<HHI", buffer, end)
            if (group, element) == (0xFFFE, 0xE0DD):
                return buffer[start:end], True
            if (group, element) != (0xFFFE, 0xE000):
                raise InvalidInputError(
                    "decode_failed", "The compressed pixels have a broken frame structure."
                )
            end += 8 + size
    except struct.error:
        raise _truncated() from None
