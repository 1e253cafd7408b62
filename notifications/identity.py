"""What proves that a reply, a bounce or a visitor belongs to one of our letters.

Four kinds of token, each an HMAC-SHA256 (RFC 2104) over its own purpose, so that one can never
pass for another:

* the Message-ID of a letter, which comes back in ``In-Reply-To``, ``References`` and bounces;
* the reply address, which says which ticket and which contact a letter was written to;
* the status token, which opens a page with a ticket's stage and expected time and nothing else;
* the mailbox key, which its reader alone is sent, and whose hash alone is kept elsewhere.

``HELPDESK_MAIL_KEYS`` lists pairs of a key id (one to four of ``a-z0-9``) and a secret. The first
key signs; every key listed is still believed, so that keys rotate by putting a new one in front.
Mail systems may change the case of addresses, so tokens are base32 (RFC 4648) and read in any
case.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from secrets import token_hex
from urllib.parse import urljoin

from django.conf import settings

# A Message-ID should fit its header line of 78 characters: some mail servers mistrust a folded one.
_SEED = 10
_SHORT = 16
_LONG = 26
_WHOLE = 52
_ABOUT = re.compile(r"[a-z]{1,20}:[1-9][0-9]{0,17}")
_MESSAGE_ID = re.compile(
    rf"<?([a-z2-7]{{{_SEED}}})\.([a-z]{{1,20}}-[1-9][0-9]{{0,17}}|none)"
    rf"\.([a-z0-9]{{1,4}})-([a-z2-7]{{{_SHORT}}})@[^<>@\s]{{1,253}}>?"
)
_REPLY = re.compile(
    rf"([^@\s]{{1,40}})\+([1-9][0-9]{{0,17}})\.([1-9][0-9]{{0,17}})"
    rf"\.([a-z0-9]{{1,4}})-([a-z2-7]{{{_SHORT}}})@[^<>@\s]{{1,253}}"
)
_STATUS = re.compile(rf"([1-9][0-9]{{0,17}})\.([a-z0-9]{{1,4}})-([a-z2-7]{{{_LONG}}})")
_KEY_ID = re.compile(r"[a-z0-9]{1,4}")


def message_id(*, about: str, seed: str) -> str:
    """Give the Message-ID (RFC 5322, with its angle brackets) for one letter.

    ``about`` is what the letter is about, such as ``ticket:17``, or empty; ``seed`` names the
    letter (its dedupe key), and the same seed gives the same Message-ID as long as the signing
    key stays. Raises ``ValueError`` for an ``about`` of any other shape.
    """
    if about and not _ABOUT.fullmatch(about):
        raise ValueError(f"Not something a letter can be about: {about!r}")
    key_id, secret = _signing_key()
    subject = about.replace(":", "-") or "none"
    token = _mac(secret, "seed", f"{subject}.{seed}", length=_SEED)
    signature = _mac(secret, "message-id", f"{token}.{subject}", length=_SHORT)
    return f"<{token}.{subject}.{key_id}-{signature}@{settings.HELPDESK_MAIL_DOMAIN}>"


def read_message_id(value: str) -> str | None:
    """Tell what the letter under this Message-ID was about, or None if we did not sign it.

    A letter about nothing in particular gives an empty string. The domain is not compared: it
    may have been renamed since, and the signature is the proof.
    """
    found = _MESSAGE_ID.fullmatch(value.strip().lower())
    if found is None:
        return None
    token, subject, key_id, signature = found.groups()
    if not _proves("message-id", f"{token}.{subject}", key_id, signature, length=_SHORT):
        return None
    return "" if subject == "none" else subject.replace("-", ":")


def reply_address(*, ticket_number: int, contact_id: int) -> str:
    """Give the address at which this contact's answers reach this ticket."""
    key_id, secret = _signing_key()
    signature = _mac(secret, "reply", f"{ticket_number}.{contact_id}", length=_SHORT)
    local_part = f"{_reply_name()}+{ticket_number}.{contact_id}.{key_id}-{signature}"
    return f"{local_part}@{settings.HELPDESK_MAIL_DOMAIN}"


def read_reply_address(value: str) -> tuple[int, int] | None:
    """Tell (ticket number, contact id) of a bare reply address, or None if we did not sign it."""
    found = _REPLY.fullmatch(value.strip().lower())
    if found is None or found[1] != _reply_name().lower():
        return None
    _name, ticket_number, contact_id, key_id, signature = found.groups()
    if not _proves("reply", f"{ticket_number}.{contact_id}", key_id, signature, length=_SHORT):
        return None
    return int(ticket_number), int(contact_id)


def status_token(ticket_number: int) -> str:
    """Give the token (128 bits) that opens the status page of a ticket."""
    key_id, secret = _signing_key()
    return f"{ticket_number}.{key_id}-{_mac(secret, 'status', str(ticket_number), length=_LONG)}"


def read_status_token(value: str) -> int | None:
    """Tell the number of the ticket whose status this token opens, or None if it is not ours."""
    found = _STATUS.fullmatch(value.lower())
    if found is None:
        return None
    number, key_id, signature = found.groups()
    return int(number) if _proves("status", number, key_id, signature, length=_LONG) else None


def status_url(ticket_number: int) -> str:
    """Give the absolute address of a ticket's status page, for letters."""
    return urljoin(f"{settings.HELPDESK_BASE_URL}/", f"s/{status_token(ticket_number)}/")


def new_nonce() -> tuple[str, str]:
    """Give what a new mailbox key is made from: a random nonce, and the id of the signing key."""
    key_id, _secret = _signing_key()
    return token_hex(16), key_id


def mailbox_key(nonce: str, key_id: str) -> str:
    """Give the key (256 bits) that goes to one mailbox, from its nonce and our secret.

    So the outbox keeps the nonce, which opens nothing, and the key itself stands nowhere but in
    the letter. Empty if the signing key is not listed any more.
    """
    secret = dict(settings.HELPDESK_MAIL_KEYS).get(key_id)
    return _mac(secret, "mailbox", nonce, length=_WHOLE) if secret is not None else ""


def mailbox_url(path: str, key: str) -> str:
    """Give the absolute address of a page that a mailbox key opens; ``path`` ends in a slash."""
    return urljoin(f"{settings.HELPDESK_BASE_URL}/", f"{path}{key}/")


def _reply_name() -> str:
    name: str = settings.HELPDESK_REPLY_LOCALPART
    return name


def _signing_key() -> tuple[str, str]:
    for key_id, secret in settings.HELPDESK_MAIL_KEYS:
        if not _KEY_ID.fullmatch(key_id):
            raise ValueError(f"A mail key id has one to four of a-z and 0-9, not {key_id!r}")
        return key_id, secret
    raise ValueError("HELPDESK_MAIL_KEYS is empty: letters cannot be signed.")


def _proves(purpose: str, text: str, key_id: str, signature: str, *, length: int) -> bool:
    secret = dict(settings.HELPDESK_MAIL_KEYS).get(key_id)
    if secret is None:
        return False
    return hmac.compare_digest(_mac(secret, purpose, text, length=length), signature)


def _mac(secret: str, purpose: str, text: str, *, length: int) -> str:
    """Sign a text: ``length`` base32 characters of five bits each."""
    digest = hmac.new(secret.encode(), f"{purpose}\0{text}".encode(), hashlib.sha256).digest()
    # No more of it than is shown: eight characters take five bytes.
    return b32encode(digest[: (length + 7) // 8 * 5]).decode().lower()[:length]
