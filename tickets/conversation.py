"""What staff write on a ticket: replies to the customer, and notes among themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from notifications import identity, outbox
from notifications.outbox import Letter
from staff.models import User
from tickets import intake, locking, timeline, triage
from tickets.addressing import Addressing, addressing_many
from tickets.errors import Refused
from tickets.models import Message, Ticket
from tickets.models.ticket import Channel, MessageKind, Status

UNDO = timedelta(seconds=10)
"""A reply leaves so much later, for who presses the key too soon."""


@transaction.atomic
def reply(*, ticket_id: int, text: str, status: str, now: datetime, by: User) -> Message:
    """Answer the customer by mail, and bring the ticket into the status that follows.

    Whoever answers a ticket that is nobody's becomes its assignee. Raises ``Refused`` naming
    the field, and for a ticket that is over.
    """
    ticket = locking.lock(ticket_id)
    locking.must_be_open(ticket)
    if status not in triage.BY_HAND:
        raise Refused(_("Choose open, waiting on customer or on hold."), field="status")
    if ticket.assignee_id is None:
        triage.take(ticket=ticket, assignee=by, now=now, by=by)
    message = public_word(ticket=ticket, text=text, now=now, by=by)
    letter = _letter(message, addressing_many(tickets=[ticket])[ticket.pk], by, now)
    [message.email] = outbox.queue(letters=[letter], now=now)
    message.save(update_fields=("email",))
    triage.change_status(ticket=ticket, to=Status(status), now=now, by=by)
    return message


def public_word(*, ticket: Ticket, text: str, now: datetime, by: User) -> Message:
    """A person's word to the customer, on a locked ticket; how it is sent is the caller's.

    It is a response, an update, and the answer to whatever the customer waited for.
    """
    text = text.strip()
    if not text:
        raise Refused(_("Write something."), field="text")
    message = Message.objects.create(
        ticket=ticket,
        kind=MessageKind.REPLY,
        channel=Channel.DESK,
        user=by,
        text=text,
        created_at=now,
    )
    ticket.first_responded_at = ticket.first_responded_at or now
    ticket.last_public_update_at = ticket.last_message_at = now
    ticket.waiting_since = None
    ticket.save(
        update_fields=(
            "first_responded_at",
            "last_public_update_at",
            "last_message_at",
            "waiting_since",
        )
    )
    timeline.record(ticket=ticket, kind="replied", now=now, by=by, data={"message": message.pk})
    if ticket.status == Status.NEW:
        triage.change_status(ticket=ticket, to=Status.OPEN, now=now, by=by)
    return message


@transaction.atomic
def note(*, ticket_id: int, text: str, now: datetime, by: User) -> Message:
    """Write something that only staff see; a ticket that is over takes notes, too."""
    ticket = locking.lock(ticket_id)
    text = text.strip()
    if not text:
        raise Refused(_("Write something."), field="text")
    message = Message.objects.create(
        ticket=ticket,
        kind=MessageKind.NOTE,
        channel=Channel.DESK,
        user=by,
        text=text,
        internal=True,
        created_at=now,
    )
    Ticket.objects.filter(pk=ticket.pk).update(last_message_at=now)
    timeline.record(ticket=ticket, kind="noted", now=now, by=by, data={"message": message.pk})
    return message


@transaction.atomic
def accept_message(*, message_id: int, now: datetime, by: User) -> Message:
    """Let in what an unverified sender wrote: from now on they may write on this ticket.

    It then does what any message of a customer does; on a closed ticket it only stands there.

    Raises ``Message.DoesNotExist``; ``Refused`` where there is nothing to accept.
    """
    ticket_id = Message.objects.values_list("ticket", flat=True).get(pk=message_id)
    ticket = locking.lock(ticket_id)
    message = Message.objects.select_related("contact").get(pk=message_id)
    if not message.unverified or message.automatic or message.contact is None:
        raise Refused(_("There is nothing to accept about this message."))
    message.unverified = message.internal = False
    message.save(update_fields=("unverified", "internal"))
    timeline.record(
        ticket=ticket, kind="message_accepted", now=now, by=by, data={"message": message.pk}
    )
    if not message.thanks and not intake.is_past_reopening(ticket, now):
        intake.wake(ticket=ticket, message=message, contact=message.contact, now=now)
    return message


def _letter(message: Message, to: Addressing, by: User, now: datetime) -> Letter:
    ticket = message.ticket
    key = f"{ticket.reference}:reply:{message.pk}"
    return Letter(
        dedupe_key=key,
        template="reply",
        to_address=to.to_address,
        to_name=to.to_name,
        language=to.language,
        zone=to.zone,
        about=ticket.about,
        variables={
            "name": to.first_name,
            "ref": to.ref,
            "link": to.link,
            "agent": by.name,
            "body": message.text,
            "signature": by.signature or by.name,
        },
        message_id=identity.message_id(about=ticket.about, seed=key),
        reply_to=to.reply_to,
        in_reply_to=to.in_reply_to,
        references=to.references,
        thread_subject=to.thread_subject,
        withheld=to.withheld,
        automatic=False,
        not_before=now + UNDO,
    )
