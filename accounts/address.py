"""From where a request comes, for the audit trail and the sign-in limit."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings


def _valid(text: str) -> str | None:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return None


def remote_address(request: Any) -> str | None:
    """The client's address, or `None` where the server gives none (a Unix socket).

    `X-Forwarded-For` can be written by anyone, so it counts only as far as the hospital's own
    proxies wrote it: with `TRUSTED_PROXY_COUNT` = n the n-th entry from the right is what the
    outermost proxy of ours saw. A request with fewer entries did not come through them.

    Args:
        request: Django's or DRF's request.
    """
    direct = _valid(request.META.get("REMOTE_ADDR") or "")
    proxies = settings.TRUSTED_PROXY_COUNT
    if proxies <= 0:
        return direct
    entries = (request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    if len(entries) < proxies:
        return direct
    return _valid(entries[-proxies]) or direct


def address_block(address: str | None) -> str:
    """What one client can own: an IPv4 address, or an IPv6 /64 (RFC 6177)."""
    if address is None:
        return "unknown"
    if ip_address(address).version == 4:
        return address
    return str(ip_network(f"{address}/64", strict=False).network_address)
