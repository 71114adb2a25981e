"""Answers of one model's MDS2 as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from devices.models import DeviceModel
from inventory.mds2 import QUESTIONS
from inventory.models import Answer, Fate, Mds2Answer
from inventory.services import AnyRequest, mds2

from .kinds import Cells, Kind, Outcome, choice

_ANSWERS = {
    "": "", "yes": Answer.YES, "no": Answer.NO, "na": Answer.NA, "n.a.": Answer.NA,
    "n/a": Answer.NA, "note": Answer.NOTE, "see note": Answer.NOTE,
}  # fmt: skip


@dataclass(slots=True)
class Mds2(Kind):
    """One question a row, by its code; an empty answer takes one away.

    Attributes:
        model: whose answers.
    """

    model: DeviceModel
    columns = ("code", "answer", "note")
    required = frozenset({"code", "answer"})
    ignored = {"question": "it is ours", "section": "it is the form's"}

    def key(self, cells: Cells) -> str:
        """The question's code."""
        return cells["code"].upper()

    def apply(self, cells: Cells, *, actor: User | None, request: AnyRequest) -> Outcome:
        """Keep the answer."""
        given = (choice(cells, "answer", _ANSWERS), cells.get("note", ""))
        code = self.key(cells)
        changes = mds2.answer(model=self.model, actor=actor, answers={code: given}, request=request)
        if not changes:
            return Fate.UNCHANGED, {}
        before, after = changes[code]
        return (Fate.ADDED if before is None else Fate.CHANGED), {"answer": [before, after]}


def rows(model: DeviceModel) -> Iterator[list[Any]]:
    """Every question with its answer, as `Mds2` takes them."""
    there = {each.code: each for each in Mds2Answer.objects.filter(sheet__device_model=model)}
    for question in QUESTIONS:
        found = there.get(question.code)
        yield [
            question.code, question.section, question.text,
            found.get_answer_display() if found else "", found.note if found else "",
        ]  # fmt: skip


HEADER = ("code", "section", "question", "answer", "note")
