"""RoIAlign against `grid_sample`, and its gradient against finite differences."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detection.detectors.ops.roi_align import roi_align_backward, roi_align_forward
from tests.detectors.references import a_sample_is_on_the_cut, roi_align_by_grid_sample

pytestmark = pytest.mark.model

NAN = float("nan")


class Pool(torch.autograd.Function):
    """The operator pair as mmcv wires it."""

    @staticmethod
    def forward(ctx, features, rois, size, scale, ratio, aligned):
        ctx.save_for_backward(rois)
        ctx.rest = (features.shape, size, scale, ratio, aligned)
        none = features.new_zeros(0)
        out = features.new_full((len(rois), features.shape[1], *size), 7.0)  # must be overwritten
        roi_align_forward(features, rois, out, none, none, *size, scale, ratio, 1, aligned)
        return out

    @staticmethod
    def backward(ctx, gradient):
        (rois,) = ctx.saved_tensors
        shape, size, scale, ratio, aligned = ctx.rest
        none = gradient.new_zeros(0)
        into = gradient.new_zeros(shape)
        roi_align_backward(
            gradient.contiguous(), rois, none, none, into, *size, scale, ratio, 1, aligned
        )
        return into, None, None, None, None, None


def pool(features, rois, size=(3, 3), scale=1.0, ratio=0, aligned=True):
    return Pool.apply(features, rois, size, scale, ratio, aligned)


def features(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(3))


real = st.floats(-12, 40).map(lambda v: round(v, 3))
extent = st.one_of(st.just(0.0), st.floats(0.01, 45).map(lambda v: round(v, 3)))


@settings(max_examples=60, deadline=None)
@given(
    regions=st.lists(st.tuples(st.integers(0, 1), real, real, extent, extent), max_size=6),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 15)),
    size=st.sampled_from([(7, 7), (2, 3), (1, 1)]),
    scale=st.sampled_from([1.0, 0.5, 0.25]),
    ratio=st.sampled_from([0, 1, 2, 3]),
    aligned=st.booleans(),
)
def test_same_as_grid_sample(regions, shape, size, scale, ratio, aligned):
    rois = torch.tensor(
        [(i, x, y, x + w, y + h) for i, x, y, w, h in regions], dtype=torch.float64
    ).reshape(-1, 5)
    assume(not a_sample_is_on_the_cut(rois, shape, size, scale, ratio, aligned))
    maps = features(2, 3, *shape)
    expected = roi_align_by_grid_sample(maps, rois, size, scale, ratio, aligned)
    got = pool(maps, rois, size, scale, ratio, aligned)
    torch.testing.assert_close(got, expected, rtol=1e-8, atol=1e-8)


def test_a_ramp_gives_the_middle_of_each_bin():
    # on f(x, y) = x + 100 y the mean of a bin is the value at its centre: known without a reference
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    ramp = (x + 100 * y)[None, None]
    out = pool(ramp, torch.tensor([[0, 4.0, 6.0, 16.0, 12.0]]), size=(2, 3))
    # aligned: pixel i has its centre at i + 0.5
    middle_x = torch.tensor([6.0, 10.0, 14.0]) - 0.5
    middle_y = torch.tensor([7.5, 10.5]) - 0.5
    torch.testing.assert_close(out[0, 0], middle_x[None] + 100 * middle_y[:, None])


@pytest.mark.parametrize("ratio", [0, 2])
@pytest.mark.parametrize("aligned", [True, False])
def test_gradient(ratio, aligned):
    maps = features(2, 2, 5, 6).requires_grad_()
    rois = torch.tensor(
        [
            [0, 0.3, 0.7, 4.1, 4.4],
            [1, -3.2, 1.1, 9.7, 3.3],
            [1, 2.2, 2.1, 2.9, 2.6],
            [0, 30.0, 30.0, 40.0, 40.0],
        ],
        dtype=torch.float64,
    )
    assert torch.autograd.gradcheck(lambda m: pool(m, rois, (2, 3), 0.9, ratio, aligned), (maps,))


def test_gradient_is_added_to_what_is_there():
    into = torch.ones(1, 1, 4, 4)
    none = torch.zeros(0)
    roi = torch.tensor([[0, 0.0, 0.0, 4.0, 4.0]])
    roi_align_backward(torch.ones(1, 1, 1, 1), roi, none, none, into, 1, 1, 1.0, 0, 1, True)
    assert into.sum().item() == pytest.approx(17.0)  # the weights of a bin sum to one


def test_regions_outside_of_the_map_are_zero():
    out = pool(features(1, 2, 8, 8), torch.tensor([[0, 50.0, 50, 60, 60], [0, -60, -60, -50, -50]]))
    assert torch.count_nonzero(out) == 0


def test_each_region_reads_its_own_image():
    maps = torch.stack([torch.full((1, 6, 6), float(i)) for i in (1, 2, 3)])
    rois = torch.tensor([[2, 1.0, 1, 5, 5], [0, 1, 1, 5, 5], [1, 1, 1, 5, 5]])
    assert pool(maps, rois, (1, 1)).flatten().tolist() == pytest.approx([3, 1, 2])


@pytest.mark.parametrize("image", [-1.0, 1.0, 7.0])
def test_an_image_that_is_not_there(image):
    with pytest.raises(IndexError, match=r"outside of 0\.\.0"):
        pool(features(1, 1, 4, 4), torch.tensor([[image, 0.0, 0, 2, 2]]))


def test_no_regions():
    maps = features(1, 2, 4, 4).requires_grad_()
    out = pool(maps, torch.zeros(0, 5, dtype=torch.float64))
    assert out.shape == (0, 2, 3, 3)
    out.sum().backward()
    assert torch.count_nonzero(maps.grad) == 0


def test_regions_that_are_no_regions_give_zeros_and_no_gradient():
    maps = features(1, 2, 6, 6).requires_grad_()
    good = [0, 1.0, 1.0, 5.0, 5.0]
    rois = torch.tensor(
        [good, [0, NAN, 1, 5, 5], [0, 1, 1, float("inf"), 5], [0, 5, 1, 1, 5]], dtype=torch.float64
    )
    out = pool(maps, rois)
    assert torch.count_nonzero(out[1:]) == 0
    out.sum().backward()
    with_all = maps.grad.clone()
    maps.grad = None
    pool(maps, rois[:1]).sum().backward()
    torch.testing.assert_close(with_all, maps.grad)
    assert torch.count_nonzero(with_all) > 0


def test_nan_in_a_pixel_shows_where_it_is_read_only():
    maps = torch.zeros(1, 1, 16, 16)
    maps[0, 0, 2, 2] = NAN
    out = pool(maps, torch.tensor([[0, 0.0, 0, 5, 5], [0, 8, 8, 14, 14]]), (2, 2))
    assert torch.isnan(out[0]).any()
    assert torch.isfinite(out[1]).all()


def test_max_pooling_is_refused():
    none = torch.zeros(0)
    with pytest.raises(NotImplementedError, match="average"):
        roi_align_forward(
            torch.zeros(1, 1, 4, 4),
            torch.tensor([[0, 0.0, 0, 2, 2]]),
            torch.zeros(1, 1, 2, 2),
            none,
            none,
            2,
            2,
            1.0,
            0,
            0,
            True,
        )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_follows_float32(dtype):
    maps = features(1, 4, 10, 10, dtype=torch.float32)
    rois = torch.tensor([[0, 1.0, 2.0, 9.0, 8.0]])
    low = pool(maps.to(dtype), rois.to(dtype))
    assert low.dtype == dtype
    torch.testing.assert_close(low.float(), pool(maps, rois), atol=2e-2, rtol=2e-2)


def test_channels_last_features_give_the_same():
    maps = features(2, 8, 12, 10, dtype=torch.float32)
    rois = torch.tensor([[0, 1.0, 2.0, 9.0, 8.0], [1, 0.0, 0.0, 10.0, 12.0]])
    torch.testing.assert_close(
        pool(maps.to(memory_format=torch.channels_last), rois), pool(maps, rois)
    )
