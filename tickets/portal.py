"""The portal: how a contact comes in and goes out, and what they do there to a ticket of theirs.

A contact is no member of staff: they prove their mailbox by a key out of a letter, and have a
session and a cookie of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.db import transaction
from django.utils.translation import gettext as _

from tickets import gathering, intake, locking, portalkeys, timeline, verifying
from tickets.errors import Refused
from tickets.intake import Incoming
from tickets.models import Contact, Message, PortalSession, RequiredDetail, Ticket
from tickets.models.portal import KeyPurpose
from tickets.models.ticket import Status

KEY_LIFETIME = timedelta(minutes=30)
SESSION_LIFETIME = timedelta(days=14)
LINKS_AT_MOST = 3
LINKS_WITHIN = timedelta(hours=1)
ASKS_AGAIN_AFTER = timedelta(hours=24)
"""A customer may ask to escalate a ticket once in so long a time."""


@transaction.atomic
def send_link(*, address: str, now: datetime) -> None:
    """Send the contact with this address a link to sign in; nobody learns whether there is one."""
    contact = Contact.objects.filter(email__iexact=address).select_for_update(no_key=True).first()
    if contact is None:
        return
    portalkeys.send(
        contact=contact,
        purpose=KeyPurpose.SIGN_IN,
        template="portal_sign_in",
        variables={"until": portalkeys.until(now, KEY_LIFETIME)},
        about=None,
        lifetime=KEY_LIFETIME,
        at_most=LINKS_AT_MOST,
        within=LINKS_WITHIN,
        now=now,
    )


def link_for(*, contact: Contact, now: datetime) -> str:
    """A link to sign in without a letter, such as for the demo's Dana."""
    return portalkeys.hand_out(
        contact=contact, purpose=KeyPurpose.SIGN_IN, lifetime=KEY_LIFETIME, now=now
    )


@transaction.atomic
def sign_in(*, key: str, now: datetime) -> str | None:
    """Begin a session with a key, which is used up; the session's secret, for the cookie.

    None for a key that is old, used, or none of ours.
    """
    contact = portalkeys.use(key=key, purpose=KeyPurpose.SIGN_IN, now=now)
    if contact is None:
        return None
    verifying.prove(contact=contact, now=now)
    secret = token_urlsafe(32)
    PortalSession.objects.filter(contact=contact, expires_at__lte=now).delete()
    PortalSession.objects.create(
        contact=contact,
        digest=portalkeys.digest(secret),
        created_at=now,
        expires_at=now + SESSION_LIFETIME,
    )
    return secret


def signed_in(*, secret: str, now: datetime) -> Contact | None:
    """Whose session this is, if it goes on."""
    session = (
        PortalSession.objects.filter(digest=portalkeys.digest(secret), expires_at__gt=now)
        .select_related("contact__organization")
        .first()
    )
    return session.contact if session else None


def sign_out(*, secret: str) -> None:
    PortalSession.objects.filter(digest=portalkeys.digest(secret)).delete()


def sign_out_everywhere(*, contact: Contact) -> None:
    """End all sessions of a contact, in every browser."""
    PortalSession.objects.filter(contact=contact).delete()


@transaction.atomic
def add_details(
    *,
    ticket_id: int,
    required: Mapping[str, RequiredDetail],
    values: Mapping[str, str],
    contact: Contact,
    incoming: Incoming,
    now: datetime,
) -> Message:
    """Take in details the customer was asked for, as a message that also keeps them.

    ``required`` are the details that may be given, by key. Raises ``Refused`` where none is.
    """
    locking.lock(ticket_id)
    given = {key: value.strip() for key, value in values.items() if value.strip()}
    given = {key: value for key, value in given.items() if key in required}
    if not given:
        raise Refused(_("Fill in at least one of them."))
    message = intake.append_message(
        ticket_id=ticket_id, contact=contact, incoming=incoming, now=now
    )
    gathering.give(ticket=message.ticket, message=message, values=given, now=now)
    return message


@transaction.atomic
def ask_to_escalate(
    *, ticket_id: int, contact: Contact, incoming: Incoming, now: datetime
) -> Message:
    """Ask for a ticket to be escalated, with the reason as a message; what follows is policy.

    Raises ``Refused`` for a ticket that is over, and within a day of the last time.
    """
    ticket = locking.lock(ticket_id)
    locking.must_be_open(ticket)
    last = ticket.asked_to_escalate_at
    if last is not None and now - last < ASKS_AGAIN_AFTER:
        raise Refused(_("You have asked within the last day; we are on it."), field="reason")
    message = intake.append_message(
        ticket_id=ticket_id, contact=contact, incoming=incoming, now=now
    )
    Ticket.objects.filter(pk=ticket_id).update(asked_to_escalate_at=now)
    timeline.record(
        ticket=ticket,
        kind="escalation_asked",
        now=now,
        contact=contact,
        data={"message": message.pk},
    )
    return message


@transaction.atomic
def reopen(*, ticket_id: int, contact: Contact, incoming: Incoming, now: datetime) -> Message:
    """Open a resolved ticket again, with the reason as a message, also where it reads like thanks.

    Raises ``Refused`` for one that is open, closed, or resolved too long ago.
    """
    ticket = locking.lock(ticket_id)
    if ticket.status != Status.RESOLVED:
        raise Refused(_("%(ref)s is not waiting for your word.") % {"ref": ticket.reference})
    if ticket.reopen_until is not None and now > ticket.reopen_until:
        raise Refused(_("It is too late to reopen it; write to us, and it becomes a new ticket."))
    message = intake.append_message(
        ticket_id=ticket_id, contact=contact, incoming=incoming, now=now
    )
    ticket = locking.lock(ticket_id)
    if ticket.is_ended:
        intake.wake(ticket=ticket, message=message, contact=contact, now=now)
    return message


@transaction.atomic
def mute(*, ticket_id: int, muted: bool, contact: Contact, now: datetime) -> None:
    """Have the letters of a ticket reduced to the essential ones, or all of them again."""
    ticket = locking.lock(ticket_id)
    if ticket.muted == muted:
        return
    Ticket.objects.filter(pk=ticket_id).update(muted=muted)
    timeline.record(ticket=ticket, kind="muted" if muted else "unmuted", now=now, contact=contact)


def speak(*, contact: Contact, language: str) -> None:
    """Have pages and letters in another language from now on."""
    Contact.objects.filter(pk=contact.pk).update(language=language)
