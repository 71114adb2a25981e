"""Reads of a film's report: one's own draft, and the document with its versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from detection import selectors
from detection.models import Conclusion, Signature
from detection.selectors_film import Film
from reading import report_content, report_text
from reading.models import Addendum, CriticalResult, Report, ReportDraft
from reading.report_facts import content_of, facts_of, marked
from reading.selectors import addenda_of
from twinhealth.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Drafted:
    """One reader's draft on the facts of now.

    Attributes:
        sections: of `report_content.sections`, each with `drafted`.
        revision: of the kept draft; 0 where none is kept.
    """

    sections: Sequence[Mapping[str, Any]]
    revision: int
    conclusion: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the document: 0 as drafted from the facts, 1 as signed, then one an addendum.

    Attributes:
        sections: title and text, in order.
        sha256: empty where the version was never signed or kept.
    """

    number: int
    what: str
    by_name: str
    at: datetime | None
    sha256: str
    sections: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Document:
    """A film's report as it reads now.

    Attributes:
        content: as `report_facts.content_of` made it at the signature; of a draft, as of now.
        signature: `None` while it is a draft.
        kept: whether a report was kept at the signature; films were signed before there were any.
        intact: whether the kept report still has its hash.
        versions: the oldest first.
    """

    film: Film
    content: Mapping[str, Any]
    signature: Signature | None
    kept: bool
    intact: bool
    addenda: Sequence[Addendum]
    versions: Sequence[Version]
    critical: Sequence[CriticalResult]

    @property
    def signed(self) -> bool:
        """Whether it is more than a draft."""
        return self.signature is not None

    @property
    def conclusion(self) -> str:
        """In words; empty while nothing is chosen."""
        chosen = self.content["conclusion"]
        return str(Conclusion(chosen).label) if chosen else ""

    @property
    def current(self) -> Version:
        """The newest version."""
        return self.versions[-1]

    def version(self, number: int) -> Version:
        """One of them.

        Raises:
            NotFoundError: `no_such_version`.
        """
        for version in self.versions:
            if version.number == number:
                return version
        raise NotFoundError("no_such_version", "This report has no such version.", version=number)


def drafted(film: Film, user: User, *, conclusion: str | None = None, start: str = "") -> Drafted:
    """The reader's draft; a `conclusion` stands before the kept one, `start` where none is kept."""
    row = _kept(film, user)
    chosen = conclusion if conclusion is not None else (row.conclusion if row else start)
    text = report_text.draft(facts_of(film, marked(film)), chosen)
    sections = report_content.sections(text, row.sections if row else {})
    return Drafted(
        sections=[{**section, "drafted": text[section["key"]]} for section in sections],
        revision=row.revision if row else 0,
        conclusion=chosen,
        at=row.at if row else None,
    )


def draft_of(image_id: int, user: User) -> Drafted:
    """`drafted` of a film by its number.

    Raises:
        NotFoundError: `no_such_image`.
    """
    return drafted(selectors.film(image_id=image_id, user=user), user)


def unsigned_words(film: Film, user: User) -> list[tuple[str, str]]:
    """What the reader had written on a film that another signed first: title and text."""
    row = _kept(film, user)
    sections = row.sections if row else {}
    return [
        (title, sections[key]) for key, title in report_text.SECTIONS.items() if key in sections
    ]


def document(image_id: int, user: User) -> Document:
    """The report of a film; before the signature the draft of `user`.

    Raises:
        NotFoundError: `no_such_image`.
    """
    film = selectors.film(image_id=image_id, user=user)
    signature = film.signature
    row = Report.objects.filter(signature=signature).first() if signature else None
    content = row.content if row else _content(film, user)
    addenda = addenda_of(signature)
    critical = CriticalResult.objects.filter(image=film.image).prefetch_related("attempts")
    return Document(
        film=film,
        content=content,
        signature=signature,
        kept=row is not None,
        intact=row is None or report_content.sha256(content) == row.sha256,
        addenda=addenda,
        versions=_versions(content, signature, row.sha256 if row else "", addenda),
        critical=list(critical),
    )


def _kept(film: Film, user: User) -> ReportDraft | None:
    return ReportDraft.objects.filter(image=film.image, by=user).first()


def _content(film: Film, user: User) -> dict[str, Any]:
    """Of a draft, or of a signature from before reports were kept."""
    if film.signature is not None:
        text = {"impression": film.signature.text}
        return content_of(
            film, conclusion=film.signature.conclusion, edited=text, signature=film.signature
        )
    row = _kept(film, user)
    edited, chosen = (row.sections, row.conclusion) if row else ({}, "")
    return content_of(film, conclusion=chosen, edited=edited, signature=None)


def _versions(
    content: Mapping[str, Any],
    signature: Signature | None,
    sha256: str,
    addenda: Sequence[Addendum],
) -> list[Version]:
    rows = content["sections"]
    facts = [(row["title"], row.get("drafted", row["text"])) for row in rows]
    found = [Version(0, "drafted from the facts", "", None, "", facts)]
    if signature is None:
        if any(row["edited"] for row in rows):
            now = [(row["title"], row["text"]) for row in rows]
            found.append(Version(1, "draft", "", None, "", now))
        return found
    said = [("Conclusion", str(signature.get_conclusion_display()))]
    said += [(row["title"], row["text"]) for row in rows]
    found.append(Version(1, "signed", signature.by_name, signature.at, sha256, said))
    so_far: list[dict[str, str]] = []
    for number, addendum in enumerate(addenda, start=1):
        so_far.append(
            {"by": addendum.by_name, "at": addendum.at.isoformat(), "text": addendum.text}
        )
        said = [*said, (f"Addendum {number}", addendum.text)]
        found.append(
            Version(
                number=number + 1,
                what="addendum",
                by_name=addendum.by_name,
                at=addendum.at,
                sha256=sha256 and report_content.version_sha256(sha256, so_far),
                sections=said,
            )
        )
    return found
