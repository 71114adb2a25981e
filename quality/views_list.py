"""What is due and what fails; the trend of a protocol on a machine; instruments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import csvsafe
from accounts.decorators import requires
from accounts.permissions import Can
from devices import machine_choice
from devices.fields import row_ids
from devices.selectors import twin
from devices.views_maintenance import actor, rights
from twinhealth.errors import DomainError, InvalidInputError
from twinhealth.web.errors import status_of

from .forms import InstrumentForm
from .models import Instrument, Protocol
from .selectors import found, overview, trend
from .services import instruments
from .services.protocols import covers

PAGE = 50
ORDERINGS = {
    "machine": lambda row: row.device.name.casefold(),
    "protocol": lambda row: row.protocol.name.casefold(),
    "due": lambda row: (row.due_on is None, row.due_on or timezone.localdate()),
    "last": lambda row: (row.last is None, row.last and row.last.performed_at.timestamp()),
}


def _number(text: str) -> int | None:
    return next(iter(row_ids([text])), None)


@requires(Can.MAINTENANCE_READ)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """A row per machine and protocol, the most urgent first."""
    query = request.GET
    machine = _number(query.get("machine", ""))
    machine = machine if machine is not None else machine_choice.named(query)
    protocol = _number(query.get("protocol", ""))
    everything = overview.rows(device=machine, protocol=protocol)
    counts = Counter(row.state for row in everything)
    state = query.get("state", "")
    listed = [row for row in everything if row.state == state or state not in overview.STATES]
    ordering = query.get("ordering", "")
    key = ORDERINGS.get(ordering.removeprefix("-"))
    if key is not None:
        listed.sort(key=key, reverse=ordering.startswith("-"))
    context = {
        "page_obj": Paginator(listed, PAGE).get_page(query.get("page")),
        "states": [(name, label, counts[name]) for name, label in overview.STATES.items()],
        "state": state,
        "total": len(everything),
        "machine": machine,
        "machines": machine_choice.choices(),
        "protocol": protocol,
        "protocols": Protocol.objects.filter(retired_at=None),
        "now": timezone.now(),
        **rights(request),
    }
    return render(request, "quality/index.html", context)


def _trend(device_id: int, protocol_id: int) -> tuple[Any, Protocol, list[trend.Series]]:
    device, protocol = twin.get(device_id), found.protocol(protocol_id)
    if not covers(protocol, device):
        raise InvalidInputError(
            "protocol_of_another_machine", "This protocol is of other machines."
        )
    return device, protocol, trend.series(device, protocol)


@requires(Can.MAINTENANCE_READ)
@require_safe
def trends(request: HttpRequest, device_id: int, protocol_id: int) -> HttpResponse:
    """A chart per number, and every result in a table."""
    device, protocol, listed = _trend(device_id, protocol_id)
    charts = [each for each in listed if each.test.bands]
    context = {
        "device": device,
        "protocol": protocol,
        "series": listed,
        "charts": charts,
        "data": [each.as_json() for each in charts],
        "table": _table(listed),
        "now": timezone.now(),
        **rights(request),
    }
    return render(request, "quality/trend.html", context)


def _table(listed: list[trend.Series]) -> list[tuple[trend.Point, list[tuple[str, trend.Point]]]]:
    """A row per session, the newest first: the session by its first point, then each test's."""
    names = [each.test.name for each in listed]
    rows = list(zip(*(each.points for each in listed), strict=True)) if listed else []
    return [(row[0], list(zip(names, row, strict=True))) for row in reversed(rows)]


HEADER = (
    "machine", "serial", "protocol", "version", "session", "measured_at", "test", "value", "unit",
    "text", "verdict", "tolerance_low", "tolerance_high", "action_low", "action_high",
)  # fmt: skip


@requires(Can.MAINTENANCE_READ)
@require_safe
def trends_csv(request: HttpRequest, device_id: int, protocol_id: int) -> StreamingHttpResponse:
    """Every result with the bands it was judged by."""
    device, protocol, listed = _trend(device_id, protocol_id)

    def lines() -> Iterator[list[Any]]:
        for each in listed:
            for point in each.points:
                if point.verdict:
                    limits = [point.limits.get(name) for name in HEADER[-4:]]
                    yield [
                        device.name, device.serial, protocol.name, point.version,
                        f"QA-{point.session}", timezone.localtime(point.at).isoformat(),
                        each.test.name, point.number, each.test.unit, point.text, point.verdict,
                        *limits,
                    ]  # fmt: skip

    response = StreamingHttpResponse(
        csvsafe.stream(HEADER, lines()), content_type="text/csv; charset=utf-8"
    )
    name = f"qa-{device.pk}-{protocol.pk}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@requires(Can.MAINTENANCE_READ)
@require_safe
def instrument_list(request: HttpRequest) -> HttpResponse:
    """What is measured with, and until when."""
    return _instruments(request, InstrumentForm())


def _instruments(request: HttpRequest, form: InstrumentForm, status: int = 200) -> HttpResponse:
    context = {
        "page_obj": Paginator(Instrument.objects.filter(retired_at=None), PAGE).get_page(
            request.GET.get("page")
        ),
        "form": form,
        "today": timezone.localdate(),
        **rights(request),
    }
    return render(request, "quality/instruments.html", context, status=status)


@requires(Can.ORDER_WORK)
@require_POST
def instrument_new(request: HttpRequest) -> HttpResponse:
    """Another instrument."""
    form = InstrumentForm(request.POST)
    if not form.is_valid():
        return _instruments(request, form, 400)
    try:
        made = instruments.create(actor=actor(request), request=request, **form.cleaned_data)
    except DomainError as error:
        form.add_error(None, error.message)
        return _instruments(request, form, status_of(error))
    messages.success(request, f"{made} can be chosen in sessions.")
    return redirect("quality:instruments")


@requires(Can.ORDER_WORK)
@require_POST
def instrument_date(request: HttpRequest, pk: int) -> HttpResponse:
    """It was calibrated again."""
    instrument = found.instrument(pk)
    data = {**request.POST.dict(), "name": instrument.name, "serial": instrument.serial}
    form = InstrumentForm(data)
    if not form.is_valid():
        messages.error(request, "Choose the day until which its calibration holds.")
    else:
        until = form.cleaned_data["calibrated_until"]
        instruments.recalibrated(
            instrument=instrument, actor=actor(request), calibrated_until=until, request=request
        )
        messages.success(request, f"{instrument}: until {until:%d %b %Y}.")
    return redirect("quality:instruments")
