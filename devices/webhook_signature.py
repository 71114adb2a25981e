"""How webhooks are signed: pure (docs/alerts.md shows how a receiver checks it)."""

from __future__ import annotations

import base64
import hashlib
import hmac

TIMESTAMP_HEADER = "TwinHealth-Timestamp"
SIGNATURE_HEADER = "TwinHealth-Signature"
KEY_HEADER = "Idempotency-Key"
VERSION = "v1"


def secret_of(server_key: str, salt: str) -> str:
    """A webhook's secret, which is nowhere stored.

    Args:
        server_key: SECRET_KEY, or one of its predecessors.
        salt: the webhook's, from a source of chance.
    """
    digest = hmac.new(server_key.encode(), f"devices.webhook:{salt}".encode(), hashlib.sha256)
    return "whsec_" + base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over `timestamp`, a full stop and the body, in hex."""
    signed = str(timestamp).encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def header(secrets: list[str], timestamp: int, body: bytes) -> str:
    """`v1=…`, one for each secret that is valid now, separated by commas."""
    return ",".join(f"{VERSION}={signature(secret, timestamp, body)}" for secret in secrets)
