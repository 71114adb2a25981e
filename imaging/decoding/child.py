"""The decoding process: `python -m imaging.decoding.child MEMORY_BYTES`.

Reads requests from standard input, answers on standard output, one at a time, until the input
ends. It imports no Django, holds no secret, opens no network, and may die at any time.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from imaging import framecache, rendering
from imaging.decoding import dicom, dose, picture
from imaging.decoding.limits import Limits
from imaging.decoding.protocol import pack, unpack
from imaging.facts import Header, Inspection, PixelFacts
from imaging.frame import Window
from imaging.header import read_header
from imaging.statistics import fingerprint, measure
from twinhealth.errors import DomainError, InvalidInputError, TooLargeError, UnavailableError

Reply = tuple[dict[str, Any], "np.ndarray[Any, Any] | None"]


def _facts(pixels: dicom.Pixels, header: Header) -> PixelFacts:
    return PixelFacts(
        sha256=fingerprint(
            pixels,
            photometric=header.photometric,
            bits_stored=header.bits_stored,
            signed=header.signed,
        ),
        statistics=measure(pixels, bits_stored=header.bits_stored, signed=header.signed),
    )


def _inspect(request: dict[str, Any]) -> Reply:
    """A DICOM file: header, and figures of its pixels."""
    opened = _opened(request)
    pixels = dicom.decode(opened)
    if isinstance(pixels, str):
        found = Inspection(opened.header, None, "cannot_display", pixels)
    else:
        found = Inspection(opened.header, _facts(pixels, opened.header))
    return found.to_json(), None


def _decode(request: dict[str, Any]) -> Reply:
    """A DICOM file, PNG or JPEG: header and pixels."""
    path, limits = Path(request["path"]), Limits.from_json(request["limits"])
    if request["kind"] == "picture":
        grey = picture.open_picture(path, limits=limits)
        data = picture.wrap(grey, {"SOPInstanceUID": "2.25.0"}, None)
        header = _header(data, request)
        return {"header": header.to_json(), "dtype": grey.pixels.dtype.str}, grey.pixels
    opened = _opened(request)
    pixels = dicom.decode(opened)
    if isinstance(pixels, str):
        raise _cannot_display(pixels)
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    return {"header": opened.header.to_json(), "dtype": little.dtype.str}, little


def _render(request: dict[str, Any]) -> Reply:
    """A DICOM file: its 8-bit view as PNG; the decoded film is kept in `cached`."""
    cached = Path(request["cached"])
    frame = framecache.read(cached)
    if frame is None:
        opened = _opened(request)
        pixels = dicom.decode(opened)
        if isinstance(pixels, str):
            raise _cannot_display(pixels)
        frame = opened.header.frame(pixels)
        with contextlib.suppress(OSError):  # costs speed, nothing else
            framecache.write(cached, frame)
    window = Window(*request["window"]) if request["window"] else None
    data = rendering.png(frame, window=window, invert=request["invert"], size=request["size"])
    return {}, np.frombuffer(data, np.uint8)


def _cannot_display(why: str) -> InvalidInputError:
    return InvalidInputError("cannot_display", f"The film can't be shown. {why}")


def _wrap(request: dict[str, Any]) -> Reply:
    """A PNG or JPEG: written as DICOM to `out`; header and figures as of `inspect`."""
    grey = picture.open_picture(Path(request["path"]), limits=Limits.from_json(request["limits"]))
    at = request["acquired_at"]
    data = picture.wrap(grey, request["identity"], datetime.fromisoformat(at) if at else None)
    try:
        data.save_as(request["out"], enforce_file_format=True)
    except OSError as error:
        raise UnavailableError(
            "storage_full", "The server can't write the file now. Tell an admin; try later."
        ) from error
    header = _header(data, request)
    return Inspection(header, _facts(grey.pixels, header)).to_json(), None


def _header(data: Any, request: dict[str, Any]) -> Header:
    return read_header(
        data,
        transfer_syntax_uid=str(data.file_meta.TransferSyntaxUID),
        zone=ZoneInfo(request["zone"]),
        now=datetime.now(UTC),
    )


def _opened(request: dict[str, Any]) -> dicom.Opened:
    return dicom.open_dicom(
        Path(request["path"]), limits=Limits.from_json(request["limits"]), zone=request["zone"]
    )


def _dose(request: dict[str, Any]) -> Reply:
    """A radiation dose report: its machine and exposures."""
    limits = Limits.from_json(request["limits"])
    found = dose.read_report(Path(request["path"]), limits=limits, zone=request["zone"])
    return found.to_json(), None


_OPERATIONS: dict[str, Callable[[dict[str, Any]], Reply]] = {
    "inspect": _inspect,
    "decode": _decode,
    "render": _render,
    "wrap": _wrap,
    "dose": _dose,
}


def answer(request: dict[str, Any]) -> Reply:
    """Do one request; what a person can act on becomes the reply's `error`."""
    try:
        return _OPERATIONS[request["op"]](request)
    except DomainError as error:
        return {"error": {"kind": type(error).__name__, **error.as_dict()}}, None
    except (MemoryError, RecursionError):
        too_large = TooLargeError(
            "decode_memory", "Reading the file would take more memory than is allowed."
        )
        return {"error": {"kind": "TooLargeError", **too_large.as_dict()}}, None
    except Exception as error:  # noqa: BLE001 - a defect of ours, or of a decoder: told, not hidden
        failed = InvalidInputError(
            "decoder_failed",
            "The decoder failed on this file. Send it again; tell an admin if it repeats.",
            cause=f"{type(error).__name__}: {error}"[:200],
        )
        return {"error": {"kind": "InvalidInputError", **failed.as_dict()}}, None


def _read_exactly(size: int) -> bytes:
    data = sys.stdin.buffer.read(size)
    if len(data) < size:
        sys.exit(0)  # the parent is gone
    return data


def main() -> None:
    """Limit ourselves, then serve."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # C libraries print to 1 and 2: the answers go out by a copy that they don't know
    with os.fdopen(os.dup(1), "wb", buffering=0) as out, Path(os.devnull).open("wb") as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        while True:
            request, _ = unpack(_read_exactly, max_body=0)
            head, pixels = answer(request)
            body = memoryview(b"") if pixels is None else _bytes_of(pixels)
            _write(out.fileno(), memoryview(pack(head, body.nbytes)))
            _write(out.fileno(), body)


def _bytes_of(pixels: np.ndarray[Any, Any]) -> memoryview:
    return np.ascontiguousarray(pixels).data.cast("B")


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    main()
