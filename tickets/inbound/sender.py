"""Who a mail says it is from, and what our own mail server says of that. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email import policy
from email.errors import HeaderParseError
from email.utils import getaddresses, parseaddr
from typing import Literal

from tickets.inbound.decoding import header_text, one_line
from tickets.inbound.parsed import ParsedMail

Verdict = Literal["pass", "fail", "none"]

_LONGEST = 1_000
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,10}[A-Za-z0-9-]{2,63}"
)
_COMMENT = re.compile(r"\([^()]*\)")
_QUOTED = re.compile(r'"[^"]*"')
_RESULT = re.compile(r"^([a-z0-9-]{1,40})(?:/[0-9.]{1,5})?\s{0,9}=\s{0,9}([a-z]{1,20})\b")
_PROPERTY = re.compile(
    r"\b(header\.d|header\.i|header\.from|smtp\.mailfrom)\s{0,9}=\s{0,9}(\S{1,300})"
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, with its domain in lower case, and the name beside it."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def mailbox_of(mail: ParsedMail) -> Mailbox | None:
    """The one mailbox a mail is from, or None where that cannot be told.

    There must be one From field with one mailbox, and both parsers of the standard library must
    see the same address in it: they and mail clients disagree about crafted fields, and what
    each makes of them is how senders are impersonated.
    """
    fields = mail.headers.get("from", ())
    if len(fields) != 1 or len(fields[0]) > _LONGEST:
        return None
    field = fields[0]
    try:
        simple = getaddresses([field])
        strict = policy.default.header_factory("From", field).addresses
    except (HeaderParseError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None  # the parsers meet what they were not made for
    if len(simple) != 1 or not _ADDRESS.fullmatch(simple[0][1]):
        return None
    if len(strict) != 1 or strict[0].addr_spec != simple[0][1]:
        return None
    name = one_line(header_text(strict[0].display_name))
    address = simple[0][1]
    if parseaddr(f'"{name.translate(_NOT_IN_QUOTES)}" <{address}>')[1] != address:
        return None
    local_part, _at, domain = address.rpartition("@")
    return Mailbox(name=name[:120], address=f"{local_part}@{domain.lower()}")


_NOT_IN_QUOTES = str.maketrans({'"': None, "\\": None})


def verdict_of(mail: ParsedMail, *, sender: Mailbox, authserv_id: str) -> Verdict:
    """What the receiving mail server found out about the sender (RFC 8601).

    Believed is only the top-most Authentication-Results of our own server, since anybody can
    write such a field into a mail. DMARC decides where it was asked; else DKIM or SPF for the
    very domain the mail is from, and SPF's "fail" alone.
    """
    if not authserv_id:
        return "none"
    for value in mail.headers.get("authentication-results", ()):
        server, methods = _read_results(value)
        if server == authserv_id.lower():
            return _judge(methods, sender.domain)
    return "none"


@dataclass(frozen=True, slots=True)
class _Method:
    name: str
    result: str
    domains: frozenset[str]


def _read_results(value: str) -> tuple[str, list[_Method]]:
    """The server's name, and what each method found."""
    plain = _QUOTED.sub("", value.lower())
    for _depth in range(5):  # comments nest
        shorter = _COMMENT.sub(" ", plain)
        if shorter == plain:
            break
        plain = shorter
    first, *others = plain.split(";")
    methods = []
    for other in others[:50]:
        other = other.strip()
        found = _RESULT.match(other)
        if found:
            domains = {
                domain.rstrip(",").rpartition("@")[2] for _name, domain in _PROPERTY.findall(other)
            }
            methods.append(_Method(found[1], found[2], frozenset(domains)))
    words = first.split()
    return (words[0] if words else ""), methods


def _judge(methods: Sequence[_Method], domain: str) -> Verdict:
    if "fail" in _results(methods, "dmarc"):
        return "fail"
    for method in methods:
        if method.result != "pass":
            continue
        # Some servers do not say about which domain DMARC was asked: it is always that in From.
        if method.name == "dmarc" and (not method.domains or domain in method.domains):
            return "pass"
        if method.name in ("dkim", "spf") and any(_aligned(d, domain) for d in method.domains):
            return "pass"
    return "fail" if "fail" in _results(methods, "spf") else "none"


def _results(methods: Iterable[_Method], name: str) -> set[str]:
    return {method.result for method in methods if method.name == name}


def _aligned(one: str, other: str) -> bool:
    """Whether one domain is the other or lies in it."""
    if not one or not other or "." not in one or "." not in other:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
