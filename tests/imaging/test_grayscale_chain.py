"""Tables, polarity and millimetres of the grey-scale chain: by hand and against dcmj2pnm."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image as Picture
from pydicom.dataset import Dataset

from imaging import framecache, pixels
from imaging.display_header import modality_lut, spacing, voi_luts, windows
from imaging.facts import Header
from imaging.frame import Frame, Lut, Spacing, Window
from imaging.grayscale import default_voi, percentile_window, render8
from imaging.rendering import tables

from .factories import make_dicom, make_pixels


def lut_item(entries, *, first=0, bits=16, name="", kind=None) -> Dataset:
    """An item of a Modality or VOI LUT Sequence."""
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries) % 65536, first % 65536, bits])
    item.LUTExplanation = name
    if kind:
        item.ModalityLUTType = kind
    item.add_new(0x00283006, "OW", np.asarray(entries, "<u2").tobytes())
    return item


def table(entries, *, first=0, bits=8, name="") -> Lut:
    return Lut(first, bits, np.asarray(entries, "<u2").tobytes(), name)


def bend(count: int, top: int) -> np.ndarray:
    """A curve that no window can make."""
    return np.rint(top * np.linspace(0, 1, count) ** 2.2).astype(int)


def test_a_voi_table_by_hand():
    """PS3.3 C.11.2.1.1: below the first value the first entry, above the last one the last."""
    values = np.array([[0, 99, 100, 101, 102, 4000]], np.uint16)
    frame = Frame(values, "MONOCHROME2", 12, voi_luts=(table([10, 100, 255], first=100),))
    assert render8(frame).tolist() == [[10, 10, 10, 100, 255, 255]]
    other = Frame(values, "MONOCHROME1", 12, voi_luts=frame.voi_luts)
    assert render8(other).tolist() == [[245, 245, 245, 155, 0, 0]]


def test_a_modality_table_comes_before_the_window():
    frame = Frame(
        np.array([[0, 1, 2, 9]], np.uint16),
        "MONOCHROME2",
        12,
        slope=7.0,
        modality_lut=table([1000, 500, 0], bits=10),
        windows=(Window(500.5, 1001),),
    )
    assert render8(frame).tolist() == [[255, 128, 0, 0]]
    assert frame.low_is_white


def test_a_window_is_opened_before_a_table_and_a_table_before_percentiles():
    values, lut = np.arange(12, dtype=np.uint16).reshape(3, 4), table([0, 255])
    window = Window(5, 10)
    assert default_voi(Frame(values, "MONOCHROME2", 12, windows=(window,), voi_luts=(lut,))) == (
        window
    )
    assert default_voi(Frame(values, "MONOCHROME2", 12, voi_luts=(lut,))) == lut
    bare = Frame(values, "MONOCHROME2", 12)
    assert default_voi(bare) == percentile_window(bare)


def test_percentiles_are_of_modality_values():
    frame = Frame(
        np.array([[0, 1]], np.uint16), "MONOCHROME2", 8, modality_lut=table([100, 200], bits=8)
    )
    assert percentile_window(frame).center == pytest.approx(150, abs=1)


@pytest.mark.parametrize(
    ("photometric", "shape", "inverse"),
    [
        ("MONOCHROME1", "", True),
        ("MONOCHROME2", "", False),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", False),
    ],
)
def test_polarity(photometric, shape, inverse):
    """The two names say one thing (PS3.3 C.11.6): they never invert twice."""
    frame = Frame(np.array([[0, 255]], np.uint8), photometric, 8, shape=shape)
    assert frame.inverse is inverse
    shown = render8(frame, window=Window(128, 256)).tolist()
    assert shown == ([[255, 0]] if inverse else [[0, 255]])


def data(**elements) -> Dataset:
    found = Dataset()
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    return found


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, None),
        ({"PixelSpacing": [0.2, 0.1]}, (0.2, 0.1, "unspecified")),
        ({"ImagerPixelSpacing": [0.14, 0.14]}, (0.14, 0.14, "detector")),
        (
            {"PixelSpacing": [0.14, 0.14], "ImagerPixelSpacing": [0.14, 0.14]},
            (0.14, 0.14, "detector"),
        ),
        (
            {"PixelSpacing": [0.12, 0.12], "PixelSpacingCalibrationType": "GEOMETRY"},
            (0.12, 0.12, "geometry"),
        ),
        (
            {
                "PixelSpacing": [0.12, 0.12],
                "ImagerPixelSpacing": [0.14, 0.14],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            (0.12, 0.12, "fiducial"),
        ),
        ({"NominalScannedPixelSpacing": [0.17, 0.17]}, (0.17, 0.17, "scanned")),
        ({"PixelSpacing": [0, 0]}, None),
        ({"PixelSpacing": [-1, 1], "ImagerPixelSpacing": [0.1, 0.1]}, (0.1, 0.1, "detector")),
        ({"PixelSpacing": [0.1]}, None),
    ],
)
def test_millimetres_say_where_they_hold(elements, expected):
    assert spacing(data(**elements)) == (Spacing(*expected) if expected else None)


def test_windows_carry_their_explanations():
    found = windows(
        data(
            WindowCenter=[10, 20, 30],
            WindowWidth=[5, 0, 7],
            WindowCenterWidthExplanation=["LUNG", "BROKEN", "BONE"],
        )
    )
    assert [(w.center, w.name) for w in found] == [(10, "LUNG"), (30, "BONE")]


@pytest.mark.parametrize(
    "descriptor", [[0], [3, 0, 4], [3, 0, 17], [4000, 0, 16]], ids=["short", "4", "17", "cut"]
)
def test_an_unsound_table_is_left_out(descriptor):
    item = lut_item([1, 2, 3])
    item.add_new(0x00283002, "US", descriptor)
    assert voi_luts(data(VOILUTSequence=[item]), signed=False) == ()
    assert modality_lut(data(ModalityLUTSequence=[item]), signed=False) is None


def test_forms_of_tables():
    signed = voi_luts(data(VOILUTSequence=[lut_item([1, 2], first=-5, bits=12)]), signed=True)
    assert (signed[0].first, signed[0].bits) == (-5, 12)
    packed = Dataset()
    packed.add_new(0x00283002, "US", [4, 0, 8])
    packed.add_new(0x00283006, "OW", bytes([1, 2, 3, 255]))
    found = voi_luts(data(VOILUTSequence=[packed]), signed=False)[0]
    assert found.entries.tolist() == [1, 2, 3, 255]
    more = voi_luts(data(VOILUTSequence=[lut_item([0, 4095], bits=10)]), signed=False)[0]
    assert more.top == 4095, "more bits than declared"
    full = voi_luts(data(VOILUTSequence=[lut_item(np.arange(65536))]), signed=False)[0]
    assert len(full.entries) == 65536


def film(tmp_path, **fields) -> Frame:
    path = tmp_path / "film.dcm"
    path.write_bytes(make_dicom(**fields))
    return pixels.read_file(path)


def test_tables_survive_decoder_and_cache(tmp_path):
    frame = film(
        tmp_path,
        ModalityLUTSequence=[lut_item(bend(4096, 4095), bits=12, kind="US")],
        VOILUTSequence=[lut_item(bend(4096, 255), bits=8, name="CHEST")],
        PixelSpacing=["0.2", "0.1"],
        PresentationLUTShape="INVERSE",
    )
    assert frame.modality_lut is not None
    assert frame.voi_luts[0].name == "CHEST"
    path = tmp_path / "cache" / "a.frame"
    framecache.write(path, frame)
    again = framecache.read(path)
    assert again is not None
    for name in ("modality_lut", "voi_luts", "shape", "spacing", "windows"):
        assert getattr(again, name) == getattr(frame, name)
    assert np.array_equal(render8(again), render8(frame))
    assert tables(frame)["default"] == "voi"
    header, _ = pixels.read_with_header(tmp_path / "film.dcm")
    assert Header.from_json(header.to_json()) == header


GOLDEN = {
    "voi table": ({"VOILUTSequence": [lut_item(bend(4096, 65535))]}, ["+Wl", "1"]),
    "voi table of 8 bits": ({"VOILUTSequence": [lut_item(bend(4096, 255), bits=8)]}, ["+Wl", "1"]),
    "short voi table": (
        {"VOILUTSequence": [lut_item(bend(1000, 4095), first=1500, bits=12)]},
        ["+Wl", "1"],
    ),
    "voi table, MONOCHROME1": (
        {"VOILUTSequence": [lut_item(bend(4096, 65535))], "photometric": "MONOCHROME1"},
        ["+Wl", "1"],
    ),
    "modality table": (
        {
            "ModalityLUTSequence": [lut_item(bend(4096, 65535), kind="US")],
            "WindowCenter": "30000",
            "WindowWidth": "50000",
        },
        ["+Wi", "1"],
    ),
    "falling modality table": (
        {
            "ModalityLUTSequence": [lut_item(bend(4096, 4095)[::-1], bits=12, kind="US")],
            "WindowCenter": "2000",
            "WindowWidth": "3000",
        },
        ["+Wi", "1"],
    ),
    "inverse shape": (
        {"PresentationLUTShape": "INVERSE", "WindowCenter": "2048", "WindowWidth": "3000"},
        ["+Wi", "1"],
    ),
    "inverse shape, MONOCHROME1": (
        {
            "PresentationLUTShape": "INVERSE",
            "photometric": "MONOCHROME1",
            "WindowCenter": "2048",
            "WindowWidth": "3000",
        },
        ["+Wi", "1"],
    ),
    "second window": (
        {"WindowCenter": ["1", "2500"], "WindowWidth": ["0", "1500"]},
        ["+Wi", "2"],
    ),
}


@pytest.mark.dcmtk
@pytest.mark.parametrize("name", GOLDEN)
def test_as_dcmtk_shows_it(tmp_path, name):
    """Within one grey level of dcmj2pnm on every pixel."""
    program = shutil.which("dcmj2pnm") or shutil.which("dcm2img")
    assert program, "dcmj2pnm of dcmtk is missing"
    fields, options = GOLDEN[name]
    source, target = tmp_path / "film.dcm", tmp_path / "film.pgm"
    ours = render8(film(tmp_path, pixels=make_pixels(rows=120, columns=90), **fields)).astype(int)
    subprocess.run([program, *options, "+op", source, target], check=True, capture_output=True)
    theirs = np.asarray(Picture.open(target)).astype(int)
    assert np.abs(ours - theirs).max() <= 1
    assert np.ptp(theirs) > 100
