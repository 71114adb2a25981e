"""Pages of re-read lists: how far they are, a list to work off, one film of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts import csvsafe
from accounts.decorators import requires
from accounts.permissions import Can, may
from accounts.services import audit
from detection import selectors_rereads as selectors
from detection.forms import cleaned
from detection.models import ReReadList, ReReadWhy
from detection.page_request import PageRequest
from detection.services import rereads
from reading import rereads_csv
from reading.forms_rereads import AssignForm, DoneForm, RecordForm, ReopenForm
from reading.services import re_reads
from twinhealth.errors import DomainError, NotFoundError
from twinhealth.web.errors import status_of

PAGE = 50
FILTERS = ("show", "why", "when", "assignee", "ordering")


@require_GET
@requires(Can.REREAD_READ)
def lists(request: PageRequest) -> HttpResponse:
    """Every mark as degraded with how far its films are."""
    page = Paginator(selectors.lists(), PAGE).get_page(request.GET.get("page"))
    done = selectors.progress(page)
    context = {
        "rows": [(row, done[row.pk]) for row in page],
        "page_obj": page,
        "now": timezone.now(),
        "reads": may(request.user, Can.FINDING_REVIEW),
    }
    return render(request, "reading/re_reads.html", context)


@require_GET
@requires(Can.REREAD_READ)
def films(request: PageRequest, list_id: int) -> HttpResponse:
    """The films of one list; for engineers without patient, pixels and words."""
    found = rereads.list_of(list_id)
    chosen = _chosen(request)
    rows = selectors.items(found, user=request.user, **chosen)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    reads = may(request.user, Can.FINDING_REVIEW)
    if reads:
        _shown(request, "listed", found, page.object_list)
    context = {
        "list": found,
        "span": found.span,
        "device": found.span.device,
        "progress": selectors.progress([found])[found.pk],
        "page_obj": page,
        "chosen": chosen | {"show": chosen["show"] or "waiting"},
        "shows": selectors.SHOW,
        "whens": selectors.WHEN,
        "whys": ReReadWhy.choices,
        "unsigned": selectors.unsigned(found.span),
        "reads": reads,
        "works": reads and found.span.withdrawn_at is None,
        "assign_form": AssignForm(initial={"assignee": request.user.pk}, auto_id="assign_%s"),
        "done_form": DoneForm(auto_id="done_%s"),
        "at_once": rereads.MAX_AT_ONCE,
        "now": timezone.now(),
    }
    return render(request, "reading/re_read_list.html", context)


def _chosen(request: PageRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "")[:64] for name in FILTERS}


def _shown(request: PageRequest, verb: str, found: ReReadList, rows: Any) -> None:
    """A list tells who the patients are: the audit has which films it showed."""
    audit.record(
        actor=request.user,
        verb=verb,
        obj=found,
        request=request,
        detail={"films": [row.image_id for row in rows]},
    )


@require_GET
@requires(Can.REREAD_READ)
def export(request: PageRequest, list_id: int) -> StreamingHttpResponse:
    """All films that the filters leave, as CSV; who the patients are, for readers alone."""
    found = rereads.list_of(list_id)
    chosen = _chosen(request)
    chosen["show"] = chosen["show"] or "all"
    rows = selectors.items(found, user=request.user, **chosen)
    reads = may(request.user, Can.FINDING_REVIEW)
    audit.record(
        actor=request.user,
        verb="exported",
        obj=found,
        request=request,
        detail={"rows": rows.count(), "patients": reads, **{k: v for k, v in chosen.items() if v}},
    )
    head = rereads_csv.HEADER + (rereads_csv.READERS_HEADER if reads else ())
    lines = csvsafe.stream(head, rereads_csv.rows(rows.iterator(chunk_size=2000), reads=reads))
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"re-reads-{found.pk}-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_POST
@requires(Can.FINDING_REVIEW)
def assign(request: PageRequest, list_id: int) -> HttpResponse:
    """Give the ticked films to somebody."""
    try:
        data = cleaned(AssignForm(request.POST))
        done = rereads.assign(
            list_id=list_id, item_ids=_meant(request, list_id, data["items"]),
            assignee=data["assignee"], user=request.user, request=request,
        )  # fmt: skip
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _said(done, f"assigned to {data['assignee'] or 'nobody'}"))
    return _back(request, list_id)


@require_POST
@requires(Can.FINDING_REVIEW)
def done(request: PageRequest, list_id: int) -> HttpResponse:
    """Say of the ticked films that they are done."""
    try:
        data = cleaned(DoneForm(request.POST))
        outcome = rereads.finish(
            list_id=list_id, item_ids=_meant(request, list_id, data["items"]),
            result=data["result"], note=data["note"], user=request.user, request=request,
        )  # fmt: skip
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _said(outcome, "done"))
    return _back(request, list_id)


def _meant(request: PageRequest, list_id: int, ticked: list[int]) -> list[int]:
    """The ticked films; or all that the filters leave, as many as a step takes."""
    if request.POST.get("scope") != "all":
        return ticked
    rows = selectors.items(rereads.list_of(list_id), user=request.user, **_chosen(request))
    return list(rows.values_list("pk", flat=True)[: rereads.MAX_AT_ONCE])


def _said(outcome: rereads.Outcome, what: str) -> str:
    words = f"{outcome.changed} film{'' if outcome.changed == 1 else 's'} {what}"
    return f"{words}, {outcome.skipped} left as they were." if outcome.skipped else f"{words}."


def _back(request: PageRequest, list_id: int) -> HttpResponse:
    """The list with the filters from which the step was made."""
    query = request.GET.urlencode()
    address = reverse("reading:re-read-list", args=[list_id])
    return redirect(f"{address}?{query}" if query else address)


@require_GET
@requires(Can.FINDING_REVIEW)
def film(request: PageRequest, item_id: int) -> HttpResponse:
    """One film: why it is listed, what was said, what came of it."""
    return _film_page(request, item_id, RecordForm())


def _film_page(
    request: PageRequest, item_id: int, form: RecordForm, error: DomainError | None = None
) -> HttpResponse:
    item = selectors.item(item_id).first()
    if item is None:
        raise NotFoundError("no_such_re_read", "There is no such film on a list.")
    audit.record(
        actor=request.user,
        verb="viewed",
        obj=item,
        patient_id=item.image.series.study.patient_id,
        request=request,
    )
    context = {
        "item": item,
        "span": item.list.span,
        "image": item.image,
        "patient": item.image.series.study.patient,
        "form": form,
        "reopen_form": ReopenForm(auto_id="reopen_%s"),
        "error": error,
        "following": selectors.next_waiting(item.list, user=request.user, after=item),
    }
    status = status_of(error) if error else HTTPStatus.OK
    return render(request, "reading/re_read.html", context, status=status)


@require_POST
@requires(Can.FINDING_REVIEW)
def record(request: PageRequest, item_id: int) -> HttpResponse:
    """Say what came of looking again; with `then=next` go on to the next film."""
    form = RecordForm(request.POST)
    try:
        data = cleaned(form)
        item = re_reads.record(
            item_id=item_id, result=data["result"], text=data["text"], user=request.user,
            request=request,
        )  # fmt: skip
    except DomainError as error:
        return _film_page(request, item_id, form, error)
    messages.success(request, f"Film {item.image_id}: {item.get_result_display()}.")
    if request.POST.get("then") != "next":
        return redirect("reading:re-read", item.pk)
    following = selectors.next_waiting(item.list, user=request.user, after=item)
    if following is None:
        return redirect("reading:re-read-list", item.list_id)
    return redirect("reading:re-read", following.pk)


@require_POST
@requires(Can.FINDING_REVIEW)
def reopen(request: PageRequest, item_id: int) -> HttpResponse:
    """Take back what was said of it."""
    try:
        data = cleaned(ReopenForm(request.POST))
        rereads.reopen(item_id=item_id, reason=data["reason"], user=request.user, request=request)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The film is open again.")
    return redirect("reading:re-read", item_id)
