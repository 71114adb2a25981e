"""One session: taken at the machine, kept while it is typed, signed, printed, corrected."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from devices import checklist as steps_of
from devices import selectors_maintenance as order_selectors
from devices.views_maintenance import actor, rights
from devices.views_order_files import as_response
from twinhealth.errors import ConflictError, DomainError, InvalidInputError
from twinhealth.web.errors import status_of

from . import certificate as certificates
from .forms import SessionForm, SignForm, StartForm, countable
from .models import QASession, Verdict
from .selectors import found
from .services import files, sessions, signing
from .services.consequences import newest_alert
from .tests_of import MAX_VALUES, ProtocolTest, from_json, result


@requires(Can.ORDER_WORK)
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begin a draft, or go on with the order's."""
    form = StartForm(request.POST)
    if not form.is_valid():
        raise InvalidInputError("invalid", "Choose the machine and the protocol.")
    number = form.cleaned_data["order"]
    session = sessions.begin(
        actor=actor(request),
        device=form.cleaned_data["device"],
        protocol=form.cleaned_data["protocol"],
        order=order_selectors.order(number) if number is not None else None,
        request=request,
    )
    return redirect("quality:session", session.pk)


@requires(Can.MAINTENANCE_READ)
@require_safe
def session(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft to work on, or what was signed."""
    one = found.session(pk)
    return _signed_page(request, one) if one.is_signed else _draft_page(request, one)


def _judged(one: QASession, test: ProtocolTest) -> tuple[str, str, str]:
    """Verdict, its words, and mean or complaint of a draft's test as typed so far."""
    try:
        answer = result(test, one.answers.get(test.key, {}))
    except InvalidInputError as error:
        return "invalid", "can't be read", error.message
    if answer is None:
        return "", "", ""
    several = len(answer.values) > 1 and answer.number is not None
    return (
        answer.verdict,
        str(Verdict(answer.verdict).label),
        f"mean {answer.number:.6g}" if several else "",
    )


def _asked(one: QASession) -> list[dict[str, Any]]:
    """Tests with what their fields show."""
    rows = []
    for row in one.version.tests:
        test = from_json(row)
        given = one.answers.get(test.key, {})
        limits = test.bands.limits() if test.bands else {}
        said = {**row, **{k: "" if v is None else f"{v:.12g}" for k, v in limits.items()}}
        verdict, words, more = _judged(one, test)
        rows.append(
            {
                "test": test,
                "values": given.get("values") or [""],
                "passed": given.get("passed"),
                "choice": given.get("choice", ""),
                "note": given.get("note", ""),
                "tolerance": certificates.band(said, "tolerance") if limits else "",
                "action": certificates.band(said, "action") if limits else "",
                "verdict": verdict,
                "words": words,
                "more": more,
            }
        )
    return rows


def _draft_page(
    request: HttpRequest,
    one: QASession,
    *,
    error: DomainError | None = None,
    form: SessionForm | None = None,
    sign_form: SignForm | None = None,
) -> HttpResponse:
    asked = _asked(one)
    order = one.order
    context = {
        "session": one,
        "asked": asked,
        "answered": sum(1 for row in asked if row["verdict"]),
        "form": form or SessionForm(session=one),
        "sign_form": sign_form or SignForm(session=one),
        "may_count_for": countable(one).exists(),
        "may_close": order is not None
        and order.state == "in_progress"
        and not steps_of.unanswered(order.checklist),
        "newer": one.protocol.current if one.protocol.current_id != one.version_id else None,
        "max_values": MAX_VALUES,
        "now": timezone.now(),
        "error": error,
        **rights(request),
    }
    status = status_of(error) if error else 200
    return render(request, "quality/session.html", context, status=status)


def _signed_page(
    request: HttpRequest, one: QASession, *, error: DomainError | None = None, reason: str = ""
) -> HttpResponse:
    signed = one.content or {}
    corrections = list(one.superseded_by.all())
    later = next(iter(corrections), None)
    alert = newest_alert(one.device_id, one.protocol)
    context = {
        "session": one,
        "signed": signed,
        "rows": [
            {
                **row,
                "found": certificates.value(row),
                "label": Verdict(row["verdict"]).label,
                "tolerance": certificates.band(row, "tolerance"),
                "action": certificates.band(row, "action"),
            }
            for row in signed.get("tests", ())
        ],
        "later": later if later and later.is_signed else None,
        "correction": later if later and not later.is_signed else None,
        "alert": alert if alert is not None and alert.state != "resolved" else None,
        "reason": reason,
        "now": timezone.now(),
        "error": error,
        **rights(request),
    }
    status = status_of(error) if error else 200
    return render(request, "quality/signed.html", context, status=status)


def _answers(request: HttpRequest, one: QASession) -> dict[str, Any]:
    """What the form says of each test."""
    post = request.POST
    found_answers: dict[str, Any] = {}
    for row in one.version.tests:
        key = row["key"]
        passed = post.get(f"passed-{key}", "")
        found_answers[key] = {
            "values": [v for v in post.getlist(f"value-{key}") if v.strip()],
            "passed": {"yes": True, "no": False}.get(passed),
            "choice": post.get(f"choice-{key}", ""),
            "note": post.get(f"note-{key}", ""),
        }
    return found_answers


def _save(request: HttpRequest, one: QASession) -> QASession:
    form = SessionForm(request.POST, session=one)
    if not form.is_valid():
        first = next(iter(form.errors.values()))[0]
        raise InvalidInputError("invalid", str(first))
    seen = request.POST.get("revision", "")
    return sessions.save(
        session=one,
        actor=actor(request),
        answers=_answers(request, one),
        seen=int(seen) if seen.isdecimal() and len(seen) < 10 else None,
        request=request,
        **form.cleaned_data,
    )


@requires(Can.ORDER_WORK)
@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what was typed: a fragment with the verdicts so far, or back to the page."""
    one = found.session(pk)
    error: DomainError | None = None
    try:
        _save(request, one)
    except DomainError as refused:
        error = refused
    if not getattr(request, "htmx", False):
        if error is not None:
            return _refused(request, pk, error)
        messages.success(request, "Kept.")
        return redirect("quality:session", pk)
    one = found.session(pk)
    asked = _asked(one)
    context = {
        "session": one,
        "asked": asked,
        "answered": sum(1 for row in asked if row["verdict"]),
        "now": timezone.now(),
        "error": error,
    }
    return render(request, "quality/saved.html", context)


def _refused(request: HttpRequest, pk: int, error: DomainError) -> HttpResponse:
    """The page with the reason; what was typed stands in it, kept or not."""
    one = found.session(pk)
    if one.is_signed:
        return _signed_page(request, one, error=error)
    for key, answer in _answers(request, one).items():
        one.answers[key] = {**answer, "values": answer["values"][:MAX_VALUES]}
    form = SessionForm(request.POST, session=one)
    return _draft_page(
        request, one, error=error, form=form, sign_form=SignForm(request.POST, session=one)
    )


@requires(Can.ORDER_WORK)
@require_POST
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what the form says, then sign it; what is refused stays on the page."""
    one = found.session(pk)
    form = SignForm(request.POST, session=one)
    try:
        if not form.is_valid():
            raise InvalidInputError("invalid", str(next(iter(form.errors.values()))[0]))
        if one.is_signed:
            raise ConflictError("already_signed", f"{one.signed_by} signed this session.")
        kept = _save(request, one)
        done = signing.sign(
            session=kept,
            actor=actor(request),
            seen=kept.revision,
            request=request,
            **form.cleaned_data,
        )
    except DomainError as error:
        return _refused(request, pk, error)
    messages.success(request, f"Signed: {done.get_verdict_display()}.")
    return redirect("quality:session", pk)


@requires(Can.ORDER_WORK)
@require_POST
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft that will take its place."""
    one = found.session(pk)
    reason = request.POST.get("reason", "")
    try:
        draft = sessions.correct(session=one, actor=actor(request), reason=reason, request=request)
    except DomainError as error:
        if not one.is_signed:
            return _draft_page(request, one, error=error)
        return _signed_page(request, one, error=error, reason=reason)
    messages.success(request, f"Correct the values and sign: it then takes the place of {one}.")
    return redirect("quality:session", draft.pk)


@requires(Can.ORDER_WORK)
@require_POST
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """To the protocol's present version."""
    one = sessions.renew(session=found.session(pk), actor=actor(request), request=request)
    messages.success(request, f"This draft is of version {one.version.number} now.")
    return redirect("quality:session", pk)


@requires(Can.ORDER_WORK)
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away."""
    one = found.session(pk)
    sessions.discard(session=one, actor=actor(request), request=request)
    messages.success(request, "The draft is gone.")
    return redirect("quality:index")


@requires(Can.ORDER_WORK)
@require_POST
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """A photo or a document."""
    one = found.session(pk)
    upload: Any = request.FILES.get("file")
    try:
        if upload is None:
            raise InvalidInputError("file_missing", "Choose a file first.")
        files.attach(
            session=one,
            actor=actor(request),
            source=upload,
            filename=upload.name or "",
            request=request,
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Attached.")
    return redirect("quality:session", pk)


@requires(Can.MAINTENANCE_READ)
@require_safe
def file(request: HttpRequest, pk: int, file: int) -> HttpResponseBase:
    """The file itself: pictures to be looked at, a PDF to be saved."""
    return as_response(found.file(found.session(pk), file))


def certificate_of(one: QASession) -> HttpResponse:
    """The PDF of a signed session.

    Raises:
        ConflictError: `not_signed`.
    """
    if not one.is_signed:
        raise ConflictError("not_signed", "A certificate is of a signed session: sign it first.")
    response = HttpResponse(certificates.pdf(one), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="QA-{one.pk}.pdf"'
    response["X-Content-SHA256"] = one.sha256
    return response


@requires(Can.MAINTENANCE_READ)
@require_safe
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """The certificate to take along."""
    return certificate_of(found.session(pk))
