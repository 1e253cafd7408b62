"""The one way out: HTTP to an address that somebody typed, and never to a machine inside.

A name is looked up here, every address it has must be reachable for anybody on the internet (or
stand in the operator's ``HELPDESK_OUTGOING_ALLOW``), and the connection goes to that very
address: what the name answers a moment later does not matter. No redirect is followed, no proxy
of the environment is asked, an answer is read up to a size, and all of it ends by a deadline.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Thread, Timer
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from notifications.plaintext import one_line

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a name; raises ``OSError`` where it has none."""

#: Seconds in which everything is over: looking up, connecting, sending and reading.
DEADLINE = 10.0
_RESOLVE_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
#: Of an answer nobody needs more than a line; the rest is not read.
ANSWER_BYTES = 16_384
LONGEST_URL = 500
#: Where Python's tables are kinder than we are: protocol assignments, relays, reserved ones.
_SPECIAL_4 = tuple(IPv4Network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4"))
_UNICAST_6 = IPv6Network("2000::/3")
#: Protocol assignments (Teredo among them), documentation, and 6to4, whose relay is anybody's.
_SPECIAL_6 = tuple(
    IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
#: How an IPv6-only network writes an IPv4 address (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
#: The web's own ports, and those an ordinary program may listen on: never another service's.
_LOW_PORTS = frozenset({80, 443})


class Refused(Exception):
    """We do not ask this address; the text says why to whoever typed it."""


class NoAnswer(Exception):
    """Nothing that could be understood came back in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: Mapping[str, str]
    #: Its beginning, as one line.
    said: str
    milliseconds: int


def resolve(name: str, port: int) -> Sequence[str]:
    """The addresses of a name, by the system. It also reads 2130706433 and 0x7f.1 as addresses."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Client:
    """Asks addresses outside; ``resolver`` and ``tls`` stand in for the system's own."""

    def __init__(
        self,
        *,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        self._resolver = resolver
        self._tls = tls
        self._deadline = deadline

    def check(self, url: str) -> tuple[SplitResult, list[Address]]:
        """Where a URL leads; raises ``Refused`` unless that is outside, with all its addresses."""
        parts = _parts(url)
        assert parts.hostname is not None
        addresses = [_read(each) for each in self._looked_up(parts.hostname, _port(parts))]
        if not addresses:
            raise Refused(_("“%(name)s” has no address.") % {"name": parts.hostname})
        for address in addresses:
            if not _is_open(address):
                raise Refused(
                    _("“%(name)s” leads to %(address)s, which is not outside.")
                    % {"name": parts.hostname, "address": address}
                )
        return parts, addresses

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Response:
        """Send one POST. Raises ``Refused`` and ``NoAnswer``; any status is an answer."""
        began = monotonic()
        ends = began + self._deadline
        parts, addresses = self.check(url)
        trouble: Exception | None = None
        for address in addresses:
            line = _Line(ends=ends)
            try:
                try:
                    line.connect(address, _port(parts))
                except OSError as error:
                    # Nothing was sent: the next address may be there.
                    trouble = error
                    continue
                if parts.scheme == "https":
                    line.seal(self._tls or _trusting(), str(parts.hostname).rstrip("."))
                return line.ask(parts, body, headers, began=began)
            except (HTTPException, OSError, ValueError, AttributeError) as error:
                raise NoAnswer(self._why(error, began)) from error
            finally:
                line.close()
        raise NoAnswer(self._why(trouble, began)) from trouble

    def _why(self, error: Exception | None, began: float) -> str:
        if error is None or monotonic() - began >= self._deadline:
            return _("no answer within %(seconds)d s") % {"seconds": self._deadline}
        return _trouble(error)

    def _looked_up(self, name: str, port: int) -> Sequence[str]:
        """Ask the resolver, which may take its time, and give up on it in ours."""
        found: list[Sequence[str]] = []
        failed: list[Exception] = []

        def ask() -> None:
            try:
                found.append(self._resolver(name, port))
            except Exception as error:  # whatever a resolver raises, the name is not known
                failed.append(error)

        asking = Thread(target=ask, daemon=True, name="resolving")
        asking.start()
        asking.join(min(_RESOLVE_SECONDS, self._deadline))
        if not found:
            raise Refused(_("The name “%(name)s” is not known.") % {"name": name})
        return found[0]


class _Line:
    """One connection, which is cut when its time is up, whatever is happening on it.

    A timeout per read would not end a handshake or an answer that drips.
    """

    def __init__(self, *, ends: float) -> None:
        self._ends = ends
        self._socket: socket.socket | None = None
        self._watch = Timer(max(ends - monotonic(), 0), self._cut)
        self._watch.daemon = True
        self._watch.start()

    def connect(self, address: Address, port: int) -> None:
        seconds = min(_CONNECT_SECONDS, max(self._ends - monotonic(), 0.01))
        self._socket = socket.create_connection((str(address), port), timeout=seconds)

    def seal(self, context: ssl.SSLContext, name: str) -> None:
        """Speak TLS with who can prove to be this name, whatever address it was."""
        assert self._socket is not None
        sealed = context.wrap_socket(
            self._socket, server_hostname=name, do_handshake_on_connect=False
        )
        self._socket = sealed
        sealed.do_handshake()

    def ask(
        self, parts: SplitResult, body: bytes, headers: Mapping[str, str], *, began: float
    ) -> Response:
        assert self._socket is not None
        self._socket.settimeout(max(self._ends - monotonic(), 0.01))
        http = HTTPConnection(str(parts.hostname))
        http.sock = self._socket
        http.request(
            "POST",
            f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}",
            body=body,
            headers={
                "Host": parts.netloc,
                "User-Agent": "helpdesk",
                "Accept-Encoding": "identity",
                "Connection": "close",
                **headers,
            },
        )
        answer = http.getresponse()
        said = answer.read(ANSWER_BYTES)
        return Response(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.getheaders()},
            said=one_line(said.decode("utf-8", "replace"), limit=500),
            milliseconds=round((monotonic() - began) * 1000),
        )

    def close(self) -> None:
        self._watch.cancel()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()

    def _cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=1)
