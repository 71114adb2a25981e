"""REST of `accounts`: tokens, accounts, audit trail."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import selectors, serializers
from .forms import AuditForm
from .models import AuditEntry, User
from .permissions import Can
from .services import audit, sign_in
from .services import users as user_service


class InvalidCredentials(AuthenticationFailed):
    """Name and password don't match an active account."""

    default_code = "invalid_credentials"
    default_detail = "User name and password don't match an active account."


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class TokenView(APIView):
    """A token for programs; it stays the same until it is revoked."""

    required: ClassVar = {"post": Can.ANYONE, "delete": Can.SIGNED_IN}

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Nobody needs to be somebody to ask for a token; an old token sent along does no harm."""
        if self.request is not None and self.request.method == "POST":
            return []
        return super().get_authenticators()

    def get_authenticate_header(self, request: Request) -> str:
        """What makes DRF answer 401, not 403."""
        return "Token"

    @extend_schema(
        request=serializers.CredentialsSerializer,
        responses={200: serializers.TokenSerializer},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """User name and password for a token."""
        form = serializers.CredentialsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = sign_in.verify(request=request, **form.validated_data)
        if user is None:
            raise InvalidCredentials
        return Response({"token": sign_in.issue_token(user=user, request=request)})

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Revoke the own token."""
        sign_in.revoke_token(user=_user(request), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class UsersView(GenericAPIView[User]):
    """All accounts; a new one."""

    required: ClassVar = {"get": Can.USER_ADMIN, "post": Can.USER_ADMIN}
    serializer_class = serializers.UserSerializer
    queryset = User.objects.all()
    filter_backends = []

    @extend_schema(
        operation_id="users_list",
        parameters=[
            OpenApiParameter("q", str),
            OpenApiParameter("role", str),
            OpenApiParameter("active", str, enum=["yes", "no"]),
            OpenApiParameter("ordering", str),
        ],
        responses=serializers.UserSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Filtered and sorted."""
        chosen = {key: request.query_params.get(key, "") for key in ("q", "role", "active")}
        found = selectors.users(**chosen, ordering=request.query_params.get("ordering", ""))
        page = self.paginate_queryset(found)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request=serializers.NewUserSerializer,
        responses={201: serializers.OneTimePasswordSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make an account; the answer holds its one-time password."""
        form = serializers.NewUserSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user, password = user_service.create_user(
            actor=_user(request), request=request, **form.validated_data
        )
        return Response(_with_password(user, password), status=status.HTTP_201_CREATED)


class UserView(APIView):
    """One account."""

    required: ClassVar = {"get": Can.USER_ADMIN, "patch": Can.USER_ADMIN}

    @extend_schema(responses=serializers.UserSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """The account."""
        return Response(serializers.UserSerializer(selectors.user(pk)).data)

    @extend_schema(request=serializers.ChangeUserSerializer, responses=serializers.UserSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Change role, name, or whether it may sign in."""
        form = serializers.ChangeUserSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = user_service.update_user(
            user_id=pk, actor=_user(request), request=request, **form.validated_data
        )
        return Response(serializers.UserSerializer(user).data)


class ResetPasswordView(APIView):
    """A forgotten password."""

    required: ClassVar = {"post": Can.USER_ADMIN}

    @extend_schema(request=None, responses=serializers.OneTimePasswordSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Give a one-time password; sessions and token of the account end."""
        user, password = user_service.reset_password(
            user_id=pk, actor=_user(request), request=request
        )
        return Response(_with_password(user, password))


class AuditView(APIView):
    """The audit trail; reading it is written into it."""

    required: ClassVar = {"get": Can.AUDIT_READ}

    @extend_schema(
        operation_id="audit_list",
        parameters=[
            OpenApiParameter(name, str)
            for name in (
                "actor", "verb", "object_type", "object_id", "patient", "since", "until",
                "request_id", "before",
            )
        ],
        responses=serializers.AuditPageSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Newest first; follow `next`."""
        form = AuditForm(request.query_params)
        chosen = form.chosen()
        if form.errors:
            raise ValidationError(
                {key: [str(text) for text in texts] for key, texts in form.errors.items()}
            )
        page = selectors.audit_page(chosen, before=request.query_params.get("before", ""))
        audit.record(
            actor=_user(request),
            verb="viewed",
            obj=AuditEntry,
            patient_id=chosen.patient,
            request=request,
            detail=chosen.as_dict(),
        )
        following = None
        if page.next_cursor:
            query = request.query_params.copy()
            query["before"] = page.next_cursor
            following = request.build_absolute_uri(f"?{query.urlencode()}")
        return Response(
            {
                "count": page.count,
                "count_is_minimum": page.more_than_count,
                "next": following,
                "previous": None,
                "results": serializers.AuditEntrySerializer(page.rows, many=True).data,
            }
        )


def _with_password(user: User, password: str) -> dict[str, Any]:
    return {**serializers.UserSerializer(user).data, "one_time_password": password}


def _user(request: Request) -> User:
    if not isinstance(request.user, User):
        raise TypeError("behind `required`, which lets nobody else in")
    return request.user
