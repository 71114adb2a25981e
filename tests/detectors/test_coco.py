"""Reading annotations."""

from __future__ import annotations

import json
import math

import pytest

from detection.detectors.coco import read_coco
from tests.detectors.conftest import CATEGORIES
from twinhealth.errors import InvalidInputError


def box(x, y, w, h, category=3, image=10, **rest):
    return {"id": 1, "image_id": image, "category_id": category, "bbox": [x, y, w, h], **rest}


def code_of(files):
    with pytest.raises(InvalidInputError) as caught:
        read_coco(*files)
    return caught.value


def test_categories_are_matched_by_name(coco_set):
    read = read_coco(*coco_set())
    assert [film.id for film in read.films] == [10, 11, 12]
    assert [{t.label for t in film.boxes} for film in read.films] == [
        {"covid"},
        {"pneumonia"},
        {"normal"},
    ]
    first = read.films[0]
    assert (first.width, first.height, first.source) == (150, 120, "here")
    assert first.boxes[1].box == (90, 20, 40, 80)
    assert first.boxes[0].origin == "human"
    assert (read.clipped, read.dropped, read.other_categories) == (0, 0, 0)


def test_boxes_that_reach_outside_are_cut_and_counted(coco_set):
    rows = [
        box(-10, -20, 50, 60),
        box(140, 100, 50.0, 50.0),
        box(149.8, 0, 0.4, 10),  # a rounding error at the edge
        box(200, 0, 10, 10),  # not inside at all
        box(10, 10, 0, 5),
        box(10, 10, -5, 5),
        box(math.nan, 10, 5, 5),
    ]
    read = read_coco(*coco_set(annotations=rows))
    assert [t.box for t in read.films[0].boxes] == [
        (0, 0, 40, 40),
        (140, 100, 10, 20),
        (149.8, 0, pytest.approx(0.2), 10),
    ]
    assert (read.clipped, read.dropped) == (2, 4)


def test_other_categories_are_left_out_and_counted(coco_set):
    more = [*CATEGORIES, {"id": 1, "name": "nodule"}]
    read = read_coco(*coco_set(categories=more, annotations=[box(1, 1, 5, 5, 1), box(1, 1, 5, 5)]))
    assert read.other_categories == 1
    assert len(read.films[0].boxes) == 1


def test_missing_categories_are_named(coco_set):
    error = code_of(coco_set(categories=CATEGORIES[:1]))
    assert error.code == "categories_missing"
    assert "covid, pneumonia" in error.message
    assert error.extra["found"] == ["normal"]


def test_missing_images_are_named(coco_set):
    annotations, folder = coco_set()
    (folder / "1.png").unlink()
    error = code_of((annotations, folder))
    assert error.code == "images_missing"
    assert error.extra["missing"] == ["1.png"]
    assert "1 of 3" in error.message


def test_a_name_that_leaves_the_folder(coco_set, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"x")
    annotations, folder = coco_set()
    table = json.loads(annotations.read_text())
    table["images"][0]["file_name"] = "../secret.png"
    annotations.write_text(json.dumps(table))
    error = code_of((annotations, folder))
    assert error.code == "annotations_invalid"
    assert "leaves the folder" in error.message


@pytest.mark.parametrize(
    "changes",
    [
        {"images": []},
        {"annotations": [box(1, 1, 5, 5, image=99)]},
        {"annotations": [box(1, 1, 5, 5, category=99)]},
        {"annotations": [{"image_id": 10, "category_id": 3}]},
        {"annotations": [{"image_id": 10, "category_id": 3, "bbox": [1, 2, 3]}]},
        {"categories": None},
        {"images": [{"id": 1, "file_name": "0.png", "width": 1, "height": 1}] * 2},
    ],
)
def test_what_is_no_coco_file(coco_set, changes):
    assert code_of(coco_set(**changes)).code == "annotations_invalid"


@pytest.mark.parametrize("content", ["", "[]", "null", "{}"])
def test_other_json(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    assert code_of((path, tmp_path)).code == "annotations_invalid"


def test_no_file(tmp_path):
    assert code_of((tmp_path / "a.json", tmp_path)).code == "annotations_unreadable"
