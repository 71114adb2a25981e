"""What if: a scenario built from chips in the address, simulated, kept, applied."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can
from devices.fields import row_ids
from twinhealth.errors import DomainError, InvalidInputError, NotFoundError
from twinhealth.web.errors import status_of

from . import assumptions, changes, results, undoing
from .assumptions import Assumptions
from .book import Book
from .changes import Change
from .selectors import what_if as selectors
from .services import moves, scenarios

LISTED = 500  # orders in a list


def address(listed: list[Change], given: Assumptions, *, run: bool = False) -> str:
    """The page of a scenario."""
    query: list[tuple[str, Any]] = [("c", each.text) for each in listed]
    query += list(given.given().items())
    if run:
        query.append(("run", "1"))
    return reverse("planning:what-if") + ("?" + urlencode(query) if query else "")


def asked(query: Any) -> tuple[list[Change], Assumptions]:
    """Changes and assumptions of an address or a form.

    Raises:
        InvalidInputError: as `changes.parse`, `changes.many`, `assumptions.parse`.
    """
    texts = query.getlist("c")[: changes.MOST + 1]
    return changes.many(changes.parse(each) for each in texts), assumptions.parse(query)


@requires(Can.MAINTENANCE_PLAN)
@require_safe
def what_if(request: HttpRequest) -> HttpResponse:
    """Build a scenario and see what it does; `run=1` simulates without a change."""
    error: DomainError | None = None
    listed: list[Change] = []
    given = Assumptions()
    try:
        listed, given = asked(request.GET)
        if "add" in request.GET:
            more = changes.from_json({"kind": request.GET["add"]} | request.GET.dict())
            return redirect(address(changes.many([*listed, more]), given, run=True))
    except DomainError as found:
        error = found
    status = status_of(error) if error else 200
    context = _context(request, listed, given, run=error is None)
    return render(request, "planning/what_if.html", context | {"error": error}, status=status)


def _context(
    request: HttpRequest, listed: list[Change], given: Assumptions, *, run: bool
) -> dict[str, Any]:
    now = timezone.now()
    wanted = run and bool(listed or request.GET.get("run"))
    if wanted:
        book, result = selectors.what_if(listed, given, now=now)
    else:
        book, result = selectors.present(given, now=now), None
    today = book.today
    chosen = next(iter(row_ids([request.GET.get("order", "")])), None)
    context: dict[str, Any] = {
        "book": book,
        "result": result,
        "given": given,
        "chips": _chips(book, listed, given, result),
        "changes": listed,
        "fields": _fields(given),
        "orders": _orders(book, chosen),
        "machines": sorted(book.machines, key=lambda each: each.name)[:LISTED],
        "models": sorted({(each.model, each.model_name) for each in book.machines}),
        "order_chosen": chosen,
        "machine_chosen": next(iter(row_ids([request.GET.get("machine", "")])), None),
        "day_chosen": request.GET.get("day", "")[:10],
        "today": today,
        "last": book.date(book.world.days - 1),
        "later": today + timedelta(days=14),
        "undo": undoing.kept(request),
        "now": now,
    }
    if result is not None:
        context["rows"] = results.rows(result["base"], result["scenario"], result["difference"])
        context["moves"] = [
            each for each in listed if each.kind == "move" and not _code(result, each)
        ]
        context["seen"] = json.dumps(_seen(book, listed))
    return context


def _code(result: dict[str, Any], change: Change) -> str:
    return next((each["code"] for each in result["changes"] if each["text"] == change.text), "")


def _seen(book: Book, listed: list[Change]) -> dict[str, list[Any]]:
    places = {each.order: book.place_of_order(each.order) for each in listed if each.order}
    return {str(pk): list(book.orders[n].seen) for pk, n in places.items() if n is not None}


def _chips(
    book: Book, listed: list[Change], given: Assumptions, result: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Each change in words, with the address of the scenario without it."""
    told = {each["text"]: each for each in result["changes"]} if result else {}
    return [
        {
            "words": selectors.described(book, each),
            "without": address([one for one in listed if one != each], given, run=True),
            "refused": told.get(each.text, {}).get("message", ""),
        }
        for each in listed
    ]


def _fields(given: Assumptions) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "bounds": bounds,
            "value": getattr(given, name),
            "step": "1" if bounds.whole else "any",
        }
        for name, bounds in assumptions.BOUNDS.items()
    ]


def _orders(book: Book, chosen: int | None) -> list[dict[str, Any]]:
    """The next ones, and the one that was come from."""
    found = [
        {"pk": row.pk, "title": row.title, "machine": book.machines[row.machine].name,
         "day": row.day, "latest": row.limits.latest}
        for row in book.orders
        if row.pk is not None and row.movable
    ]  # fmt: skip
    found.sort(key=lambda each: (each["day"], each["pk"]))
    return found[:LISTED] + [each for each in found[LISTED:] if each["pk"] == chosen]


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the scenario under a name."""
    listed, given = asked(request.POST)
    _, result = selectors.what_if(listed, given, now=timezone.now())
    try:
        made = scenarios.keep(
            actor=cast("User", request.user),
            name=request.POST.get("name", ""),
            changes=listed,
            given=given,
            result=result,
            request=request,
        )
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(address(listed, given, run=True))
    messages.success(request, f"Kept: {made.name}.")
    return redirect(f"{reverse('planning:scenarios')}?scenario={made.pk}")


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Write the scenario's moves into the orders."""
    listed, given = asked(request.POST)
    now = timezone.now()
    try:
        fates = scenarios.apply(
            actor=cast("User", request.user),
            book=selectors.present(given, now=now),
            changes=listed,
            reason=request.POST.get("reason", ""),
            seen=_seen_of(request.POST.get("seen", "")),
            now=now,
            request=request,
        )
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(address(listed, given, run=True))
    undoing.remember(request, fates)
    # what could not be moved stays in the scenario, and so does what is no move
    stays = {each.order for each in fates if each.code}
    rest = [each for each in listed if each.kind != "move" or each.order in stays]
    return redirect(address(rest, given, run=True))


def _seen_of(text: str) -> dict[int, list[Any]]:
    """Where each order stood on the page, as the page says."""
    wrong = InvalidInputError("seen_invalid", "Open the scenario again before you apply it.")
    if not text:
        return {}
    try:
        found = json.loads(text[:20_000])
        kept = {int(pk): moves.place_kept(place) for pk, place in found.items()}
    except (ValueError, TypeError, AttributeError):
        raise wrong from None
    return kept


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take the last moves back, each order that nobody changed since."""
    kept = undoing.kept(request)
    if kept is None:
        raise NotFoundError("nothing_to_undo", "There is no move to undo any more.")
    fates = moves.undo(actor=cast("User", request.user), kept=kept["moves"], request=request)
    del request.session[undoing.KEY]
    undoing.say(request, fates, "Back where they were")
    return redirect("planning:what-if")
