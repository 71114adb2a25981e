"""Each row's fate, found by applying it.

The dry run does what applying does, in a transaction that is taken back: so it can't say anything
else than what happens. Each row has a savepoint of its own, so that one that is refused leaves
nothing and the next is judged as if it weren't there.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from django.db import DataError, IntegrityError, transaction

from accounts.models import User
from inventory.models import Fate
from inventory.services import AnyRequest
from twinhealth.errors import DomainError, InvalidInputError

from .kinds import Kind
from .table import Row, Table


@dataclass(frozen=True, slots=True)
class RowFate:
    """What becomes of one row."""

    line: int
    key: str
    fate: str
    changes: dict[str, Any] = field(default_factory=dict)
    column: str = ""
    code: str = ""
    message: str = ""


class _BackError(Exception):
    """Take all of it back."""


def fit(kind: Kind, table: Table) -> dict[str, str]:
    """Heading of the file -> column of the kind, of those that count.

    Raises:
        InvalidInputError: `column_missing`, `unknown_column`, each with `extra.columns`.
    """
    names = kind.renamed(table.headings)
    found = {heading: names.get(heading, heading) for heading in table.headings}
    if not names:
        unknown = sorted(h for h in found if h not in kind.columns and h not in kind.ignored)
        if unknown:
            raise InvalidInputError(
                "unknown_column",
                f"Not known: {', '.join(unknown)[:150]}. Known: {', '.join(kind.columns)}.",
                columns=[name[:64] for name in unknown],
            )
    missing = sorted(kind.required - set(found.values()))
    if missing:
        raise InvalidInputError(
            "column_missing", f"A column is missing: {', '.join(missing)}.", columns=missing
        )
    return {heading: name for heading, name in found.items() if name in kind.columns}


def run(
    kind: Kind,
    table: Table,
    *,
    actor: User | None,
    keep: bool,
    expected: str = "",
    request: AnyRequest = None,
) -> tuple[list[RowFate], bool]:
    """The fates of all rows; whether they were applied.

    Args:
        kind: of the table.
        table: its rows.
        actor: who sends it.
        keep: apply, if nothing is refused and the fates are those expected; else a dry run.
        expected: `digest` of the fates that a person was shown.
        request: for the audit trail.

    Raises:
        InvalidInputError: those of `fit`.
    """
    judge = _Judge(kind, fit(kind, table), actor, request)
    fates: list[RowFate] = []
    try:
        with transaction.atomic():
            fates = [judge.fate(row) for row in table.rows]
            whole = not any(each.fate == Fate.REFUSED for each in fates)
            if not keep or not whole or digest(fates) != expected:
                raise _BackError  # noqa: TRY301 - the transaction's end is its purpose
    except _BackError:
        return fates, False
    return fates, True


@dataclass(slots=True)
class _Judge:
    """Applies one row after the other."""

    kind: Kind
    names: dict[str, str]
    actor: User | None
    request: AnyRequest
    seen: dict[str, int] = field(default_factory=dict)

    def fate(self, row: Row) -> RowFate:
        """What becomes of it; a refused one leaves nothing."""
        cells = {name: row.cells.get(heading, "") for heading, name in self.names.items()}
        key = self.kind.key(cells)[:200] if row.cells else ""
        no = partial(RowFate, row.line, key, Fate.REFUSED, {})
        if row.error is not None:
            column, code, message = row.error
            return no(self.names.get(column, column), code, message)
        if key and key in self.seen:
            message = f"Line {self.seen[key]} is of the same; one of them is too many."
            return no("", "duplicate_row", message)
        self.seen[key] = row.line
        try:
            with transaction.atomic():
                fate, changes = self.kind.apply(cells, actor=self.actor, request=self.request)
        except DomainError as error:
            column = str(error.extra.get("field", ""))[:64]
            return no(column, error.code, error.message[:300])
        except (DataError, IntegrityError):
            message = "The database can't keep this row. Look for strange characters or numbers."
            return no("", "not_storable", message)
        return RowFate(row.line, key, str(fate), changes)


def digest(fates: list[RowFate]) -> str:
    """SHA-256 of all fates, so that others than those shown are noticed."""
    text = json.dumps([asdict(each) for each in fates], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
