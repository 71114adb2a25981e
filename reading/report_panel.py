"""The report's panel beside the film: a draft, with what was just typed where a form came back."""

from __future__ import annotations

from dataclasses import replace

from detection.page_request import PageRequest
from detection.selectors_film import Film
from reading.forms_report import NAMES, ReportSignForm
from reading.models import FirstImpression
from reading.selectors_report import Drafted, drafted


def panel(film: Film, request: PageRequest, *, first: FirstImpression | None) -> Drafted:
    """The reader's draft; each section has `name`, that of its field in the form.

    Without a draft yet it starts with the conclusion and words of the reader's first impression.
    """
    form = ReportSignForm(request.POST if "text" in request.POST else None)
    form.is_valid()  # what is wrong with it, the error beside it says
    data = getattr(form, "cleaned_data", {})
    typed = form.edited() if form.is_bound else {}
    found = drafted(
        film,
        request.user,
        conclusion=data.get("conclusion") if form.is_bound else None,
        start=first.conclusion if first is not None else "",
    )
    if first is not None and not form.is_bound and not found.revision:
        typed = {"impression": first.text}
    sections = []
    for section in found.sections:
        own = typed.get(section["key"])
        changed = {"text": own, "edited": True} if own else {}
        sections.append({**section, **changed, "name": NAMES[section["key"]]})
    return replace(found, sections=sections)
