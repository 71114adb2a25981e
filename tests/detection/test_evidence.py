from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from detection.models import DetectorVersion, EvidenceFilm, EvidenceSet
from detection.services import comparison, evidence
from tests.detection.evidence_rows import give_evidence, report
from tests.detection.factories import make_version
from tests.detection.test_versions import weights, write_manifest  # noqa: F401 - a fixture
from twinhealth.errors import ConflictError, DomainError, InvalidInputError, TooLargeError

pytestmark = pytest.mark.django_db


def test_films_figures_and_intervals_are_kept(version: DetectorVersion) -> None:
    stored = give_evidence(version, 0.3)
    assert (stored.films, stored.rows.count()) == (60, 60)
    row = stored.figures["auc_covid"]
    assert 0.5 < row["low"] < row["value"] <= row["high"] <= 1.0
    assert stored.figures["ap50_covid_human"] == {"value": None, "low": None, "high": None}
    assert comparison.rows_of(stored.pk)[3].key == "val-3.png"
    entry = AuditEntry.objects.get(verb="imported_evidence")
    assert entry.detail == {"version": version.name, "sets": {"val": 60}}


def test_the_same_again_changes_nothing_and_another_takes_its_place(
    version: DetectorVersion,
) -> None:
    first = give_evidence(version, 0.7)
    assert give_evidence(version, 0.7).pk == first.pk
    assert AuditEntry.objects.count() == 1
    before = comparison.chosen_on_val(version)
    second = give_evidence(version, 0.3)
    assert EvidenceSet.objects.get() == second
    assert EvidenceFilm.objects.count() == 60
    assert comparison.chosen_on_val(version) != before  # nothing old is remembered


def changed(table: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(table)
    place: Any = made
    *way, last = path.split("/")
    for key in way:
        place = place[int(key) if key.isdecimal() else key]
    place[int(last) if last.isdecimal() else last] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("sha256", "0" * 64, "evidence_of_other_weights"),
        ("sha256", None, "evidence_of_other_weights"),
        ("evidence", [], "evidence_invalid"),
        ("evidence", {"a": 1}, "evidence_invalid"),
        ("evidence/2", "no row", "evidence_invalid"),
        ("evidence/2/scores", {"covid": 0.5}, "evidence_invalid"),
        ("evidence/2/scores/covid", 1.5, "evidence_invalid"),
        ("evidence/2/scores/covid", "high", "evidence_invalid"),
        ("evidence/2/boxes", [["covid", 0.5]], "evidence_invalid"),
        ("evidence/2/boxes", [["covid", -1, True, True]], "evidence_invalid"),
        ("evidence/2/key", "", "evidence_invalid"),
        ("evidence/2/key", "x" * 201, "evidence_invalid"),
        ("evidence/2/key", "val-1.png", "evidence_invalid"),  # twice
        ("evidence/2/wanted", None, "evidence_invalid"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_kept(
    version: DetectorVersion, path: str, value: Any, code: str
) -> None:
    table = changed(report(version, 0.7), path, value)
    with pytest.raises(InvalidInputError) as caught:
        evidence.import_evidence(version=version, reports={"val": table})
    assert caught.value.code == code
    assert not EvidenceSet.objects.exists()


def test_a_film_of_val_in_test_is_a_mix_up_of_reports(version: DetectorVersion) -> None:
    give_evidence(version, 0.7)
    with pytest.raises(ConflictError) as caught:
        evidence.import_evidence(version=version, reports={"test": report(version, 0.7)})
    assert caught.value.code == "evidence_same_films"
    assert EvidenceSet.objects.get().name == "val"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"a": NaN}', b'{"a": "\\ud800"}', b'{"a": "\\u0000"}', b"[" * 100_000],
)
def test_a_file_that_is_no_evidence(content: bytes) -> None:
    with pytest.raises(DomainError) as caught:
        evidence.reports_in(evidence.parse_evidence(content))
    assert caught.value.code == "evidence_invalid"


def test_a_file_beyond_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MOST_BYTES", 10)
    with pytest.raises(TooLargeError):
        evidence.parse_evidence(b" " * 11)


def test_the_command_takes_evidence_beside_the_manifest_and_a_report(
    weights: Path,  # noqa: F811
) -> None:
    path = write_manifest(weights, file="active.pth", evidence="active.evidence.json")
    twin = DetectorVersion(name="light-1", weights_sha256=json.loads(path.read_text())["sha256"])
    (weights / "active.evidence.json").write_text(
        json.dumps(
            {
                "sha256": twin.weights_sha256,
                "val": {"evidence": report(twin, 0.7)["evidence"], "data": {"images": 60}},
            }
        )
    )
    call_command("register_detector")
    version = DetectorVersion.objects.get()
    assert version.evidence_sets.get().name == "val"
    tested = weights / "test-report.json"
    tested.write_text(json.dumps(report(version, 0.6, prefix="test")))
    call_command("register_detector", "--report", str(tested), "--set", "test")
    assert set(version.evidence_sets.values_list("name", flat=True)) == {"val", "test"}
    with pytest.raises(CommandError, match="evidence_missing"):
        call_command("register_detector", "--report", str(weights / "none.json"))


def test_broken_evidence_of_the_release_does_not_keep_it_from_reading(
    weights: Path,  # noqa: F811
) -> None:
    write_manifest(weights, file="active.pth", evidence="active.evidence.json")
    (weights / "active.evidence.json").write_text("{}")
    errors = io.StringIO()
    call_command("register_detector", stderr=errors)
    assert DetectorVersion.objects.get().state == "active"
    assert "evidence_invalid" in errors.getvalue()


def test_two_versions_are_compared_on_the_same_films(version: DetectorVersion) -> None:
    other = make_version("candidate")
    give_evidence(version, 0.9)
    assert comparison.compared(other, version, "val") is None
    give_evidence(other, 0.1)
    found = comparison.compared(other, version, "val")
    assert found is not None
    assert found["auc_covid"]["worse"]
    back = comparison.compared(version, other, "val")
    assert back is not None
    assert not back["auc_covid"]["worse"]
