"""The grey-scale chain against the standard's formulas by hand, and against dcmtk."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image as Picture

from imaging import pixels
from imaging.frame import Frame, Window
from imaging.grayscale import apply_window, default_window, percentile_window, render8, usable

from .factories import make_dicom, make_pixels


def frame(values, **more) -> Frame:
    array = np.atleast_2d(np.asarray(values))
    fields = {"pixels": array, "photometric": "MONOCHROME2", "bits_stored": 12, **more}
    return Frame(**fields)


@pytest.mark.parametrize(
    ("window", "values", "expected"),
    [
        # PS3.3 C.11.2.1.2.1, note: c = 2048, w = 4096 is the identity of 12 bits
        (Window(2048, 4096), [0, 1, 2047, 2048, 4095], [0, 255 / 4095, 127.46886, 127.53114, 255]),
        # c = 2048, w = 1: below 2047.5 black, above white
        (Window(2048, 1), [2046, 2047, 2048, 2049], [0, 0, 255, 255]),
        # c = 0, w = 100: from -49.5-0.5 to 49.5-0.5, so -50 is black and 49 is white
        (Window(0, 100), [-51, -50, -0.5, 49, 50], [0, 0, 127.5, 255, 255]),
        # c = 0, w = 1 on signed values
        (Window(0, 1), [-1, -0.5, -0.4, 0], [0, 0, 255, 255]),
        # C.11.2.1.3.2: from c - w/2 to c + w/2, without the halves
        (
            Window(0, 100, "LINEAR_EXACT"),
            [-51, -50, -25, 0, 50, 51],
            [0, 0, 63.75, 127.5, 255, 255],
        ),
        (Window(0.5, 0.5, "LINEAR_EXACT"), [0.25, 0.5, 0.75, 1], [0, 127.5, 255, 255]),
        # C.11.2.1.3.1: 1 / (1 + exp(-4 (x - c) / w))
        (
            Window(100, 40, "SIGMOID"),
            [80, 100, 120, -1e9, 1e9],
            [255 / (1 + np.e**2), 127.5, 255 / (1 + np.e**-2), 0, 255],
        ),
    ],
)
def test_windows_by_hand(window, values, expected):
    assert apply_window(values, window) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("window", "ok"),
    [
        (Window(0, 1), True),
        (Window(0, 0.5), False),
        (Window(0, 0.5, "LINEAR_EXACT"), True),
        (Window(0, 0, "LINEAR_EXACT"), False),
        (Window(0, -4, "SIGMOID"), False),
        (Window(float("nan"), 4), False),
        (Window(4, float("inf")), False),
    ],
)
def test_usable_windows(window, ok):
    assert usable(window) is ok


def test_monochrome1_is_inverted_after_the_window():
    values = [0, 1000, 2048, 4095]
    window = Window(2048, 4096)
    shown = render8(frame(values), window=window)
    other = render8(frame(values, photometric="MONOCHROME1"), window=window)
    assert shown.tolist() == [[0, 62, 128, 255]]
    assert other.tolist() == [[255, 193, 127, 0]]
    assert render8(frame(values), window=window, invert=True).tolist() == other.tolist()
    both = render8(frame(values, photometric="MONOCHROME1"), window=window, invert=True)
    assert both.tolist() == shown.tolist()


def test_the_modality_lut_comes_first():
    """Slope and intercept, negative ones too, then the window in modality units."""
    found = render8(frame([0, 50, 100], slope=-2.0, intercept=100.0), window=Window(0.5, 201))
    # modality values 100, 0, -100
    assert found.tolist() == [[255, 128, 0]]


def test_signed_values():
    values = np.array([[-2048, -1, 0, 2047]], dtype=np.int16)
    assert render8(frame(values), window=Window(0, 4096)).tolist() == [[0, 127, 128, 255]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int8, np.int16])
def test_every_type_of_stored_values(dtype):
    info = np.iinfo(dtype)
    values = np.array([[info.min, 0, info.max]], dtype=dtype)
    window = Window((info.min + info.max + 1) / 2, float(info.max) - info.min + 1)
    shown = render8(frame(values, bits_stored=8 * values.itemsize), window=window)
    assert (shown[0, 0], shown[0, 2]) == (0, 255)
    assert shown.dtype == np.uint8


def test_the_files_first_usable_window_is_the_default():
    windows = (Window(float("nan"), 10), Window(100, 0), Window(2048, 4096), Window(1, 2))
    assert default_window(frame([0, 1], windows=windows)) == Window(2048, 4096)


def test_without_a_window_nearly_all_values_are_shown():
    values = make_pixels(rows=200, columns=200)
    shown = render8(frame(values))
    assert shown.min() == 0
    assert shown.max() == 255
    assert 60 < shown.mean() < 200
    window = percentile_window(frame(values))
    low, high = window.center - window.width / 2, window.center + window.width / 2
    inside = ((values >= low) & (values <= high)).mean()
    assert 0.985 < inside < 0.995


def test_a_window_that_is_not_usable_is_passed_over():
    values = make_pixels(rows=50, columns=50)
    assert np.array_equal(render8(frame(values), window=Window(0, 0)), render8(frame(values)))


def test_padding_is_black_and_counts_for_nothing():
    values = make_pixels(rows=50, columns=50).astype(np.uint16)
    values[:20] = 60000
    found = frame(values, bits_stored=16, padding=(60000, 60000), photometric="MONOCHROME1")
    assert (render8(found)[:20] == 0).all()
    assert (render8(found, invert=True)[:20] == 0).all()
    assert percentile_window(found).center < 5000


@pytest.mark.parametrize("value", [0, 7, 4095])
def test_a_film_of_one_value(value):
    assert render8(frame(np.full((5, 5), value))).shape == (5, 5)


def test_a_film_of_padding_alone():
    assert (render8(frame(np.zeros((5, 5), int), padding=(0, 0))) == 0).all()


CASES = [
    # bits, signed, photometric, slope and intercept, window of the file, dcmtk's option
    (8, False, "MONOCHROME2", (1, 0), (128, 256, None)),
    (12, False, "MONOCHROME2", (1, 0), (2048, 4096, None)),
    (12, False, "MONOCHROME1", (1, 0), (1500, 1000, None)),
    (12, False, "MONOCHROME2", (2, -1024), (500.5, 1999, None)),
    (16, False, "MONOCHROME2", (1, 0), (30000, 20000, None)),
    (12, True, "MONOCHROME2", (1, 0), (0, 1500, None)),
    (16, True, "MONOCHROME1", (0.5, 10), (-2000, 9000, None)),
    (12, False, "MONOCHROME2", (1, 0), (2048, 1000, "SIGMOID")),
    (12, False, "MONOCHROME1", (1, 0), (1800, 2500, "SIGMOID")),
]


@pytest.mark.dcmtk
@pytest.mark.parametrize(("bits", "signed", "photometric", "lut", "voi"), CASES)
def test_as_dcmtk_shows_it(tmp_path, bits, signed, photometric, lut, voi):
    """Within one grey level of dcmj2pnm on every pixel."""
    program = shutil.which("dcmj2pnm") or shutil.which("dcm2img")
    assert program, "dcmj2pnm of dcmtk is missing"
    source, target = tmp_path / "a.dcm", tmp_path / "a.pgm"
    center, width, function = voi
    source.write_bytes(
        make_dicom(
            pixels=make_pixels(bits=bits, signed=signed, rows=120, columns=90),
            bits=bits,
            photometric=photometric,
            RescaleSlope=str(lut[0]),
            RescaleIntercept=str(lut[1]),
            RescaleType="US",
            WindowCenter=str(center),
            WindowWidth=str(width),
            VOILUTFunction=function,
        )
    )
    subprocess.run([program, "+Wi", "1", "+op", source, target], check=True, capture_output=True)
    theirs = np.asarray(Picture.open(target)).astype(int)
    ours = render8(pixels.read_file(source)).astype(int)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1
    assert np.ptp(theirs) > 100
