"""From facts to sections, differences and hashes: nothing but arithmetic on text."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading import report_content, report_diff, report_text
from reading.report_blocks import left, unknown
from reading.report_text import Facts, FindingFact, PriorFact

COVID = FindingFact(
    number="1",
    name="COVID-19",
    side="left",
    size=(41.4, 35.2, "detector"),
    origin="accepted",
    score=0.912,
    was="",
    abnormal=True,
)
EMPTY = Facts(
    study="",
    film="DX chest, PA view",
    machine="",
    taken="",
    priors=(),
    findings=(),
    unjudged=0,
)


def test_a_film_of_which_nothing_is_known_says_so() -> None:
    assert report_text.draft(EMPTY, "") == {
        "clinical": "Not given.",
        "technique": "DX chest, PA view. The film doesn't name its machine. Time of exposure unknown.",
        "comparison": "None here.",
        "findings": "No finding is marked.",
        "impression": "",
    }


def test_each_kind_of_finding_has_its_line() -> None:
    plain = replace(COVID, size=None, score=0.5)
    edited = replace(COVID, origin="edited", was="pneumonia", size=(10, 20, "geometry"))
    drawn = replace(COVID, number="+1", origin="drawn", score=None, side="right", size=None)
    assert [report_text.line(f) for f in (COVID, plain, edited, drawn)] == [
        (
            "1. COVID-19, left of the picture, box 41 x 35 mm (in the detector's plane, anatomy is "
            "smaller), model's score 0.91, accepted by the reader."
        ),
        "1. COVID-19, left of the picture, model's score 0.50, accepted by the reader.",
        (
            "1. COVID-19, left of the picture, box 10 x 20 mm (calibrated to the patient's plane), "
            "changed by the reader (model: pneumonia)."
        ),
        "+1. COVID-19, right of the picture, drawn by the reader.",
    ]


def test_the_score_is_told_only_where_it_was_accepted() -> None:
    for origin in ("edited", "drawn"):
        assert "0.91" not in report_text.line(replace(COVID, origin=origin))


@pytest.mark.parametrize(
    ("conclusion", "findings", "said"),
    [
        ("normal", (COVID,), "Normal film."),
        ("not_readable", (), "The film is not readable."),
        ("abnormal", (), "Abnormal film."),
        ("abnormal", (COVID,), "Abnormal: COVID-19."),
        (
            "abnormal",
            (COVID, replace(COVID, name="pneumonia"), COVID),
            "Abnormal: COVID-19 (2 places), pneumonia.",
        ),
        ("abnormal", (replace(COVID, name="normal lung", abnormal=False),), "Abnormal film."),
        ("", (COVID,), ""),
    ],
)
def test_the_impression_follows_the_conclusion(
    conclusion: str, findings: tuple[FindingFact, ...], said: str
) -> None:
    assert report_text.draft(replace(EMPTY, findings=findings), conclusion)["impression"] == said


def test_prior_films_are_named_up_to_five_and_counted_beyond() -> None:
    priors = [PriorFact(f"{n} May 2020", "DX chest, PA view", "normal") for n in range(1, 8)]
    said = report_text.draft(replace(EMPTY, priors=priors), "")["comparison"]
    assert said.startswith("1 May 2020, DX chest, PA view (normal); 2 May 2020")
    assert said.endswith("5 May 2020, DX chest, PA view (normal); and 2 earlier.")
    unsigned = [PriorFact("1 May 2020", "DX", "")]
    assert report_text.draft(replace(EMPTY, priors=unsigned), "")["comparison"] == (
        "1 May 2020, DX (not signed)."
    )


def test_boxes_that_nobody_judged_are_counted_not_listed() -> None:
    said = report_text.draft(replace(EMPTY, findings=[COVID], unjudged=2), "")["findings"]
    assert said.splitlines()[1:] == ["Not judged by the reader: 2 boxes of the model."]


def test_own_words_stand_and_the_drafted_ones_are_kept_beside_them() -> None:
    drafted = report_text.draft(EMPTY, "normal")
    rows = {r["key"]: r for r in report_content.sections(drafted, {"findings": "Clear."})}
    assert rows["findings"] == {
        "key": "findings",
        "title": "Findings",
        "text": "Clear.",
        "edited": True,
        "drafted": "No finding is marked.",
    }
    assert rows["impression"]["edited"] is False
    assert "drafted" not in rows["impression"]
    same = report_content.sections(drafted, {"findings": drafted["findings"]})
    assert not any(row["edited"] for row in same)


def test_the_hash_knows_content_not_order() -> None:
    one = report_content.sha256({"a": 1, "b": ["é", 2.5]})
    assert one == report_content.sha256({"b": ["é", 2.5], "a": 1})
    assert one != report_content.sha256({"a": 1, "b": ["e", 2.5]})
    assert report_content.version_sha256(one, []) == one
    added = [{"by": "x", "at": "y", "text": "z"}]
    assert len({one, report_content.version_sha256(one, added)}) == 2


WORDS = st.lists(st.sampled_from(["no", "left", "opacity", "\n", "3 cm"]), max_size=30).map(
    " ".join
)


@given(before=WORDS, after=WORDS)
def test_a_difference_holds_both_texts(before: str, after: str) -> None:
    found = report_diff.pieces(before, after)
    assert "".join(p.text for p in found if p.kind != "ins") == before
    assert "".join(p.text for p in found if p.kind != "del") == after
    if before == after:
        assert all(p.kind == "same" for p in found)


def test_a_difference_is_in_words() -> None:
    found = report_diff.pieces("small opacity left", "small opacities left")
    assert [(p.kind, p.text) for p in found] == [
        ("same", "small "),
        ("del", "opacity "),
        ("ins", "opacities "),
        ("same", "left"),
    ]


def test_the_longest_texts_are_compared_in_time() -> None:
    before = " ".join("ab"[i % 2] for i in range(2000))
    after = " ".join("ab"[i % 3 % 2] for i in range(2000))
    started = time.monotonic()
    assert report_diff.pieces(before, after)
    assert time.monotonic() - started < 30


def test_sections_of_two_versions_meet_by_title() -> None:
    found = report_diff.sections([("A", "x"), ("B", "y")], [("A", "x"), ("C", "z")])
    assert [(s.title, s.same, [(p.kind, p.text) for p in s.pieces]) for s in found] == [
        ("A", True, [("same", "x")]),
        ("C", False, [("ins", "z")]),
        ("B", False, [("del", "y")]),
    ]


def test_placeholders_known_and_unknown() -> None:
    text = "{class} on the {side}, {Side}, {}, {nobody}, { left, right }"
    assert unknown(text) == ["Side", "", "nobody", " left, right "]
    assert left(text) == ["class", "side"]
