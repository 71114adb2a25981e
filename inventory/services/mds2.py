"""Answers of a model's MDS2, as the manufacturer's document has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import DeviceModel
from devices.plain_text import clean
from inventory.mds2 import BY_CODE
from inventory.models import Answer, Mds2Answer, Mds2Sheet
from twinhealth.errors import InvalidInputError

from . import AnyRequest, edited


def _sheet(model: DeviceModel) -> Mds2Sheet:
    """The model's sheet, locked; a first one is made."""
    Mds2Sheet.objects.get_or_create(device_model=model)
    return Mds2Sheet.objects.select_for_update(no_key=True).get(device_model=model)


@transaction.atomic
def set_document(
    *,
    model: DeviceModel,
    actor: User,
    document: str,
    document_date: date | None,
    request: AnyRequest = None,
) -> Mds2Sheet:
    """Which document the answers are taken from.

    Raises:
        InvalidInputError: `document_too_long`, `document_date_out_of_range`.
    """
    sheet = _sheet(model)
    if document_date and not date(2000, 1, 1) <= document_date <= timezone.localdate():
        raise InvalidInputError(
            "document_date_out_of_range", "This isn't when it was written.", field="document_date"
        )
    wanted = {
        "document": clean(document, field="document", limit=200, required=False),
        "document_date": document_date,
    }
    edited.save(sheet, wanted, actor=actor, taken="mds2_taken", request=request)
    Mds2Sheet.objects.filter(pk=sheet.pk).update(changed_by=actor)
    return sheet


@transaction.atomic
def answer(
    *,
    model: DeviceModel,
    actor: User | None,
    answers: Mapping[str, tuple[str, str]],
    request: AnyRequest = None,
) -> edited.Changes:
    """Answers by code: (answer, note); an empty answer takes one away.

    Returns:
        Code -> [before, after], each `answer: note`; of those that differ.

    Raises:
        InvalidInputError: `unknown_question`, `unknown_answer`, `note_missing` for "see note",
            `note_too_long`; each names the question in `extra.question`.
    """
    sheet = _sheet(model)
    there = {each.code: each for each in sheet.answers.all()}
    changes: edited.Changes = {}
    for code, pair in answers.items():
        given, note = _checked(code, *pair)
        row = there.get(code)
        before = [row.answer, row.note] if row else ["", ""]
        if before == [given, note]:
            continue
        if row is not None and not given:
            row.delete()
        elif row is None:
            Mds2Answer.objects.create(sheet=sheet, code=code, answer=given, note=note)
        else:
            row.answer, row.note = given, note
            row.save()
        changes[code] = [_words(*before), _words(given, note)]
    if changes:
        Mds2Sheet.objects.filter(pk=sheet.pk).update(changed_by=actor, changed_at=timezone.now())
        detail: dict[str, Any] = dict(changes)
        audit.record(actor=actor, verb="answered", obj=sheet, request=request, detail=detail)
    return changes


def _words(given: str, note: str) -> str | None:
    return (f"{given}: {note}" if note else given) or None


def _checked(code: str, given: str, note: str) -> tuple[str, str]:
    if code not in BY_CODE:
        raise InvalidInputError(
            "unknown_question", f"There is no question {code[:16]}.", field="code"
        )
    if given not in {"", *Answer.values}:
        raise InvalidInputError(
            "unknown_answer", "Answer yes, no, na or note.", field="answer", question=code
        )
    note = clean(note, field="note", limit=500, required=given == Answer.NOTE)
    if note and not given:
        raise InvalidInputError(
            "unknown_answer", "A note stands beside an answer.", field="answer", question=code
        )
    return given, note
