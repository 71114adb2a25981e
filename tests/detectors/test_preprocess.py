"""From stored values to the network's input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detection.detectors import preprocess
from imaging.frame import Frame


def frame(pixels, **rest):
    pixels = np.asarray(pixels)
    fields = {"photometric": "MONOCHROME2", "bits_stored": 8 * pixels.dtype.itemsize} | rest
    return Frame(pixels=pixels, **fields)


def film(height=80, width=100, dtype=np.uint16, seed=1):
    return np.random.default_rng(seed).integers(500, 3500, (height, width)).astype(dtype)


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        dtype=st.sampled_from([np.uint8, np.uint16, np.int16]),
        shape=hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
    ),
    st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    st.sampled_from([1.0, -0.5]),
    st.one_of(st.none(), st.tuples(st.integers(-5, 300), st.integers(-5, 300))),
)
def test_any_film_gives_finite_numbers_of_the_right_shape(pixels, photometric, slope, padding):
    one = frame(pixels, photometric=photometric, slope=slope, padding=padding)
    grey = preprocess.to_grey(one)
    assert grey.shape == pixels.shape
    assert grey.dtype == np.float32
    assert grey.min() >= 0
    assert grey.max() <= 255
    prepared = preprocess.prepare(one, longest_side=64)
    assert np.isfinite(prepared.pixels).all()
    assert max(prepared.height, prepared.width) == 64
    assert all(side % 32 == 0 for side in prepared.pixels.shape[1:])


def test_percentiles_of_the_central_field_become_black_and_white():
    pixels = film()
    grey = preprocess.to_grey(frame(pixels))
    central = pixels[8:72, 10:90]
    low, high = np.percentile(central, (1, 99))
    expected = np.clip((pixels - low) / (high - low) * 255, 0, 255)
    np.testing.assert_allclose(grey, expected, atol=1e-3)


def test_what_lies_at_the_border_does_not_move_the_window():
    plain, labelled = film(), film()
    labelled[:8] = 65535  # a lead letter, a white frame
    labelled[:, -10:] = 0
    inner = np.s_[8:, :-10]
    np.testing.assert_array_equal(
        preprocess.to_grey(frame(plain))[inner], preprocess.to_grey(frame(labelled))[inner]
    )


def test_sixteen_bits_are_not_cut_to_eight():
    ramp = np.arange(20000, 24000, dtype=np.uint16).reshape(40, 100)
    grey = preprocess.to_grey(frame(ramp))
    assert len(np.unique(grey)) > 3000


def test_depth_does_not_matter():
    eight = (film() // 16).astype(np.uint8)
    sixteen = eight.astype(np.uint16) * 257
    np.testing.assert_allclose(
        preprocess.to_grey(frame(eight)), preprocess.to_grey(frame(sixteen)), atol=1e-2
    )


def test_a_modality_lut_does_not_matter_but_for_its_sign():
    pixels = film()
    plain = preprocess.to_grey(frame(pixels))
    scaled = preprocess.to_grey(frame(pixels, slope=0.25, intercept=-1024.0))
    np.testing.assert_array_equal(plain, scaled)
    turned = preprocess.to_grey(frame(pixels, slope=-1.0))
    np.testing.assert_allclose(turned, 255 - plain, atol=1e-4)


def test_monochrome1_is_inverted_and_a_negative_slope_turns_it_back():
    pixels = film()
    plain = preprocess.to_grey(frame(pixels))
    inverted = preprocess.to_grey(frame(pixels, photometric="MONOCHROME1"))
    np.testing.assert_allclose(inverted, 255 - plain, atol=1e-4)
    both = preprocess.to_grey(frame(pixels, photometric="MONOCHROME1", slope=-2.0))
    np.testing.assert_array_equal(both, plain)


def test_a_film_stored_inverted_looks_the_same_to_the_network():
    pixels = film()
    stored_inverted = frame(4095 - pixels, photometric="MONOCHROME1")
    np.testing.assert_allclose(
        preprocess.prepare(frame(pixels)).pixels,
        preprocess.prepare(stored_inverted).pixels,
        atol=1e-3,
    )


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("padding", [(-2000, -1990), (-1990, -2000)])
def test_padding_is_black_and_not_counted(photometric, padding):
    pixels = film(dtype=np.int16)
    without = preprocess.to_grey(frame(pixels, photometric=photometric))
    padded = pixels.copy()
    padded[:, 60:] = -2000
    grey = preprocess.to_grey(frame(padded, photometric=photometric, padding=padding))
    assert (grey[:, 60:] == 0).all()
    # the window is that of the pixels left, so all but the same
    assert np.abs(grey[:, :60] - without[:, :60]).max() < 5
    unaware = preprocess.to_grey(frame(padded, photometric=photometric))
    assert np.abs(unaware[:, :60] - without[:, :60]).max() > 50


def test_padding_that_fills_the_centre_leaves_the_rest_readable():
    pixels = film(dtype=np.int16)
    pixels[8:72, 10:90] = -1
    grey = preprocess.to_grey(frame(pixels, padding=(-1, -1)))
    assert grey.max() == 255


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("padding", [None, (7, 7)])
def test_a_film_of_one_value_is_black(photometric, padding):
    flat = np.full((50, 60), 7, np.uint8)
    one = frame(flat, photometric=photometric, padding=padding)
    assert (preprocess.to_grey(one) == 0).all()


def test_a_large_film_is_sampled_without_moving_the_window():
    small = film(600, 700)
    large = np.kron(small, np.ones((4, 4), np.uint16))  # 6.7 million pixels
    a, b = preprocess.to_grey(frame(small)), preprocess.to_grey(frame(large))[::4, ::4]
    assert np.abs(a - b).max() < 1


@pytest.mark.parametrize(
    ("stored", "inside", "padded"),
    [
        ((1000, 800), (384, 307), (384, 320)),
        ((800, 1000), (307, 384), (320, 384)),
        ((100, 100), (384, 384), (384, 384)),
        ((3000, 2), (384, 1), (384, 32)),
    ],
)
def test_the_longest_side_fits_and_the_ratio_stays(stored, inside, padded):
    prepared = preprocess.prepare(frame(film(*stored)))
    assert (prepared.height, prepared.width) == inside
    assert prepared.pixels.shape == (3, *padded)
    assert prepared.scale_y == inside[0] / stored[0]
    assert prepared.scale_x == inside[1] / stored[1]
    assert (prepared.stored_height, prepared.stored_width) == stored


def test_the_channels_are_equal_normalised_and_padded_with_zeros():
    grey = np.full((40, 50), 243.0, np.float32)
    out = preprocess.normalise(grey)
    assert out.shape == (3, 64, 64)
    np.testing.assert_allclose(out[:, :40, :50], 2.0)
    assert (out[:, 40:] == 0).all()
    assert (out[:, :, 50:] == 0).all()


def test_a_place_in_the_input_is_the_same_place_in_the_film():
    pixels = np.zeros((900, 600), np.uint8)
    pixels[600:660, 150:210] = 255
    prepared = preprocess.prepare(frame(pixels))
    rows, columns = np.nonzero(prepared.pixels[0, : prepared.height, : prepared.width] > 0)
    assert rows.min() / prepared.scale_y == pytest.approx(600, abs=3)
    assert (rows.max() + 1) / prepared.scale_y == pytest.approx(660, abs=3)
    assert columns.min() / prepared.scale_x == pytest.approx(150, abs=3)
    assert (columns.max() + 1) / prepared.scale_x == pytest.approx(210, abs=3)


def test_the_film_itself_is_not_changed():
    pixels = film()
    before = pixels.copy()
    preprocess.prepare(frame(pixels))
    np.testing.assert_array_equal(pixels, before)
