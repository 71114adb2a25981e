"""REST addresses of `accounts`, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import api

urlpatterns = [
    path("auth/token/", api.TokenView.as_view(), name="auth-token"),
    path("users/", api.UsersView.as_view(), name="api-users"),
    path("users/<int:pk>/", api.UserView.as_view(), name="api-user"),
    path(
        "users/<int:pk>/reset-password/",
        api.ResetPasswordView.as_view(),
        name="api-user-reset-password",
    ),
    path("audit/", api.AuditView.as_view(), name="api-audit"),
]
