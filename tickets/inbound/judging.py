"""What is to become of a mail that could be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings

from notifications.identity import read_message_id, read_reply_address
from notifications.models import OutgoingEmail
from tickets.inbound.automatic import why_automatic
from tickets.inbound.contacts import contact_for, known_alone
from tickets.inbound.parsed import ParsedMail
from tickets.inbound.sender import Mailbox, Verdict, mailbox_of, verdict_of
from tickets.inbound.suspicion import looks_like_a_sign_up
from tickets.inbound.threading import (
    SeveralTickets,
    Thread,
    may_write,
    thread_of,
    ticket_among,
)
from tickets.models import Contact, Ticket
from tickets.models.mailin import InboundOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to become of a mail.

    With a contact it goes to the ticket, or to a new one; else ``outcome`` is final.
    """

    outcome: InboundOutcome
    reason: str = ""
    verdict: Verdict = "none"
    contact: Contact | None = None
    ticket: Ticket | None = None
    #: The contact may not write to that ticket: what they wrote waits for an agent.
    unverified: bool = False
    automatic: bool = False
    #: It is a delivery report that returns a letter of ours.
    returns: bool = False


def decide(
    *, mail: ParsedMail, envelope_from: str | None, released: bool, now: datetime
) -> Decision:
    """Judge a mail; may make its sender's contact, and changes nothing else.

    ``released``: a person has looked at it, so nothing holds it for one.
    """
    sender = mailbox_of(mail)
    if _is_our_own(mail, sender):
        return Decision(outcome=InboundOutcome.IGNORED, reason="It is a letter of our own.")
    try:
        thread = thread_of(mail)
    except SeveralTickets as error:
        return Decision(outcome=InboundOutcome.QUARANTINED, reason=str(error))
    verdict: Verdict = (
        verdict_of(mail, sender=sender, authserv_id=settings.HELPDESK_AUTHSERV_ID)
        if sender
        else "none"
    )
    if verdict == "fail" and not released:
        return Decision(
            outcome=InboundOutcome.SUSPENDED,
            reason="Our mail server says that the sender is forged.",
            verdict=verdict,
        )
    automatic = why_automatic(mail, envelope_from=envelope_from, sender=sender)
    if mail.report is not None:
        returned = _decide_on_returned(mail)
        if returned is not None:
            return returned
    if automatic and thread is None and not released:
        return Decision(
            outcome=InboundOutcome.IGNORED, reason=f"Automatic: {automatic}.", verdict=verdict
        )
    if sender is None:
        return Decision(
            outcome=InboundOutcome.SUSPENDED, reason="It cannot be told who it is from."
        )
    if not released and looks_like_a_sign_up(mail) and known_alone(sender.address) is None:
        return Decision(
            outcome=InboundOutcome.SUSPENDED,
            reason="A stranger asks to confirm an address or an account.",
            verdict=verdict,
        )
    contact = contact_for(sender=sender, mail=mail, now=now)
    return _decide_where(thread, contact, verdict=verdict, automatic=automatic)


def _decide_where(
    thread: Thread | None, contact: Contact, *, verdict: Verdict, automatic: str
) -> Decision:
    reason = f"Automatic: {automatic}." if automatic else ""
    ticket = _ticket(thread)
    if ticket is None or thread is None:
        return Decision(
            outcome=InboundOutcome.CREATED,
            reason=reason,
            verdict=verdict,
            contact=contact,
            automatic=bool(automatic),
        )
    unverified = not may_write(contact=contact, ticket=ticket, thread=thread)
    if unverified and ticket.is_ended and not automatic:
        # Nobody looks there any more, and theirs must not be linked to somebody else's.
        return Decision(outcome=InboundOutcome.CREATED, verdict=verdict, contact=contact)
    if unverified and not reason:
        reason = f"{ticket.reference} is not theirs to write to; an agent has to accept it."
    return Decision(
        outcome=InboundOutcome.APPENDED,
        reason=reason,
        verdict=verdict,
        contact=contact,
        ticket=ticket,
        unverified=unverified,
        automatic=bool(automatic),
    )


def _decide_on_returned(mail: ParsedMail) -> Decision | None:
    """A delivery report that returns a letter of ours goes to that letter's ticket.

    It stands there as internal, in the name of the contact whom the letter did not reach. Any
    other report proves nothing.
    """
    report = mail.report
    if report is None:
        return None
    thread = ticket_among(list(report.message_ids))
    ticket = _ticket(thread)
    if ticket is None:
        return None
    addresses = OutgoingEmail.objects.filter(message_id__in=report.message_ids).values_list(
        "to_address", flat=True
    )
    address = addresses.first()
    told = known_alone(address) if address else None
    said = " ".join(filter(None, (report.action, report.status, report.recipient)))
    return Decision(
        outcome=InboundOutcome.APPENDED,
        reason=f"A delivery report for a letter of ours: {said}"[:300],
        contact=told or ticket.requester,
        ticket=ticket,
        unverified=True,
        automatic=True,
        returns=True,
    )


def _ticket(thread: Thread | None) -> Ticket | None:
    if thread is None:
        return None
    # What is asked of it here; whoever writes to it locks it, and reads it then.
    found = Ticket.objects.raw(
        "SELECT id, status, requester_id, organization_id FROM tickets_ticket WHERE id = %s",
        [thread.ticket_id],
    )
    return next(iter(found), None)


def _is_our_own(mail: ParsedMail, sender: Mailbox | None) -> bool:
    if mail.message_id and read_message_id(mail.message_id) is not None:
        return True
    if sender is None:
        return False
    address = sender.address.lower()
    ours = {
        settings.HELPDESK_SUPPORT_ADDRESS.lower(),
        parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower(),
    }
    return address in ours or read_reply_address(address) is not None
