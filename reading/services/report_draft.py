"""A reader's unsigned report, kept while it is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.models import Conclusion
from detection.services.claims import lock_film, patient_of, refuse_signed
from detection.services.sign import MAX_TEXT
from reading.models import ReportDraft
from reading.report_blocks import left
from reading.report_text import SECTIONS
from reading.selectors_double import refuse_own_read
from twinhealth.errors import ConflictError, InvalidInputError


def keep(
    *,
    image_id: int,
    user: User,
    sections: Mapping[str, str],
    conclusion: str = "",
    revision: int = 0,
    request: HttpRequest | None = None,
) -> ReportDraft:
    """Keep one's own draft of a film's report; needs no claim, so that no text is lost with one.

    What is kept already is left as it is, whatever the revision says: a repeat after a lost answer.

    Args:
        image_id: the film.
        user: the reader.
        sections: those that the reader wrote himself, by their keys.
        conclusion: a value of `Conclusion`, or empty.
        revision: of the draft on which this one stands; 0 for the first.
        request: for the audit.

    Raises:
        NotFoundError: `no_such_image`.
        InvalidInputError: `bad_section`, `text_too_long`, `bad_conclusion`.
        ConflictError: `stale_draft` where another tab kept a newer one; `signed`; `already_read`
            of one who has given a reading of the film, so that a late save leaves no draft.
    """
    words = own_words(sections)
    if conclusion and conclusion not in Conclusion.values:
        raise InvalidInputError(
            "bad_conclusion",
            f"A conclusion is one of {', '.join(Conclusion.values)}.",
            allowed=list(Conclusion.values),
        )
    with transaction.atomic():
        image = lock_film(image_id)  # drafts of one film queue here, too
        refuse_signed(image)
        refuse_own_read(image=image, user=user)
        draft = ReportDraft.objects.filter(image=image, by=user).first()
        if draft and (draft.sections, draft.conclusion) == (words, conclusion):
            return draft
        kept = draft.revision if draft else 0
        if kept != revision:
            raise ConflictError(
                "stale_draft",
                "Another tab has kept a newer text of this report. Choose which one stays.",
                revision=kept,
            )
        if draft is None:
            # the first one is in the audit; each second of typing is not
            draft = ReportDraft(image=image, by=user)
            audit.record(
                actor=user,
                verb="drafted_report",
                obj=image,
                patient_id=patient_of(image),
                request=request,
            )
        draft.sections, draft.conclusion, draft.at = words, conclusion, timezone.now()
        draft.revision = kept + 1
        draft.save()
        return draft


def own_words(sections: Mapping[str, str]) -> dict[str, str]:
    """Sections with a text, without control characters; an empty one is left to the facts.

    Raises:
        InvalidInputError: `bad_section`, `text_too_long`.
    """
    unknown = [key for key in sections if key not in SECTIONS]
    if unknown:
        raise InvalidInputError(
            "bad_section", f"A section is one of {', '.join(SECTIONS)}.", allowed=list(SECTIONS)
        )
    found = {}
    for key, text in sections.items():
        said = _clean(text)
        if len(said) > MAX_TEXT:
            raise InvalidInputError(
                "text_too_long",
                f"{SECTIONS[key]} has at most {MAX_TEXT} characters.",
                limit=MAX_TEXT,
            )
        if said:
            found[key] = said
    return found


def signed_words(sections: Mapping[str, str]) -> dict[str, str]:
    """`own_words` of a report that is to be signed: no placeholder stands in them any more.

    Raises:
        InvalidInputError: `bad_section`, `text_too_long`, `placeholder_left`.
    """
    words = own_words(sections)
    open_marks = [mark for said in words.values() for mark in left(said)]
    if open_marks:
        raise InvalidInputError(
            "placeholder_left",
            f"Fill in {{{open_marks[0]}}} first: it stands in the report as it is.",
            placeholders=open_marks,
        )
    return words


def _clean(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in lines if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return "".join(kept).strip()
