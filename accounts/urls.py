"""Pages of `accounts`."""

from __future__ import annotations

from django.urls import path

from .views import audit, session, users

app_name = "accounts"
urlpatterns = [
    path("login/", session.login_page, name="login"),
    path("logout/", session.logout_page, name="logout"),
    path("account/", session.account, name="account"),
    path("users/", users.user_list, name="users"),
    path("users/new/", users.user_new, name="user-new"),
    path("users/<int:pk>/", users.user_edit, name="user-edit"),
    path("users/<int:pk>/active/", users.user_active, name="user-active"),
    path("users/<int:pk>/reset-password/", users.user_reset_password, name="user-reset-password"),
    path("audit/", audit.audit_page, name="audit"),
    path("audit/export.csv", audit.audit_export, name="audit-export"),
]
