"""One POST to another program's address, without being led astray.

The name is resolved here and the connection made to the very address that was checked, so a name
that answers differently the second time gains nothing. Redirects are not followed, proxies of the
environment not used, and the whole exchange ends after `SECONDS`.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

SECONDS = 10.0
ANSWER_BYTES = 64 * 1024
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class RefusedError(Exception):
    """We don't send there: the address isn't allowed."""


class FailedError(Exception):
    """It was not delivered."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Where to we send.

    Attributes:
        http: also without TLS.
        networks: private ones that are allowed all the same, as `10.1.0.0/16`.
    """

    http: bool
    networks: tuple[_Network, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and the begin of the body."""

    code: int
    text: str


def rules(*, allow_http: bool, networks: list[str]) -> Rules:
    """From settings.

    Raises:
        ValueError: a network that is none.
    """
    return Rules(allow_http, tuple(ipaddress.ip_network(text) for text in networks))


def check_url(url: str, allowed: Rules) -> tuple[str, str, int, str]:
    """Scheme, host, port and path with query.

    Raises:
        RefusedError: what we don't send to, whatever the name resolves to.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedError("this is no address of the web") from error
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise RefusedError("the address must begin with https://")
    if parts.scheme == "http" and not allowed.http:
        raise RefusedError("only https is allowed (WEBHOOK_ALLOW_HTTP)")
    if parts.username is not None or parts.password is not None:
        raise RefusedError("an address with a user name in it is not allowed")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise RefusedError("the address has characters that must be written as %XX")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), path


def _real(address: _Address) -> _Address:
    """The IPv4 address inside an IPv6 one, if that is what it is for."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address


def allowed_address(text: str, allowed: Rules) -> bool:
    """True for an address of the open internet, or of an allowed network."""
    address = ipaddress.ip_address(text.partition("%")[0])
    real = _real(address)
    if any(real in net or address in net for net in allowed.networks):
        return True
    return real.is_global and not real.is_multicast and address.is_global


def _resolve(host: str, port: int, allowed: Rules) -> str:
    """The first address of a name; every one of them must be allowed.

    Raises:
        RefusedError, FailedError.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FailedError("the name can't be resolved") from error
    addresses = [str(entry[4][0]) for entry in found]
    bad = [each for each in addresses if not allowed_address(each, allowed)]
    if bad or not addresses:
        raise RefusedError(
            "the name leads to a private address, which WEBHOOK_ALLOWED_NETWORKS doesn't name"
        )
    return addresses[0]


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Rules) -> Answer:
    """POST the body and read at most `ANSWER_BYTES` of the answer.

    Raises:
        RefusedError: the address isn't allowed; nothing was sent.
        FailedError: no answer in time, none at all, or none that is HTTP.
    """
    scheme, host, port, path = check_url(url, allowed)
    address = _resolve(host, port, allowed)
    try:
        sock = socket.create_connection((address, port), timeout=SECONDS)
    except OSError as error:
        raise FailedError(f"no connection: {error.strerror or type(error).__name__}") from error
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:  # it ended by itself
            return

    # a time-out of the socket's counts from each byte on; one that drips must end, too
    timer = threading.Timer(SECONDS, hang_up)
    timer.daemon = True
    timer.start()
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        if scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        connection.sock = sock
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        text = answer.read(ANSWER_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = f"no answer within {SECONDS:g} s" if late.is_set() else _words(error)
        raise FailedError(why) from error
    else:
        if late.is_set():
            raise FailedError(f"no answer within {SECONDS:g} s")
        return Answer(answer.status, text.decode("utf-8", "replace"))
    finally:
        timer.cancel()
        connection.close()
        sock.close()


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:g} s"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"[:200]
    if isinstance(error, http.client.HTTPException):
        return f"the answer is not HTTP ({type(error).__name__})"
    return f"the connection broke: {error}"[:200]
