"""Errors that a person can act on.

A service raises one of these; it knows nothing of HTTP. `twinhealth.web.errors` turns the
*kind* into a status code and the instance into the one error shape `{code, message, extra}`.
"""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """Something the caller can act on.

    Args:
        code: stable, machine-readable, snake_case (`sop_uid_conflict`).
        message: one sentence for a person: what is wrong and what to do.
        extra: JSON-safe details (ids, limits); never patient text.
    """

    def __init__(self, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.extra = extra

    def as_dict(self) -> dict[str, Any]:
        """The one error shape."""
        return {"code": self.code, "message": self.message, "extra": self.extra}


class InvalidInputError(DomainError):
    """The request can't be understood or breaks a rule of its own data."""


class TooLargeError(DomainError):
    """A cap (bytes, pixels, items) was passed; nothing was stored."""


class ConflictError(DomainError):
    """The stored state doesn't allow it now: already signed, claimed by another, bad transition."""


class PreconditionFailedError(ConflictError):
    """What the caller knew (`If-Match`) isn't so any more; `extra` has both sides."""


class NotPermittedError(DomainError):
    """The person's role doesn't allow it."""


class NotFoundError(DomainError):
    """There is no such thing, or none that this person may know of."""


class UnavailableError(DomainError):
    """A part that is needed (disk, queue, decoder) is not there now; trying later may help."""


class TooManyRequestsError(DomainError):
    """Asked too often; `extra["retry_after"]` says in how many seconds it may be tried again."""
