"""Verifying an address: until it is proven that who wrote reads that mailbox, letters wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from notifications import outbox
from notifications.models import OutgoingEmail
from notifications.values import Value
from tickets import portalkeys, timeline
from tickets.models import Contact, Ticket
from tickets.models.portal import KeyPurpose
from tickets.models.ticket import Channel, Status

#: A letter of verification may lie unread over a holiday.
LIFETIME = timedelta(days=14)
AT_MOST = 3
"""So many of these letters an hour go to one address, however many write in its name."""
WITHIN = timedelta(hours=1)

#: Letters of the engine's, whose truth hangs on a time they name.
_TIMED = ("escalated", "accepted", "update", "new_expected_time")


def hold(*, contact: Contact) -> None:
    """Whoever proves this address meanwhile waits until the transaction ends.

    The contact before their tickets, as ``prove`` takes them: a ticket that is opened holds its
    contact for the search, and who holds one of their tickets by then would wait in a circle.
    """
    if contact.verified_at is None:
        Contact.objects.select_for_update(no_key=True).only("pk").get(pk=contact.pk)


@transaction.atomic
def ask(*, ticket: Ticket, now: datetime) -> bool:
    """Send the requester of a new ticket the letter of verification; whether one goes.

    Nothing that was written to us stands in it. None goes to an address that is verified, or
    that got three within the hour.
    """
    # Held, if it was not verified: see ``hold``.
    contact = Contact.objects.get(pk=ticket.requester_id)
    if contact.verified_at is not None:
        return False
    return portalkeys.send(
        contact=contact,
        purpose=KeyPurpose.VERIFY,
        template="verify_address",
        variables={"ref": ticket.reference},
        about=ticket,
        lifetime=LIFETIME,
        at_most=AT_MOST,
        within=WITHIN,
        now=now,
    )


@transaction.atomic
def confirm(*, key: str, now: datetime) -> Contact | None:
    """Verify the address that a key was sent to; None for a key that opens nothing (any more)."""
    contact = portalkeys.use(key=key, purpose=KeyPurpose.VERIFY, now=now)
    if contact is not None:
        prove(contact=contact, now=now)
    return contact


@transaction.atomic
def prove(*, contact: Contact, now: datetime) -> None:
    """It is proven that this contact reads their mailbox: letters that waited go, if still true."""
    if contact.verified_at is not None:
        return
    # The contact before their tickets: a web form that is being taken in ends first, or sees it.
    locked = Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
    contact.verified_at = locked.verified_at or now
    # Before their tickets: who holds one of a verified contact's may be about to open another.
    if locked.verified_at is not None:
        return
    # And all of their tickets: whoever queues a letter meanwhile has ended, or sees it.
    tickets = list(
        Ticket.objects.filter(requester=contact, channel=Channel.WEB)
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
    Contact.objects.filter(pk=contact.pk).update(verified_at=now)
    true, untrue = _sorted(tickets, now)
    outbox.release(mails=[mail.pk for mail in true], now=now)
    outbox.withdraw(
        about={mail.about for mail in untrue},
        keys_starting=[mail.dedupe_key for mail in untrue],
        now=now,
    )
    timeline.record_many(
        entries=[
            timeline.Entry(
                ticket_id=ticket.pk, kind="address_verified", at=now, contact_id=contact.pk
            )
            for ticket in tickets
            # To what is closed nothing happens any more.
            if ticket.status != Status.CLOSED
        ]
    )


def _sorted(
    tickets: Sequence[Ticket], now: datetime
) -> tuple[list[OutgoingEmail], list[OutgoingEmail]]:
    """The letters that waited for an address: those that still hold, and those that do not."""
    by_about = {ticket.about: ticket for ticket in tickets}
    waiting = list(OutgoingEmail.objects.about(list(by_about)).withheld().order_by("pk"))
    newest_time = {mail.about: mail.pk for mail in waiting if mail.kind == "new_expected_time"}
    true: list[OutgoingEmail] = []
    untrue: list[OutgoingEmail] = []
    for mail in waiting:
        replaced = mail.kind in _TIMED and mail.pk < newest_time.get(mail.about, 0)
        holds = not replaced and _holds(mail, by_about[mail.about], now)
        (true if holds else untrue).append(mail)
    return true, untrue


def _holds(mail: OutgoingEmail, ticket: Ticket, now: datetime) -> bool:
    if mail.kind == "received":
        return ticket.first_responded_at is None and not ticket.is_ended and _is_to_come(mail, now)
    if mail.kind in _TIMED:
        return ticket.held and _is_to_come(mail, now)
    if mail.kind == "detail_needed":
        return ticket.status == Status.WAITING
    if mail.kind in ("resolved", "closed"):
        return ticket.status == mail.kind
    return True  # a person's own words


def _is_to_come(mail: OutgoingEmail, now: datetime) -> bool:
    """Whether the time a letter names has not passed."""
    told: Value = mail.variables.get("new_due", mail.variables.get("due"))
    if not isinstance(told, dict) or "moment" not in told:
        return True
    return datetime.fromisoformat(told["moment"]) > now