def _trusting() -> ssl.SSLContext:
    """The system's certificates; reading them takes longer than most answers."""
    return ssl.create_default_context()


def allowed_networks() -> list[Network]:
    """What the operator lets us ask although it is inside."""
    return [ip_network(each, strict=False) for each in settings.HELPDESK_OUTGOING_ALLOW]


def _parts(url: str) -> SplitResult:
    """A URL we may ask, in its parts; raises ``Refused``."""
    schemes = ("https", "http") if settings.HELPDESK_OUTGOING_HTTP else ("https",)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused(_("This is not a web address.")) from None
    if len(url) > LONGEST_URL or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise Refused(_("This is not a web address."))
    if parts.scheme not in schemes:
        raise Refused(_("The address must begin with %(scheme)s://.") % {"scheme": schemes[0]})
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise Refused(_("The address needs a name, and no user or password in it."))
    if port is not None and port < 1024 and port not in _LOW_PORTS:
        raise Refused(_("Port %(port)s is another service's.") % {"port": port})
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _read(address: str) -> Address:
    try:
        return ip_address(address.partition("%")[0])
    except ValueError:
        raise Refused(_("This is not a web address.")) from None


def _is_open(address: Address) -> bool:
    """Whether anybody on the internet reaches the same machine under this address."""
    if any(address in network for network in allowed_networks()):
        return True
    if isinstance(address, IPv4Address):
        return (
            address.is_global
            and not address.is_multicast
            and not any(address in network for network in _SPECIAL_4)
        )
    if address.ipv4_mapped is not None:
        return _is_open(address.ipv4_mapped)
    if address in _NAT64:
        return _is_open(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _UNICAST_6 and not any(address in network for network in _SPECIAL_6)


def _trouble(error: Exception) -> str:
    """What went wrong, without the address that was asked: it may be a secret itself."""
    cause: BaseException = error
    while True:
        inner = cause.__cause__ or cause.__context__ or getattr(cause, "reason", None)
        if not isinstance(inner, BaseException) or inner is cause:
            break
        cause = inner
    if isinstance(cause, ssl.SSLCertVerificationError):
        return one_line(_("its certificate is not valid: %s") % cause.verify_message, limit=300)
    if isinstance(cause, TimeoutError):
        return _("it took too long")
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else ""
    return one_line(said or type(cause).__name__, limit=300)
