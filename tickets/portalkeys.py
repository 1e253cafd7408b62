"""Keys that go to one mailbox and open one door once: made, sent in a letter, used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from django.db.models.functions import Lower

from notifications import identity, outbox
from notifications.models import OutgoingEmail
from notifications.outbox import Letter
from notifications.values import Value, key_link, moment
from tickets.models import Contact, PortalKey, Ticket
from tickets.models.portal import KeyPurpose

#: Where each kind of key is to be shown, below the base address.
PATHS: Mapping[str, str] = {KeyPurpose.SIGN_IN: "portal/in/", KeyPurpose.VERIFY: "new/confirm/"}


def digest(key: str) -> bytes:
    """What is kept of a key or of a session's cookie."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def send(
    *,
    contact: Contact,
    purpose: KeyPurpose,
    template: str,
    variables: Mapping[str, Value],
    about: Ticket | None,
    lifetime: timedelta,
    at_most: int,
    within: timedelta,
    now: datetime,
) -> bool:
    """Send a contact, whose row is locked, a letter with a new key; whether one goes.

    None goes where their address got ``at_most`` letters of this kind lately: whoever fills in
    forms with other people's addresses must not fill their mailboxes.
    """
    recent = OutgoingEmail.objects.annotate(reader=Lower("to_address")).filter(
        reader=contact.email.lower(), kind=template, queued_at__gt=now - within
    )
    if recent.count() >= at_most:
        return False
    nonce, key_id = _make(contact=contact, purpose=purpose, lifetime=lifetime, now=now)
    seed = f"key:{nonce}"
    outbox.queue(
        letters=[
            Letter(
                dedupe_key=seed,
                template=template,
                to_address=contact.email,
                # A name that somebody typed into a form is theirs, not the reader's.
                to_name="",
                language=contact.language,
                zone=contact.zone,
                about=about.about if about else "",
                variables={
                    **variables,
                    "key_link": key_link(path=PATHS[purpose], nonce=nonce, key_id=key_id),
                },
                message_id=identity.message_id(about=about.about if about else "", seed=seed),
                reply_to=identity.reply_address(ticket_number=about.pk, contact_id=contact.pk)
                if about
                else "",
            )
        ],
        now=now,
    )
    return True


def hand_out(*, contact: Contact, purpose: KeyPurpose, lifetime: timedelta, now: datetime) -> str:
    """Make a key and give its address, for who may have it without a letter."""
    nonce, key_id = _make(contact=contact, purpose=purpose, lifetime=lifetime, now=now)
    return identity.mailbox_url(PATHS[purpose], identity.mailbox_key(nonce, key_id))


def is_good(*, key: str, purpose: KeyPurpose, now: datetime) -> bool:
    """Whether a key opens its door now; looking does not use it up."""
    return PortalKey.objects.filter(
        digest=digest(key), purpose=purpose, used_at=None, expires_at__gt=now
    ).exists()


def use(*, key: str, purpose: KeyPurpose, now: datetime) -> Contact | None:
    """Use a key up; its contact, or None where it is old, used, or none of ours.

    Of two who use one at the same moment, one is let in.
    """
    found = PortalKey.objects.filter(digest=digest(key), purpose=purpose)
    if not found.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        return None
    return found.select_related("contact").get().contact


def _make(
    *, contact: Contact, purpose: KeyPurpose, lifetime: timedelta, now: datetime
) -> tuple[str, str]:
    nonce, key_id = identity.new_nonce()
    PortalKey.objects.create(
        contact=contact,
        purpose=purpose,
        digest=digest(identity.mailbox_key(nonce, key_id)),
        created_at=now,
        expires_at=now + lifetime,
    )
    return nonce, key_id


def until(now: datetime, lifetime: timedelta) -> Value:
    """When a key expires, as its letter tells."""
    return moment(now + lifetime)
