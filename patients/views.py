"""Pages of patients, for clinicians. Every view is written into the audit trail."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can
from accounts.services import audit
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from . import selectors
from .codes import BY_CODE, KINDS
from .forms import BLOOD_PRESSURE, ObservationForm
from .models import Patient
from .services import observations

_ROWS = 25


@requires(Can.PATIENT_READ)
@never_cache
@require_safe
def patient_list(request: HttpRequest) -> HttpResponse:
    """All patients, found by number or name."""
    chosen = {
        key: request.GET.get(key, "").replace("\0", "").strip()
        for key in ("q", "synthetic", "ordering")
    }
    pages = Paginator(selectors.patients(**chosen), selectors.PAGE)
    page = pages.get_page(request.GET.get("page"))
    now = timezone.now()
    rows = [
        {"patient": patient, "age": selectors.age(patient.birth_date, timezone.localdate(now))}
        for patient in page.object_list
    ]
    audit.record(
        actor=_user(request),
        verb="listed",
        obj=Patient,
        request=request,
        detail={"patients": [patient.pk for patient in page.object_list]},
    )
    context = {"page_obj": page, "rows": rows, "chosen": chosen, "now": now}
    return render(request, "patients/list.html", context)


@requires(Can.PATIENT_READ)
@never_cache
@require_safe
def patient_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One patient: latest values, lanes on one time axis, films, all values."""
    return _page(request, selectors.patient(pk), ObservationForm())


@requires(Can.PATIENT_WRITE)
@never_cache
@require_POST
def observation_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter a value."""
    patient = selectors.patient(pk)
    form = ObservationForm(request.POST)
    if not form.is_valid():
        return _page(request, patient, form, status=HTTPStatus.BAD_REQUEST)
    try:
        observations.enter(
            patient=patient, items=form.items(), actor=_user(request), request=request
        )
    except DomainError as error:
        form.add_error(None, error.message)
        return _page(request, patient, form, status=status_of(error))
    messages.success(request, "Recorded. If it is wrong, strike it out in the list of values.")
    return redirect("patients:patient", pk=pk)


@requires(Can.PATIENT_WRITE)
@require_POST
def observation_strike(request: HttpRequest, pk: int, observation_id: int) -> HttpResponse:
    """Strike a wrong value out, with the reason."""
    observations.strike_out(
        patient=selectors.patient(pk),
        observation_id=observation_id,
        reason=request.POST.get("reason", ""),
        actor=_user(request),
        request=request,
    )
    messages.success(request, "Struck out. It stays readable in the list of values.")
    return redirect("patients:patient", pk=pk)


def _page(
    request: HttpRequest, patient: Patient, form: ObservationForm, status: int = HTTPStatus.OK
) -> HttpResponse:
    audit.record(
        actor=_user(request), verb="viewed", obj=patient, patient_id=patient.pk, request=request
    )
    now = timezone.now()
    period = request.GET.get("days", "")
    if period not in selectors.PERIODS:
        period = selectors.fitting_period(patient.pk, now=now)
    code = request.GET.get("code", "")
    pages = Paginator(selectors.history(patient.pk, code=code), _ROWS)
    lanes = selectors.lanes(patient.pk, period=period, now=now)
    context: dict[str, Any] = {
        "patient": patient,
        "age": selectors.age(patient.birth_date, timezone.localdate(now)),
        "latest": selectors.latest_values(patient.pk),
        "lanes": lanes,
        "lane_data": {
            "groups": lanes.groups,
            "start": lanes.start.timestamp() if lanes.start else None,
            "end": lanes.end.timestamp(),
        },
        "period": period,
        "periods": [("2", "48 h"), ("7", "7 d"), ("30", "30 d"), ("365", "1 y"), ("all", "all")],
        "page_obj": pages.get_page(request.GET.get("page")),
        "code": code if code in BY_CODE else "",
        "form": form,
        "zone": timezone.get_current_timezone_name(),
        "units": {
            BLOOD_PRESSURE: ["mm[Hg]"],
            **{kind.code: list(kind.units) for kind in KINDS},
        },
        "now": now,
    }
    return render(request, "patients/patient.html", context, status=status)


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("behind `requires`, which lets nobody else in")
    return request.user
