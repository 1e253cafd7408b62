"""The phone: who called, and what they said, as it was written down by who took the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.utils.translation import gettext as _

from notifications.plaintext import one_line
from staff.models import User
from tickets import intake, locking, timeline, triage
from tickets.errors import Refused
from tickets.inbound.contacts import known_contact, organization_at
from tickets.intake import Incoming
from tickets.models import Category, Contact, Message, Organization, Ticket
from tickets.models.ticket import Channel

FOUND_AT_MOST = 10
DIGITS_AT_LEAST = 4
"""Of a phone number: fewer find too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who calls for the first time; letters go to their address."""

    name: str
    email: str
    phone: str = ""
    language: str = "en"
    customer_id: str = ""


def contacts_for(user: User) -> QuerySet[Contact]:
    """Whom this member of staff may find: all but those known from others' private tickets alone."""
    contacts = Contact.objects.select_related("organization__plan")
    if user.sees_every_team:
        return contacts
    own = Q(requester=OuterRef("pk"))
    return contacts.filter(
        Exists(Ticket.objects.visible_to(user).filter(own)) | ~Exists(Ticket.objects.filter(own))
    )


def find(*, words: str, user: User) -> list[Contact]:
    """Contacts by name, address, phone number or organization; one query, the likeliest first."""
    asked = words.split()[:6]
    if not asked:
        return []
    said = Q()
    for word in asked:
        said &= (
            Q(name__icontains=word)
            | Q(email__icontains=word)
            | Q(organization__name__icontains=word)
            | Q(organization__customer_id__iexact=word)
        )
    contacts = contacts_for(user)
    digits = "".join(letter for letter in words if letter.isascii() and letter.isdigit())
    if len(digits) >= DIGITS_AT_LEAST:
        contacts = contacts.annotate(
            digits=Func(
                F("phone"), Value("[^0-9]"), Value(""), Value("g"), function="REGEXP_REPLACE"
            )
        )
        # A number is dialled with or without what stands before it.
        said |= Q(digits__endswith=digits.lstrip("0"))
    return list(contacts.filter(said).order_by("name", "pk")[:FOUND_AT_MOST])


def tickets_of(*, contact: Contact, user: User) -> list[Ticket]:
    """Open tickets a call may be about: the contact's own, and their organization's."""
    theirs = Q(requester=contact)
    if contact.organization_id is not None:
        theirs |= Q(organization=contact.organization_id)
    return list(
        Ticket.objects.visible_to(user)
        .unfinished()
        .filter(theirs)
        .select_related("requester")
        .order_by("-last_message_at", "-pk")[:FOUND_AT_MOST]
    )


@transaction.atomic
def log(
    *,
    contact_id: int | None,
    caller: Caller | None,
    subject: str,
    text: str,
    category: Category | None,
    details: Mapping[str, str],
    impact: int,
    urgency: int,
    mine: bool,
    now: datetime,
    by: User,
) -> Message:
    """Open a ticket for who called, assessed by who took the call.

    Raises ``Refused`` naming the field.
    """
    contact = _contact(contact_id, caller, by, now)
    subject, text = one_line(subject, limit=intake.LONGEST_SUBJECT), text.strip()
    if not subject:
        raise Refused(_("Say in a few words what it is about."), field="subject")
    if not text:
        raise Refused(_("Write down what was said."), field="text")
    message = intake.open_ticket(
        contact=contact,
        subject=subject,
        incoming=Incoming(text=text, channel=Channel.PHONE),
        category=category,
        details=details,
        now=now,
    )
    ticket = message.ticket
    _note(ticket, message, now, by)
    triage.assess(
        ticket_id=ticket.pk,
        impact=impact,
        urgency=urgency,
        complexity=ticket.complexity,
        category_id=ticket.category_id,
        now=now,
        by=by,
    )
    if mine:
        triage.assign(ticket_id=ticket.pk, assignee_id=by.pk, now=now, by=by)
    return message


@transaction.atomic
def append(
    *, ticket_id: int, text: str, contact_id: int | None = None, now: datetime, by: User
) -> Message:
    """Put a call on a ticket, as its requester's words unless somebody else called.

    As with any word of a customer, a closed ticket is continued by a new one: the message says
    which ticket it stands on. Raises ``Refused`` naming the field.
    """
    ticket = locking.lock(ticket_id)
    text = text.strip()
    if not text:
        raise Refused(_("Write down what was said."), field="text")
    contact = ticket.requester if contact_id is None else _contact(contact_id, None, by, now)
    must_belong(contact, ticket, field="ticket")
    message = intake.append_message(
        ticket_id=ticket_id,
        contact=contact,
        incoming=Incoming(text=text, channel=Channel.PHONE),
        now=now,
    )
    _note(message.ticket, message, now, by)
    return message


def must_belong(contact: Contact, ticket: Ticket, *, field: str) -> None:
    """Raise ``Refused`` for who neither asked nor is of the organization that did."""
    if contact == ticket.requester:
        return
    if contact.organization_id is None or contact.organization_id != ticket.organization_id:
        raise Refused(
            _("%(name)s is not of the ticket's organization.") % {"name": contact}, field=field
        )


def _note(ticket: Ticket, message: Message, now: datetime, by: User) -> None:
    timeline.record(ticket=ticket, kind="call_taken", now=now, by=by, data={"message": message.pk})


def _contact(contact_id: int | None, caller: Caller | None, by: User, now: datetime) -> Contact:
    if contact_id is not None:
        found = contacts_for(by).filter(pk=contact_id).first()
        if found is None:
            raise Refused(_("Choose somebody from the list."), field="contact")
        return found
    if caller is None:
        raise Refused(_("Say who called."), field="contact")
    return contact_behind(caller=caller, now=now)


def contact_behind(*, caller: Caller, now: datetime) -> Contact:
    """The contact behind an address, made where there is none; one who is known stays as they are.

    Raises ``Refused`` for a customer ID that nobody has.
    """
    known = known_contact(caller.email)
    if known is not None:
        return known
    organization = organization_at(caller.email.rpartition("@")[2])
    if caller.customer_id.strip():
        organization = Organization.objects.filter(
            customer_id__iexact=caller.customer_id.strip()
        ).first()
        if organization is None:
            raise Refused(_("No organization has this customer ID."), field="customer_id")
    contact, _made = Contact.objects.get_or_create(
        email__iexact=caller.email,
        defaults={
            "email": caller.email,
            "name": one_line(caller.name, limit=120),
            "phone": one_line(caller.phone, limit=40),
            "organization": organization,
            "language": caller.language,
            "zone": organization.zone if organization else "UTC",
            "created_at": now,
        },
    )
    return contact
