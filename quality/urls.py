"""Pages of `quality`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views_list, views_protocols, views_sessions

app_name = "quality"
_PAIR = "quality/devices/<int:device_id>/protocols/<int:protocol_id>"
_SESSION = "quality/sessions/<int:pk>"
_PROTOCOL = "quality/protocols/<int:pk>"
urlpatterns: list[URLPattern] = [
    path("quality/", views_list.index, name="index"),
    path(f"{_PAIR}/", views_list.trends, name="trend"),
    path(f"{_PAIR}.csv", views_list.trends_csv, name="trend-csv"),
    path("quality/instruments/", views_list.instrument_list, name="instruments"),
    path("quality/instruments/new/", views_list.instrument_new, name="instrument-new"),
    path("quality/instruments/<int:pk>/date/", views_list.instrument_date, name="instrument-date"),
    path("quality/protocols/", views_protocols.protocol_list, name="protocols"),
    path("quality/protocols/new/", views_protocols.protocol_new, name="protocol-new"),
    path(f"{_PROTOCOL}/", views_protocols.protocol, name="protocol"),
    path(f"{_PROTOCOL}/edit/", views_protocols.protocol_edit, name="protocol-edit"),
    path(f"{_PROTOCOL}/tie/", views_protocols.tie, name="tie"),
    path(f"{_PROTOCOL}/untie/<int:link>/", views_protocols.untie, name="untie"),
    path(f"{_PROTOCOL}/<slug:step>/", views_protocols.protocol_step, name="protocol-step"),
    path("quality/start/", views_sessions.start, name="start"),
    path(f"{_SESSION}/", views_sessions.session, name="session"),
    path(f"{_SESSION}/save/", views_sessions.save, name="session-save"),
    path(f"{_SESSION}/sign/", views_sessions.sign, name="session-sign"),
    path(f"{_SESSION}/correct/", views_sessions.correct, name="session-correct"),
    path(f"{_SESSION}/renew/", views_sessions.renew, name="session-renew"),
    path(f"{_SESSION}/discard/", views_sessions.discard, name="session-discard"),
    path(f"{_SESSION}/files/", views_sessions.attach, name="session-attach"),
    path(f"{_SESSION}/files/<int:file>/", views_sessions.file, name="session-file"),
    path(f"{_SESSION}/certificate.pdf", views_sessions.certificate, name="certificate"),
]
