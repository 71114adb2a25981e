from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, User
from detection.detectors import operating_point
from detection.evaluation import thresholds
from detection.evaluation.evidence import FilmEvidence, Find, View
from detection.evaluation.headline import NAMES, intervals
from detection.evaluation.wording import HEADLINE
from detection.models import DetectorVersion, EvidenceFilm, EvidenceSet, VersionState
from detection.services import comparison, evidence
from tests.detection.evidence_rows import give_evidence, rows, write_report
from tests.detection.factories import make_version
from tests.detection.test_versions import write_manifest
from tests.evaluation.examples import random_set, rows_of
from twinhealth.errors import ConflictError, InvalidInputError, TooLargeError

pytestmark = pytest.mark.django_db


def test_films_and_figures_are_kept(version: DetectorVersion) -> None:
    stored = give_evidence(version, 0.7)
    assert (stored.name, stored.films) == ("val", 60)
    assert comparison.rows_of(stored.pk) == rows(0.7)
    assert stored.figures == json.loads(json.dumps(intervals(rows(0.7))))
    entry = AuditEntry.objects.get(verb="imported_evidence")
    assert entry.detail == {"version": version.name, "set": "val", "films": 60}


def test_each_figure_has_a_sentence() -> None:
    assert tuple(HEADLINE) == NAMES


def test_the_same_again_changes_nothing_and_another_replaces(version: DetectorVersion) -> None:
    first = give_evidence(version, 0.7)
    assert give_evidence(version, 0.7) == first
    assert AuditEntry.objects.count() == 1
    second = give_evidence(version, 0.2)
    assert second.content_sha256 != first.content_sha256
    assert EvidenceFilm.objects.count() == 60
    chosen = comparison.chosen_on_val(version)
    assert chosen is not None  # and not what was remembered of the first
    assert chosen.thresholds == thresholds.suggested(rows(0.2)) != thresholds.suggested(rows(0.7))


def broken(**fields: Any) -> list[FilmEvidence]:
    good = rows(0.7, films=6)
    return [*good[:2], dataclasses.replace(good[2], **fields), *good[3:]]


@pytest.mark.parametrize(
    "bad",
    [
        [],
        broken(key=""),
        broken(key="x" * 201),
        broken(key="val-1.png"),
        broken(source="a\0b"),
        broken(scores={"covid": 1.5, "pneumonia": 0.0, "normal": 0.0}),
        broken(scores={"covid": float("nan"), "pneumonia": 0.0, "normal": 0.0}),
        broken(boxes=View({}, (Find("covid", -0.1, 1, 1),))),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_kept(
    version: DetectorVersion, bad: list[FilmEvidence]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        evidence.import_evidence(version=version, rows=bad, name="val")
    assert caught.value.code == "evidence_invalid"
    assert not EvidenceSet.objects.exists()


def test_a_film_of_val_in_test_is_a_mix_up_of_reports(version: DetectorVersion) -> None:
    give_evidence(version, 0.7)
    with pytest.raises(ConflictError) as caught:
        evidence.import_evidence(version=version, rows=rows(0.7), name="test")
    assert caught.value.code == "evidence_same_films"
    assert EvidenceSet.objects.get().name == "val"


def test_a_report_beyond_the_cap_or_of_other_weights(
    version: DetectorVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_report(tmp_path / "report.json", make_version(VersionState.CANDIDATE), 0.7)
    with pytest.raises(InvalidInputError) as caught:
        evidence.import_report(version=version, path=path, name="val")
    assert caught.value.code == "report_of_another_version"
    monkeypatch.setattr(evidence, "MOST_BYTES", 10)
    with pytest.raises(TooLargeError):
        evidence.import_report(version=version, path=path, name="val")


def test_the_command_takes_a_report(tmp_path: Path, settings: Any, admin: User) -> None:
    settings.DETECTOR_WEIGHTS = tmp_path / "active.pth"
    write_manifest(tmp_path, file="active.pth")
    with pytest.raises(CommandError, match="no_such_user"):
        call_command("register_detector", "--by", "nobody")
    call_command("register_detector", "--by", admin.username)
    version = DetectorVersion.objects.get()
    assert version.registered_by == admin
    for name in ("val", "test"):
        path = write_report(tmp_path / f"{name}-report.json", version, 0.7, prefix=name)
        call_command("register_detector", "--report", str(path), "--set", name)
    assert set(version.evidence_sets.values_list("name", flat=True)) == {"val", "test"}
    with pytest.raises(CommandError, match="report_unreadable"):
        call_command("register_detector", "--report", str(tmp_path / "none.json"))


def test_a_report_beside_weights_of_the_release_is_taken_once(
    tmp_path: Path, settings: Any
) -> None:
    settings.DETECTOR_WEIGHTS = tmp_path / "active.pth"
    write_manifest(tmp_path, file="active.pth")
    write_manifest(tmp_path, b"open weights", name="light-open", file="open.pth")
    call_command("register_detector")
    one, two = DetectorVersion.objects.order_by("pk")
    write_report(tmp_path / "active.val.json", one, 0.7)
    write_report(tmp_path / "open.val.json", two, 0.6)
    call_command("register_detector")
    call_command("register_detector")
    assert DetectorVersion.objects.count() == 2  # a report isn't taken for a manifest
    kept = [(row.version, row.name, row.films) for row in EvidenceSet.objects.order_by("version")]
    assert kept == [(one, "val", 60), (two, "val", 60)]
    assert AuditEntry.objects.filter(verb="imported_evidence").count() == 2


def test_two_versions_are_compared_on_the_same_films(version: DetectorVersion) -> None:
    other = make_version(VersionState.CANDIDATE)
    give_evidence(version, 0.9)
    assert comparison.compared(other, version, "val") is None
    give_evidence(other, 0.1)
    found = comparison.compared(other, version, "val")
    assert found is not None
    assert found["auc_covid"]["worse"]
    back = comparison.compared(version, other, "val")
    assert back is not None
    assert not back["auc_covid"]["worse"]


@pytest.mark.parametrize("seed", range(5))
def test_thresholds_from_rows_are_those_from_boxes(seed: int) -> None:
    annotated, found = random_set(seed, films=60, steps=20)
    ours = thresholds.suggested(rows_of(annotated, found))
    theirs = operating_point.suggested(annotated, found)
    assert (ours["covid"], ours["pneumonia"]) == (theirs["covid"], theirs["pneumonia"])
    # of two boxes on one lung COCO's matching may take another one
    assert ours["normal"] == pytest.approx(theirs["normal"], abs=0.1)
