"""Non-maximum suppression against a brute-force loop."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.detectors.ops.nms import nms
from tests.detectors.references import nms_by_loops

pytestmark = pytest.mark.model

NAN, INF = float("nan"), float("inf")


def run(boxes, scores, threshold=0.5, offset=0):
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return nms(boxes, torch.tensor(scores, dtype=torch.float32), threshold, offset).tolist()


coordinate = st.integers(0, 24).map(float)
box = st.tuples(coordinate, coordinate, coordinate, coordinate)  # also upside down ones
score = st.sampled_from([0.1, 0.2, 0.5, 0.5, 0.9, NAN])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(box, score), max_size=40),
    st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]),
    st.sampled_from([0, 1]),
)
def test_same_as_the_loop(pairs, threshold, offset):
    boxes, scores = [b for b, _ in pairs], [s for _, s in pairs]
    assert run(boxes, scores, threshold, offset) == nms_by_loops(boxes, scores, threshold, offset)


@pytest.mark.parametrize("count", [255, 256, 257, 900])
def test_same_as_the_loop_across_chunks(count):
    # many boxes on few places, so that boxes are suppressed from chunks before their own
    generator = torch.Generator().manual_seed(count)
    corner = torch.randint(0, 60, (count, 2), generator=generator).float()
    size = torch.randint(8, 30, (count, 2), generator=generator).float()
    boxes = torch.cat([corner, corner + size], dim=1)
    scores = torch.randint(0, 50, (count,), generator=generator).float() / 50  # many ties
    kept = nms(boxes, scores, 0.3).tolist()
    assert kept == nms_by_loops(boxes, scores, 0.3)
    assert 1 < len(kept) < count


def test_no_boxes():
    kept = nms(torch.zeros(0, 4), torch.zeros(0), 0.5)
    assert kept.shape == (0,)
    assert kept.dtype == torch.int64


def test_of_equal_scores_the_earlier_box_stays():
    same = [[0, 0, 10, 10]] * 3
    assert run(same, [0.5, 0.5, 0.5]) == [0]
    assert run([*same, [20, 20, 30, 30]], [0.5, 0.6, 0.6, 0.5]) == [1, 3]


def test_overlap_equal_to_the_threshold_stays():
    # 10 x 10 and its left half: exactly half of the union
    assert run([[0, 0, 10, 10], [0, 0, 5, 10]], [0.9, 0.8], 0.5) == [0, 1]
    assert run([[0, 0, 10, 10], [0, 0, 5, 10]], [0.9, 0.8], 0.49) == [0]


def test_boxes_without_area_do_not_overlap():
    assert run([[5, 5, 5, 5], [5, 5, 5, 5]], [0.9, 0.8], 0.0) == [0, 1]
    # with inclusive pixels the same boxes are one pixel, twice
    assert run([[5, 5, 5, 5], [5, 5, 5, 5]], [0.9, 0.8], 0.5, offset=1) == [0]


def test_offset_counts_inclusive_pixels():
    # touching edges share no area, but inclusive pixels share a column: 2 of 4
    assert run([[0, 0, 1, 0], [1, 0, 2, 0]], [0.9, 0.8], 0.3, offset=1) == [0]
    assert run([[0, 0, 1, 0], [1, 0, 2, 0]], [0.9, 0.8], 0.3, offset=0) == [0, 1]


def test_nan_never_stays_and_suppresses_nothing():
    boxes = [[0, 0, 10, 10], [0, 0, 10, 10], [0, NAN, 10, 10], [30, 30, 40, INF]]
    assert run(boxes, [NAN, 0.5, 0.9, 0.9]) == [1]
    assert run(boxes[2:], [0.9, 0.8]) == []


def test_infinite_scores_are_scores():
    assert run([[0, 0, 1, 1], [5, 5, 6, 6]], [-INF, INF]) == [1, 0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_precisions(dtype):
    boxes = torch.tensor([[0, 0, 100, 100], [2, 2, 100, 100], [200, 0, 300, 100]], dtype=dtype)
    assert nms(boxes, torch.tensor([0.3, 0.6, 0.5], dtype=dtype), 0.5).tolist() == [1, 2]


def test_large_coordinates_keep_float32_meaning():
    # what mmcv's class-wise NMS does: one shift per class, far from the origin
    boxes = torch.tensor([[0.0, 0, 50, 50], [1, 0, 51, 50]])
    shifted = torch.cat([boxes, boxes + 4096])
    assert nms(shifted, torch.tensor([0.9, 0.8, 0.7, 0.95]), 0.5).tolist() == [3, 0]
