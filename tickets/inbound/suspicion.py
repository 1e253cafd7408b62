"""Mail that waits for a person before it may touch a ticket. Pure.

A sign-up or verification mail to a support address is somebody proving that the address is
theirs: whoever can read the ticket would own the account.
"""

from __future__ import annotations

import re

from tickets.inbound.parsed import ParsedMail

_SUBJECT = re.compile(
    r"\b(?:"
    r"(?:verify|confirm|validate|activate)\s+(?:your|this|the)\s+(?:\w+\s+){0,2}"
    r"(?:e-?mail|address|account|identity|registration|sign-?up)"
    r"|(?:e-?mail|account|address)\s+(?:verification|confirmation|activation)"
    r"|(?:verification|confirmation|security|sign-?in|log-?in|one-time)\s+(?:code|link|pin|password)"
    r"|(?:reset|set)\s+your\s+(?:\w+\s+){0,2}password|password\s+reset"
    r"|magic\s+link|invited\s+you\s+to\s+join|complete\s+your\s+(?:registration|sign-?up)"
    r"|(?:bestätige|bestätigen\s+sie|verifiziere|verifizieren\s+sie)\s+(?:\w+\s+){0,3}"
    r"(?:e-?mail|konto|adresse|registrierung)"
    r"|(?:bestätigungs|verifizierungs|sicherheits|anmelde)(?:code|link)"
    r"|passwort\s+zurück"
    r")",
    re.IGNORECASE,
)


def looks_like_a_sign_up(mail: ParsedMail) -> bool:
    """Whether somebody is being asked to prove that an address or an account is theirs."""
    return bool(_SUBJECT.search(mail.subject) or _SUBJECT.search(mail.text[:2_000]))
