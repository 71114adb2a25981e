"""Pages of audit files, and of tables that come in and go out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can

from . import selectors
from .forms import AuditFileForm, TableForm
from .importing import machines, plans
from .models import Fate, InventoryImport
from .services import audit_files, imports
from .views_base import PAGE, actor, csv_answer, first_id, form_page, rights, step

FATES_HEADER = ("line", "key", "fate", "changes", "column", "code", "message")


def _last_year(today: date) -> dict[str, Any]:
    return {"starts_on": today - timedelta(days=364), "ends_on": today}


@requires(Can.MAINTENANCE_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def audit_file_list(request: HttpRequest) -> HttpResponse:
    """Ask for one; those that were made."""
    initial = _last_year(timezone.localdate())
    if (machine := first_id(request.GET.get("machine", ""))) is not None:
        initial["device"] = machine
    page = Paginator(selectors.audit_files(), PAGE).get_page(request.GET.get("page"))
    return form_page(
        request,
        AuditFileForm(request.POST or None, initial=initial),
        lambda data: audit_files.ask(actor=actor(request), request=request, **data),
        heading="Audit files",
        crumbs=[(reverse("devices:maintenance"), "Maintenance")],
        done=lambda row: (
            reverse("inventory:audit-file", args=[row.pk]),
            "A worker makes it; you may leave this page.",
        ),
        template="inventory/audit_files.html",
        page_obj=page,
    )


@requires(Can.MAINTENANCE_READ)
@require_safe
def audit_file(request: HttpRequest, pk: int) -> HttpResponse:
    """How far one is, and its hashes."""
    row = selectors.one(selectors.audit_files(), pk, "audit_file_not_found")
    context = {"row": row, "at_work": row.state in {"queued", "working"}, **rights(request)}
    if not getattr(request, "htmx", False):
        return render(request, "inventory/audit_file.html", context)
    response = render(request, "inventory/audit_file_body.html", context)
    if not context["at_work"]:
        response["HX-Refresh"] = "true"  # nothing more will happen by itself
    return response


@requires(Can.MAINTENANCE_READ)
@require_safe
def audit_file_pdf(request: HttpRequest, pk: int) -> HttpResponseBase:
    """To read and to print."""
    return taken(request, pk, "pdf")


@requires(Can.MAINTENANCE_READ)
@require_safe
def audit_file_zip(request: HttpRequest, pk: int) -> HttpResponseBase:
    """CSV files, and what was hashed."""
    return taken(request, pk, "zip")


def taken(request: Any, pk: int, kind: str) -> FileResponse:
    """One of its two files, under a name that says what it is."""
    row = selectors.one(selectors.audit_files(), pk, "audit_file_not_found")
    path = audit_files.take(row=row, kind=kind, actor=actor(request), request=request)
    name = f"audit-file-{row.pk}-{row.starts_on}-{row.ends_on}.{kind}"
    response = FileResponse(path.open("rb"), as_attachment=True, filename=name)
    response.headers["Cache-Control"] = "no-store"
    return response


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request: HttpRequest) -> HttpResponse:
    """Send a table; those that were sent."""
    initial = {"kind": request.GET.get("kind", "")[:16]}
    if (model := first_id(request.GET.get("model", ""))) is not None:
        initial["device_model"] = str(model)
    form = TableForm(request.POST or None, request.FILES or None, initial=initial)

    def save(data: dict[str, Any]) -> InventoryImport:
        file = data["file"]
        return imports.receive(
            source=file,
            filename=file.name or "",
            kind=data["kind"],
            device_model=data["device_model"],
            actor=actor(request),
            request=request,
        )

    return form_page(
        request,
        form,
        save,
        heading="Tables in and out",
        crumbs=[(reverse("devices:maintenance"), "Maintenance")],
        done=lambda job: (
            reverse("inventory:import", args=[job.pk]),
            "It is looked through; nothing is stored before you say so.",
        ),
        template="inventory/imports.html",
        page_obj=Paginator(selectors.imports(), PAGE).get_page(request.GET.get("page")),
    )


@requires(Can.MAINTENANCE_PLAN)
@require_safe
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Each row's fate."""
    job = selectors.one(selectors.imports(), pk, "import_not_found")
    fate = request.GET.get("fate", "")
    found = job.fates.filter(fate=fate) if fate in Fate.values else job.fates.all()
    context = {
        "job": job,
        "at_work": job.state in {"checking", "applying"},
        "fate": fate,
        "fates": [(value, label, job.counts.get(value, 0)) for value, label in Fate.choices],
        "can_apply": job.state == "checked"
        and not job.counts.get("refused")
        and bool(job.counts.get("added") or job.counts.get("changed")),
        "page_obj": Paginator(found, PAGE).get_page(request.GET.get("page")),
    }
    if not getattr(request, "htmx", False):
        return render(request, "inventory/import.html", context)
    response = render(request, "inventory/import_body.html", context)
    if not context["at_work"]:
        response["HX-Refresh"] = "true"  # nothing more will happen by itself
    return response


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def import_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """All of it, or nothing."""
    job = selectors.one(selectors.imports(), pk, "import_not_found")
    return step(
        request,
        lambda: imports.apply(job=job, actor=actor(request), request=request),
        said="It is being applied.",
        default="inventory:import",
        pk=pk,
    )


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def import_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Not this file."""
    job = selectors.one(selectors.imports(), pk, "import_not_found")
    return step(
        request,
        lambda: imports.discard(job=job, actor=actor(request), request=request),
        said="Discarded.",
        default="inventory:import",
        pk=pk,
    )


def fates(job: InventoryImport) -> Any:
    """The fates as rows of CSV."""
    for row in job.fates.order_by("pk").iterator(chunk_size=1_000):
        changes = "; ".join(
            f"{name}: {before if before is not None else ''} -> {after}"
            for name, (before, after) in row.changes.items()
        )
        yield [row.line, row.key, row.fate, changes, row.column, row.code, row.message]


@requires(Can.MAINTENANCE_PLAN)
@require_safe
def import_fates(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The fates as a file."""
    job = selectors.one(selectors.imports(), pk, "import_not_found")
    return csv_answer(FATES_HEADER, fates(job), f"fates-{pk}")


@requires(Can.MAINTENANCE_READ)
@require_safe
def machines_csv(request: HttpRequest) -> HttpResponseBase:
    """All machines, retired ones too, as the import takes them."""
    return csv_answer(machines.HEADER, machines.rows(), "machines")


@requires(Can.MAINTENANCE_READ)
@require_safe
def plans_csv(request: HttpRequest) -> HttpResponseBase:
    """Plans by the calendar and from work, as the import takes them."""
    return csv_answer(plans.HEADER, plans.rows(), "plans")
