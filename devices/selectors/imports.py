"""Files of readings and their refused rows."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from accounts import csvsafe
from devices.models import ReadingImport, RefusedRow
from twinhealth.errors import NotFoundError

HEADINGS = ("line", "metric", "code", "message", "row")


def imports() -> QuerySet[ReadingImport]:
    """Newest first."""
    return ReadingImport.objects.select_related("requested_by").order_by("-pk")


def get(import_id: int) -> ReadingImport:
    """One file.

    Raises:
        NotFoundError: `import_not_found`.
    """
    found = imports().filter(pk=import_id).first()
    if found is None:
        raise NotFoundError("import_not_found", "There is no such file of readings.")
    return found


def refused(job: ReadingImport) -> QuerySet[RefusedRow]:
    """Its refused rows, in the file's order."""
    return job.refusals.order_by("pk")


def refused_csv(job: ReadingImport) -> Iterator[str]:
    """The refused rows as CSV, formulas defused."""
    rows = refused(job).values_list("line", "metric", "code", "message", "text")
    return csvsafe.stream(HEADINGS, rows.iterator(chunk_size=2_000))
