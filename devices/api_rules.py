"""REST of rules: list, make, change, switch, history, replay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.permissions import Can
from devices.models import Rule
from devices.rule_kinds.spec import KINDS, OF_MACHINE
from devices.rule_kinds.words import sentence
from devices.selectors import checks as check_selectors
from devices.selectors import replay as replay_selectors
from devices.selectors import rules as selectors
from devices.selectors import twin as twin_selectors
from devices.services import rules
from twinhealth.errors import InvalidInputError

from . import serializers_rules as shapes
from .api import actor

YEAR = timedelta(days=365)


def _given(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    found = shape(data=request.data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def _merged(rule: Rule, given: Mapping[str, Any]) -> dict[str, Any]:
    """The rule's values with those given instead; parameters by their own names."""
    values = {name: getattr(rule, name) for name in rules.VALUES}
    params = {**rule.params, **(given.get("params") or {})}
    return {**values, **given, "params": params}


class RuleViewSet(GenericViewSet[Rule]):
    """Rules of all makes."""

    required = {
        "list": Can.DEVICE_READ,
        "retrieve": Can.DEVICE_READ,
        "create": Can.RULE_EDIT,
        "partial_update": Can.RULE_EDIT,
        "enable": Can.RULE_EDIT,
        "disable": Can.RULE_EDIT,
        "replay": Can.DEVICE_READ,
    }
    queryset = Rule.objects.none()
    serializer_class = shapes.RuleSerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = []

    @extend_schema(
        summary="Rules",
        parameters=[
            OpenApiParameter("model", int),
            OpenApiParameter("kind", str, enum=list(KINDS)),
            OpenApiParameter("enabled", bool),
        ],
    )
    def list(self, request: Request) -> Response:
        """Rules by make and metric."""
        asked = request.query_params
        model = None
        if number := asked.get("model", ""):
            if not number.isdecimal():
                raise InvalidInputError("invalid", "model must be a number.")
            model = selectors.model(int(number[:18]))
        on = asked.get("enabled", "").lower()
        if on not in {"", "true", "false"}:
            raise InvalidInputError("invalid", "enabled must be true or false.")
        found = selectors.listed(model, enabled=None if not on else on == "true")
        if kind := asked.get("kind", ""):
            if kind not in KINDS:
                raise InvalidInputError("invalid", "kind isn't known.", known=sorted(KINDS))
            found = found.filter(kind=kind)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(shapes.RuleSerializer(page, many=True).data)

    @extend_schema(summary="One rule with its history", responses=shapes.RuleDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One rule."""
        return self._answer(selectors.get(int(pk)))

    def _answer(self, rule: Rule, code: int = status.HTTP_200_OK) -> Response:
        context = {"history": selectors.history(rule)}
        return Response(shapes.RuleDetailSerializer(rule, context=context).data, status=code)

    @extend_schema(
        summary="Make a rule",
        request=shapes.NewRuleSerializer,
        responses={201: shapes.RuleDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        """A rule and its first version."""
        given = _given(shapes.NewRuleSerializer, request)
        model = selectors.model(given.pop("model"))
        key = given.pop("metric", None)
        rule = rules.create(
            kind=given.pop("kind"),
            metric=selectors.metric(model, key) if key else None,
            model=model,
            actor=actor(request),
            reason=given.pop("reason"),
            request=request,
            given=given,
        )
        return self._answer(selectors.get(rule.pk), status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a rule",
        request=shapes.RuleChangeSerializer,
        responses=shapes.RuleDetailSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """A new version; what isn't given stays."""
        rule = selectors.get(int(pk))
        given = _given(shapes.RuleChangeSerializer, request)
        reason, seen = given.pop("reason"), given.pop("version", None)
        rules.change(
            rule=rule,
            given=_merged(rule, given),
            actor=actor(request),
            reason=reason,
            seen=seen,
            request=request,
        )
        return self._answer(selectors.get(rule.pk))

    @extend_schema(
        summary="Switch a rule on",
        request=shapes.RuleReasonSerializer,
        responses=shapes.RuleDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        """It judges again."""
        return self._switch(request, pk, enabled=True)

    @extend_schema(
        summary="Switch a rule off",
        request=shapes.RuleReasonSerializer,
        responses=shapes.RuleDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """It judges no more; its alerts stay."""
        return self._switch(request, pk, enabled=False)

    def _switch(self, request: Request, pk: str, *, enabled: bool) -> Response:
        given = _given(shapes.RuleReasonSerializer, request)
        rules.switch(
            rule=selectors.get(int(pk)),
            enabled=enabled,
            actor=actor(request),
            reason=given["reason"],
            request=request,
        )
        return self._answer(selectors.get(int(pk)))

    @extend_schema(
        summary="What a rule would have done",
        request=shapes.ReplayRequestSerializer,
        responses=shapes.ReplaySerializer,
    )
    @action(detail=False, methods=["post"])
    def replay(self, request: Request) -> Response:
        """Run a rule, saved or not, over a machine's past."""
        given = _given(shapes.ReplayRequestSerializer, request)
        device = twin_selectors.get(given.pop("device"))
        end = given.pop("to", None) or timezone.now()
        start = given.pop("from", None) or end - YEAR
        number, kind, key = given.pop("rule", None), given.pop("kind", ""), given.pop("metric", "")
        if number is not None:
            rule = selectors.get(number)
            kind, metric, given = rule.kind, rule.metric, _merged(rule, given)
        else:
            metric = None
            if key and kind not in OF_MACHINE:
                metric = selectors.metric(device.model, key)
            given.setdefault("name", metric.label if metric else "rule")
            given.setdefault("severity", "watch")
        spec = selectors.spec_given(kind, metric, rules.checked(kind, metric, given))
        shown = replay_selectors.run(device=device, metric=metric, spec=spec, start=start, end=end)
        return Response(shapes.ReplaySerializer(shown.replay).data)


class CheckView(APIView):
    """One check of one machine."""

    required = {"get": Can.DEVICE_READ}

    @extend_schema(
        summary="What a rule says of a machine, and the alerts it opened there",
        operation_id="devices_checks_retrieve",
        responses=shapes.CheckDetailSerializer,
    )
    def get(self, request: Request, pk: int, rule_id: int) -> Response:
        """Value, baseline, since, n, the rule in words, its alerts."""
        device, rule = twin_selectors.get(pk), selectors.get(rule_id)
        body = {
            "check": check_selectors.check_of(device, rule, timezone.now()),
            "rule": rule,
            "sentence": sentence(selectors.spec_of_rule(rule)),
            "alerts": selectors.alerts_of(rule, device.pk),
        }
        return Response(shapes.CheckDetailSerializer(body).data)
