"""Average precision, thresholds, AUC: on cases small enough to work out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from detection.detectors.coco import Film, Truth
from detection.detectors.prediction import Box
from detection.evaluation import image_level, operating_point, thresholds
from detection.evaluation.average_precision import average_precision
from detection.evaluation.evidence import evidence_of
from detection.evaluation.matching import overlaps

LEFT, RIGHT = (10.0, 10.0, 30.0, 60.0), (60.0, 10.0, 30.0, 60.0)


def film(number, label, *, origin="human", source="", boxes=(LEFT, RIGHT)):
    return Film(
        number, Path("x.png"), 100, 80, source, tuple(Truth(label, b, origin) for b in boxes)
    )


def hit(label, score, where=LEFT):
    return Box(label, score, *where)


def test_perfect_detections():
    films = [film(1, "covid"), film(2, "normal"), film(3, "pneumonia")]
    found = {f.id: [hit(t.label, 0.9, t.box) for t in f.boxes] for f in films}
    report = average_precision(films, found)
    assert report["mean"] == {"ap": 1.0, "ap50": 1.0, "ap75": 1.0}
    assert (report["images"], report["boxes"]) == (3, 6)


def test_one_wrong_box_above_the_second_right_one():
    # right, wrong, right: precision 1 up to recall 1/2, then 2/3: 51 and 50 of 101 recall points
    films = [film(1, "covid")]
    found = {
        1: [hit("covid", 0.9), hit("covid", 0.8, (0, 0, 9, 9)), hit("covid", 0.7, RIGHT)],
    }
    expected = round((51 * 1 + 50 * 2 / 3) / 101, 4)
    assert average_precision(films, found)["covid"]["ap50"] == pytest.approx(expected, abs=1e-4)


def test_a_box_that_overlaps_by_six_tenths_counts_for_low_demands_only():
    # 36 of 60 rows: IoU 0.6, right at 0.50, 0.55 and 0.60 of the ten demands
    films = [film(1, "covid", boxes=(LEFT,))]
    report = average_precision(films, {1: [hit("covid", 0.9, (10, 10, 30, 36))]})
    assert report["covid"] == {"ap": 0.3, "ap50": 1.0, "ap75": 0.0}


def test_the_wrong_name_counts_only_where_names_do():
    films = [film(1, "covid"), film(2, "normal")]
    found = {1: [hit("normal", 0.9), hit("normal", 0.9, RIGHT)], 2: []}
    report = average_precision(films, found)
    assert report["covid"]["ap50"] == 0
    assert report["normal"]["ap50"] == 0
    assert report["pneumonia"] is None
    assert report["mean"]["ap50"] == 0
    blind = average_precision(films, found, classes_ignored=True)
    assert blind["any"]["ap50"] == pytest.approx(0.5, abs=0.01)


def test_boxes_of_people_alone():
    mixed = Film(
        1,
        Path("x.png"),
        100,
        80,
        "",
        (Truth("covid", LEFT, "human"), Truth("covid", RIGHT, "pseudo")),
    )
    # the find on the box that no person drew is neither right nor wrong
    found = {1: [hit("covid", 0.9, RIGHT), hit("covid", 0.8, LEFT)]}
    report = average_precision([mixed], found, human_only=True)
    assert report["boxes"] == 1
    assert report["covid"]["ap50"] == 1.0


def test_nothing_found_is_zero_not_an_error():
    report = average_precision([film(1, "covid")], {})
    assert report["covid"] == {"ap": 0.0, "ap50": 0.0, "ap75": 0.0}
    assert report["normal"] is None


def test_no_boxes_at_all():
    report = average_precision([film(1, "covid", boxes=())], {1: [hit("covid", 0.4)]})
    assert report["mean"] is None


def test_operating_point():
    films = [film(1, "covid"), film(2, "normal")]
    found = {
        1: [hit("covid", 0.9), hit("covid", 0.85), hit("normal", 0.7)],
        2: [hit("normal", 0.6), hit("covid", 0.3)],
    }
    point = operating_point.at_thresholds(
        evidence_of(films, found), {"covid": 0.5, "pneumonia": 0.5, "normal": 0.65}
    )
    # the second box on the same lung is wrong: a lung is found once
    assert point["covid"] == {
        "threshold": 0.5,
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "found": 2,
        "wanted": 2,
    }
    assert point["normal"]["precision"] == 0
    assert point["pneumonia"]["recall"] is None
    assert point["pneumonia"]["precision"] is None


def test_flags():
    films = [film(1, "covid"), film(2, "pneumonia"), film(3, "normal"), film(4, "normal")]
    films.append(film(5, "covid", boxes=()))  # nobody says what it is
    served = {"covid": 0.5, "pneumonia": 0.5, "normal": 0.5}
    found = {
        1: [hit("pneumonia", 0.6)],  # another disease flags it as well
        2: [hit("normal", 0.9), hit("covid", 0.4)],
        3: [hit("normal", 0.9)],
        4: [],
        5: [hit("covid", 0.9)],
    }
    rows = evidence_of(films, found)
    assert operating_point.flags(rows, served) == {
        "sensitivity": 0.5,
        "specificity": 1.0,
        "films_without_finding": 0.2,
    }
    assert operating_point.flags(rows[:2], served)["specificity"] is None
    assert operating_point.flags(rows[2:], served)["sensitivity"] is None


def test_films_at_thresholds():
    films = [film(1, "covid"), film(2, "covid"), film(3, "normal"), film(4, "covid", boxes=())]
    found = {
        1: [hit("covid", 0.5)],
        2: [hit("covid", 0.4)],
        3: [hit("covid", 0.6), hit("normal", 0.9)],
        4: [hit("covid", 0.9)],
    }
    served = {"covid": 0.5, "pneumonia": 0.5, "normal": 0.5}
    point = operating_point.films_at_thresholds(evidence_of(films, found), served)
    assert point["covid"] == {
        "threshold": 0.5,
        "sensitivity": 0.5,
        "specificity": 0.0,
        "films_of_the_class": 2,
        "other_films": 1,
    }
    assert point["pneumonia"]["sensitivity"] is None
    assert point["pneumonia"]["specificity"] == 1


def test_suggested_thresholds():
    # 20 covid films with best scores 0.20 .. 0.77: 95 % may miss one, so the second lowest decides
    films = [film(i, "covid") for i in range(20)] + [film(30, "normal"), film(31, "normal")]
    found = {i: [hit("covid", 0.2 + 0.03 * i), hit("covid", 0.1, RIGHT)] for i in range(20)}
    found[30] = [hit("normal", 0.8), hit("normal", 0.7, RIGHT)]
    found[31] = [hit("normal", 0.75), hit("normal", 0.4, (0, 0, 9, 9))]
    chosen = thresholds.suggested(evidence_of(films, found))
    assert chosen["covid"] == 0.23
    assert 0.4 < chosen["normal"] <= 0.7  # all three right ones, not the wrong one
    assert chosen["pneumonia"] == 0.5  # no film of it: the middle


def test_the_score_of_a_film():
    films = [film(1, "covid")]
    found = {1: [hit("covid", 0.2), hit("covid", 0.8), hit("covid", 0.6), hit("normal", 0.5)]}
    row = evidence_of(films, found)[0]
    # the two best; a missing second lung counts nothing
    assert row.scores == {"covid": pytest.approx(0.7), "pneumonia": 0.0, "normal": 0.25}


def test_image_auc():
    films = [film(1, "covid"), film(2, "covid"), film(3, "normal"), film(4, "normal")]
    found = {
        1: [hit("covid", 0.9)],
        2: [hit("covid", 0.25), hit("covid", 0.25)],
        3: [hit("covid", 0.5)],
        4: [hit("normal", 0.9)],
    }
    # pairs: .45 > .25, .45 > 0, .25 = .25, .25 > 0
    rows = evidence_of(films, found)
    assert image_level.image_auc(rows)["covid"] == 0.875
    assert image_level.image_auc(rows)["pneumonia"] is None
    assert image_level.image_auc(rows[:2])["covid"] is None


def test_confusion():
    films = [film(1, "covid"), film(2, "covid"), film(3, "normal"), film(4, "covid", boxes=())]
    found = {
        1: [hit("covid", 0.9), hit("normal", 0.8)],
        2: [hit("normal", 0.2)],
        4: [hit("covid", 1)],
    }
    table = image_level.confusion(evidence_of(films, found))
    assert table["covid"] == {"covid": 1, "pneumonia": 0, "normal": 1, "none": 0}
    assert table["normal"] == {"covid": 0, "pneumonia": 0, "normal": 0, "none": 1}
    assert sum(table["pneumonia"].values()) == 0


def test_curves():
    films = [film(1, "covid"), film(2, "normal")]
    found = {1: [hit("covid", 0.9), hit("covid", 0.8, (0, 0, 9, 9))], 2: [hit("covid", 0.9, RIGHT)]}
    rows = evidence_of(films, found)
    # per film: at 0.9 half a wrong box and half of the lungs, at 0.8 a whole wrong box
    assert image_level.froc(rows)["covid"] == [[0, 0], [0.5, 0.5], [1, 0.5]]
    # covid scores: .85 and .45
    assert image_level.roc(rows)["covid"] == [[0, 0], [0, 1], [1, 1]]
    assert "pneumonia" not in image_level.roc(rows)
    assert "pneumonia" not in image_level.froc(rows)
    curve = image_level.precision_recall(rows)["covid"]
    assert curve[0] == [0, 1]  # of equal scores the first film's is first, as in COCO
    assert curve[-1] == [1, 0]


def test_iou():
    def iou(one, other, crowd=False):
        return overlaps([one], [other], [crowd])[0, 0]

    assert iou(LEFT, LEFT) == 1
    assert iou(LEFT, RIGHT) == 0
    assert iou((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert iou((0, 0, 10, 10), (5, 0, 10, 10), crowd=True) == 0.5
    assert iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0
    assert overlaps([], [LEFT], [False]).shape == (0, 1)
