"""A program speaks for a customer: what it hands over becomes a ticket, or a message on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from notifications.plaintext import one_line
from staff.models import User
from tickets import calls, intake, locking
from tickets.attachments import IncomingFile
from tickets.errors import Refused
from tickets.intake import Incoming
from tickets.models import Category, Contact, Message
from tickets.models.ticket import Channel


def open_ticket(
    *,
    contact: Contact,
    subject: str,
    text: str,
    category: Category | None,
    details: Mapping[str, str],
    customer_reference: str,
    tags: Sequence[str],
    attachments: Sequence[IncomingFile],
    now: datetime,
    by: User,
) -> Message:
    """Open a ticket for a contact; ``by`` answers for the program.

    Raises ``Refused`` naming the field.
    """
    subject = one_line(subject, limit=intake.LONGEST_SUBJECT)
    if not subject:
        raise Refused(_("Say in a few words what it is about."), field="subject")
    return intake.open_ticket(
        contact=contact,
        subject=subject,
        incoming=_incoming(text, attachments),
        category=category,
        details=details,
        customer_reference=customer_reference,
        tags=tags,
        now=now,
        by=by,
    )


@transaction.atomic
def say(
    *,
    ticket_id: int,
    contact: Contact,
    text: str,
    attachments: Sequence[IncomingFile],
    now: datetime,
    by: User,
) -> Message:
    """Put what a contact said on a ticket of theirs, or of their organization.

    As with any word of a customer, a closed ticket is continued by a new one: the message says
    which ticket it stands on. Raises ``Refused`` naming the field.
    """
    calls.must_belong(contact, locking.lock(ticket_id), field="contact")
    return intake.append_message(
        ticket_id=ticket_id,
        contact=contact,
        incoming=_incoming(text, attachments),
        now=now,
        by=by,
    )


def _incoming(text: str, attachments: Sequence[IncomingFile]) -> Incoming:
    if not text.strip():
        raise Refused(_("Write something."), field="text")
    return Incoming(text=text.strip(), channel=Channel.API, attachments=attachments)
