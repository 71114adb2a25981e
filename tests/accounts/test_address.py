"""From where a request comes, and whom to believe."""

from __future__ import annotations

import pytest
from django.test import RequestFactory, override_settings

from accounts.address import remote_address


@pytest.mark.parametrize(
    ("proxies", "direct", "forwarded", "address"),
    [
        (0, "192.0.2.1", None, "192.0.2.1"),
        (0, "192.0.2.1", "203.0.113.9", "192.0.2.1"),  # anyone can write the header
        (1, "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "10.0.0.1", "203.0.113.9", "10.0.0.1"),  # did not come through both
        (1, "10.0.0.1", None, "10.0.0.1"),
        (1, "10.0.0.1", "<script>", "10.0.0.1"),
        (1, "10.0.0.1", "2001:db8::1", "2001:db8::1"),
        (0, "", None, None),  # a Unix socket
        (1, "", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_address(proxies: int, direct: str, forwarded: str | None, address: str | None):
    request = RequestFactory().get("/", REMOTE_ADDR=direct)
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    with override_settings(TRUSTED_PROXY_COUNT=proxies):
        assert remote_address(request) == address
