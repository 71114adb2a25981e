from __future__ import annotations

import numpy as np
import pytest

from detection.agreement import Agreement, Pair, agreement
from detection.detectors.prediction import Box
from detection.signed_figures import SIGNED, SignedFilm, differences, figures

LEFT = Box("covid", 0.9, 0.0, 0.0, 10.0, 10.0)
RIGHT = LEFT._replace(x=50.0)


def pair(film: int, one: bool, other: bool, *boxes: tuple[object, ...]) -> Pair:
    return Pair(film, (one, other), boxes or ((), ()))  # type: ignore[arg-type]


def test_no_film_is_no_agreement() -> None:
    assert agreement([]) == Agreement(0, None, None, None, None, ())


def test_cohens_own_example() -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: 0.7 observed, 0.5 by chance, kappa 0.4."""
    flags = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10
    flags += [(False, False)] * 15
    found = agreement([pair(i, *both) for i, both in enumerate(flags)])
    assert (found.films, found.same_flag) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.flagged == (0.5, 0.6)
    assert found.differing == tuple(range(20, 35))


def test_where_chance_alone_agrees_there_is_no_kappa() -> None:
    found = agreement([pair(1, False, False), pair(2, False, False)])
    assert (found.same_flag, found.kappa, found.same_boxes) == (1.0, None, None)


def test_boxes_agree_by_class_and_place_and_each_once() -> None:
    near = LEFT._replace(x=1.0)  # IoU 9 / 11
    far = LEFT._replace(x=6.0)  # IoU 4 / 16
    other = LEFT._replace(label="normal")
    for theirs, share in [
        ([LEFT, RIGHT], 1.0),
        ([near, RIGHT], 1.0),
        ([far, RIGHT], 0.5),
        ([other, RIGHT], 0.5),
        ([LEFT, near, RIGHT], 0.8),
        ([], 0.0),
    ]:
        found = agreement([pair(1, True, True, (LEFT, RIGHT), tuple(theirs))])
        assert found.same_boxes == pytest.approx(share), theirs


def films(scores: list[float], abnormal: list[bool], threshold: float) -> list[SignedFilm]:
    return [
        SignedFilm(f"p{i // 2}", ill, score, score >= threshold)
        for i, (score, ill) in enumerate(zip(scores, abnormal, strict=True))
    ]


def test_figures_against_signatures() -> None:
    found = figures(films([0.9, 0.4, 0.3, 0.6], [True, True, False, False], 0.5))
    assert set(found) == set(SIGNED)
    assert found["auc_abnormal"]["value"] == 0.75
    assert found["sensitivity"]["value"] == 0.5
    assert found["specificity"]["value"] == 0.5
    assert found["agreement"]["value"] == 0.5


def test_what_the_films_do_not_tell_is_unknown() -> None:
    found = figures(films([0.2, 0.8], [False, False], 0.5))
    assert found["auc_abnormal"] == found["sensitivity"] == dict.fromkeys(("value", "low", "high"))
    assert found["specificity"]["value"] == 0.5
    assert figures([])["agreement"]["value"] is None


def test_a_difference_is_paired() -> None:
    """Two versions that err on the same films differ less than each is uncertain."""
    rng = np.random.default_rng(3)
    truth = [bool(i % 2) for i in range(200)]
    hard = rng.uniform(0, 1, 200)
    base = [float(0.5 * ill + 0.8 * h) / 1.3 for ill, h in zip(truth, hard, strict=True)]
    better = [score + 0.02 * (1 if ill else -1) for score, ill in zip(base, truth, strict=True)]
    old, new = films(base, truth, 0.5), films(better, truth, 0.5)
    change = differences(new, old)["auc_abnormal"]
    alone = figures(old)["auc_abnormal"]
    assert change["low"] is not None
    assert change["high"] is not None
    assert alone["low"] is not None
    assert alone["high"] is not None
    assert 0 < change["low"] < change["high"]
    assert change["high"] - change["low"] < (alone["high"] - alone["low"]) / 2
