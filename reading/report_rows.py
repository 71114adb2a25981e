"""What page and PDF of a report both say beside its sections. Reads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format

from patients.models.patient import Sex
from reading.models import CriticalResult, CriticalState
from reading.report_facts import moment
from twinhealth.web.templatetags.house import person_name

Rows = Sequence[tuple[str, str]]


def patient_rows(content: Mapping[str, Any]) -> Rows:
    """Who it is about."""
    patient = content["patient"]
    born = date_format(date.fromisoformat(patient["born"]), "j M Y") if patient["born"] else ""
    if born and patient["age"] is not None:
        born += f", {patient['age']} at the exposure"
    number = " ".join(part for part in (patient["identifier"], patient["issuer"]) if part)
    return [
        ("Patient", person_name(patient["name"]) or "name unknown"),
        ("Number", number),
        ("Born", born or "unknown"),
        ("Sex", str(Sex(patient["sex"]).label)),
    ]


def study_rows(content: Mapping[str, Any]) -> Rows:
    """What was examined, when, on which machine."""
    study = content["study"]
    taken = moment(datetime.fromisoformat(study["taken"])) if study["taken"] else "time unknown"
    rows = [("Study", study["description"] or study["what"]), ("Taken", taken)]
    if study["accession"]:
        rows.append(("Accession", study["accession"]))
    rows.append(("Machine", study["machine"] or "unknown"))
    return rows


def badges(content: Mapping[str, Any]) -> list[str]:
    """What is synthetic says so."""
    found = ["synthetic patient"] if content["patient"]["synthetic"] else []
    return found + (["demo film"] if content["study"]["demo"] else [])


def marks(content: Mapping[str, Any]) -> list[dict[str, str]]:
    """The findings' boxes as numbers of an SVG picture, which knows no decimal comma."""
    columns = content["film"]["columns"]
    size = columns / 36
    found = []
    for finding in content["findings"]:
        x, y, w, h = finding["box"]
        numbers = {"x": x, "y": y, "w": w, "h": h, "size": size, "stroke": size / 5}
        numbers["text_y"] = max(size, y - size / 4)
        found.append(
            {name: f"{value:.2f}" for name, value in numbers.items()}
            | {key: str(finding[key]) for key in ("label", "number", "name")}
        )
    return found


def told(result: CriticalResult) -> list[str]:
    """A critical result line by line: what, who was told when, who read it back."""
    lines = [
        f"Reported by {result.author_name}, {moment(result.opened_at)}: {result.text}",
        *(
            f"Told {attempt.user_name}, {moment(attempt.at)} ({attempt.get_how_display()}"
            f"{'' if attempt.outcome == 'shown' else ', ' + attempt.get_outcome_display()})."
            for attempt in result.attempts.all()
        ),
    ]
    if result.state == CriticalState.OPEN or result.closed_at is None:
        return [*lines, "Nobody has read it back yet."]
    closed = f"{result.closed_by_name}, {moment(result.closed_at)}"
    if result.state == CriticalState.ACKNOWLEDGED:
        return [*lines, f"Read back by {closed}: {result.closing_text}"]
    return [*lines, f"Cancelled by {closed}: {result.closing_text}"]
