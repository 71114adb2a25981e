"""Pages of who is told: the bell, the own subscription, deliveries, webhooks."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import Can, may
from devices.fields import row_ids
from devices.forms_alerts import RotateForm, SubscriptionForm, WebhookChangeForm, WebhookForm
from devices.models import Webhook
from devices.models.notification import Channel, SendState
from devices.selectors import alert_figures as figures
from devices.selectors import notifications as selectors
from devices.services import outbox, subscriptions
from devices.services import webhooks as webhook_services
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from .views import actor

PAGE = 50


@require_GET
@requires(Can.ALERT_READ)
def notifications(request: HttpRequest) -> HttpResponse:
    """What the person was told in the app, newest first."""
    rows = selectors.lines(actor(request))
    context = {
        "page_obj": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "unread": selectors.unread(actor(request)).count(),
        "subscribed": subscriptions.of(actor(request)).pk is not None,
    }
    return render(request, "devices/notifications.html", context)


@require_POST
@requires(Can.ALERT_READ)
def notifications_read(request: HttpRequest) -> HttpResponse:
    """The person has seen one of them, or all."""
    asked = request.POST.getlist("notification")
    ids = row_ids(asked) if asked else None
    outbox.mark_read(user=actor(request), ids=ids)
    return redirect("devices:notifications")


@require_http_methods(["GET", "POST"])
@requires(Can.ALERT_READ)
def subscription(request: HttpRequest) -> HttpResponse:
    """Of what the person wants to be told."""
    known, status = subscriptions.of(actor(request)), 200
    initial = {
        name: getattr(known, name)
        for name in (
            "act", "watch", "escalations", "in_app", "email", "rooms", "quiet_from", "quiet_to",
        )
    }  # fmt: skip
    if known.pk:
        initial["devices"] = known.devices.all()
    else:
        initial["in_app"] = True  # what most people will want
    form = SubscriptionForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                subscriptions.subscribe(user=actor(request), **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, "Saved: it holds from the next alert on.")
                return redirect("devices:notifications")
    context = {"form": form, "known": known}
    return render(request, "devices/subscription.html", context, status=status)


@require_GET
@requires(Can.ALERT_READ)
def deliveries(request: HttpRequest) -> HttpResponse:
    """Every message to a person or program, and how it went."""
    asked = request.GET
    start, last = (figures.day(asked.get(name, ""), name) for name in ("from", "to"))
    span = figures.span_of(start, last, now=timezone.now()).moments if start or last else None
    machine = asked.get("machine", "")
    chosen = selectors.DeliveryFilter(
        state=asked.get("state", ""),
        channel=asked.get("channel", ""),
        device=int(machine[:18]) if machine.isdecimal() else None,
        room=asked.get("room", "")[:64],
        start=span[0] if span else None,
        end=span[1] if span else None,
    )
    context = {
        "page_obj": Paginator(selectors.deliveries(chosen, actor(request)), PAGE).get_page(
            asked.get("page")
        ),
        "chosen": chosen,
        "states": SendState.choices,
        "channels": Channel.choices,
        "can_name_programs": may(request.user, Can.WEBHOOK_ADMIN),
    }
    return render(request, "devices/deliveries.html", context)


@require_GET
@requires(Can.ALERT_READ)
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """One message and every attempt."""
    found = outbox.get(pk, actor(request))
    context = {
        "row": found,
        "attempts": found.attempts.all(),
        "can_send": may(request.user, Can.ALERT_WORK) and found.state == SendState.DEAD,
        "can_name_programs": may(request.user, Can.WEBHOOK_ADMIN),
    }
    return render(request, "devices/delivery.html", context)


@require_POST
@requires(Can.ALERT_WORK)
def delivery_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one again that was given up."""
    found = outbox.get(pk, actor(request))
    outbox.send_again(notification=found, actor=actor(request), request=request)
    messages.success(request, "It waits to be sent again.")
    return redirect("devices:delivery", pk=pk)


@require_http_methods(["GET", "POST"])
@requires(Can.WEBHOOK_ADMIN)
def webhooks(request: HttpRequest) -> HttpResponse:
    """Programs that are told; a new one's secret is on the answer and nowhere else."""
    form, status = WebhookForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                hook, secret = webhook_services.create(
                    actor=actor(request), request=request, **form.cleaned_data
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                return _shown(request, hook, secret)
    context = {"form": form, "hooks": selectors.webhooks(), "now": timezone.now()}
    return render(request, "devices/webhooks.html", context, status=status)


def _shown(request: HttpRequest, hook: Webhook, secret: str) -> HttpResponse:
    response = render(request, "devices/webhook_shown.html", {"hook": hook, "secret": secret})
    response.headers["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "POST"])
@requires(Can.WEBHOOK_ADMIN)
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one, or switch it off."""
    hook, status = webhook_services.get(pk), 200
    initial = {name: getattr(hook, name) for name in ("name", "url", "severity", "active")}
    form = WebhookChangeForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                webhook_services.change(
                    webhook=hook, actor=actor(request), request=request, **form.cleaned_data
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, "Saved.")
                return redirect("devices:webhooks")
    context = {
        "form": form,
        "hook": hook,
        "rotate_form": RotateForm(),
        "deliveries": selectors.of_webhook(hook),
    }
    return render(request, "devices/webhook.html", context, status=status)


@require_POST
@requires(Can.WEBHOOK_ADMIN)
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test; its page says how it went."""
    row = outbox.send_test(webhook=webhook_services.get(pk), actor=actor(request), request=request)
    row.refresh_from_db()
    if row.state in {SendState.QUEUED, SendState.SENDING}:
        messages.info(request, "The test is on its way: look again in a moment.")
    return redirect("devices:delivery", pk=row.pk)


@require_POST
@requires(Can.WEBHOOK_ADMIN)
def webhook_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """A new secret, shown once."""
    hook, form = webhook_services.get(pk), RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: choose for how long the old one goes on.")
        return redirect("devices:webhook", pk=pk)
    overlap = timedelta(hours=int(form.cleaned_data["hours"]))
    changed, secret = webhook_services.rotate(
        webhook=hook, actor=actor(request), overlap=overlap, request=request
    )
    return _shown(request, changed, secret)
