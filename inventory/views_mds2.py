"""Pages of manufacturers' disclosure statements (MDS2)."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from devices.models import DeviceModel

from . import selectors
from .forms import Mds2Form
from .importing import mds2 as table
from .mds2 import QUESTIONS, SECTIONS
from .services import mds2
from .views_base import PAGE, actor, csv_answer, form_page, rights


def _model(pk: int) -> DeviceModel:
    return selectors.one(DeviceModel.objects.select_related("mds2"), pk, "model_not_found")


@requires(Can.MAINTENANCE_READ)
@require_safe
def mds2_list(request: HttpRequest) -> HttpResponse:
    """How much is known of each model."""
    page = Paginator(selectors.models_with_answers(), PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "total": len(QUESTIONS), **rights(request)}
    return render(request, "inventory/mds2_list.html", context)


@requires(Can.MAINTENANCE_READ)
@require_safe
def mds2_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """Answers of one model, and what isn't answered."""
    model = _model(pk)
    rows = selectors.questions(model)
    sections = [
        (code, name, [row for row in rows if row["question"].section == code])
        for code, name in SECTIONS.items()
    ]
    context = {
        "model": model,
        "sheet": getattr(model, "mds2", None),
        "sections": sections,
        "missing": [row["question"] for row in rows if row["answer"] is None],
        "total": len(rows),
        **rights(request),
    }
    return render(request, "inventory/mds2.html", context)


@requires(Can.MAINTENANCE_READ)
@require_safe
def mds2_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The same as the import takes it."""
    model = _model(pk)
    return csv_answer(table.HEADER, table.rows(model), f"mds2-{model}")


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "POST"])
def mds2_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what the manufacturer's document says."""
    model = _model(pk)
    sheet = getattr(model, "mds2", None)
    initial: dict[str, Any] = {}
    if sheet is not None:
        initial = {"document": sheet.document, "document_date": sheet.document_date}
        for each in sheet.answers.all():
            initial |= {each.code: each.answer, f"{each.code}-note": each.note}
    form = Mds2Form(request.POST or None, initial=initial)

    def save(data: dict[str, Any]) -> DeviceModel:
        with transaction.atomic():
            mds2.set_document(
                model=model,
                actor=actor(request),
                document=data["document"],
                document_date=data["document_date"],
                request=request,
            )
            mds2.answer(model=model, actor=actor(request), answers=form.answers(), request=request)
        return model

    where = reverse("inventory:mds2", args=[pk])
    return form_page(
        request,
        form,
        save,
        heading=f"MDS2 of {model}",
        crumbs=[(reverse("inventory:mds2-list"), "MDS2"), (where, str(model))],
        done=lambda _: (where, "Saved."),
        template="inventory/mds2_form.html",
    )
