"""Putting a mail that was judged on its ticket."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from tickets import intake
from tickets.inbound.judging import Decision
from tickets.inbound.parsed import ParsedMail
from tickets.intake import Incoming
from tickets.models import Message
from tickets.models.ticket import Channel


def file_mail(*, decision: Decision, mail: ParsedMail, now: datetime) -> Message | None:
    """Open a ticket or append to one, as was decided; None where nothing is to be filed."""
    contact = decision.contact
    if contact is None:
        return None
    # What is only quoted is better than nothing, and nothing must be said to be so.
    text = mail.text or mail.quoted
    if not text:
        text = _("(no text)") if not mail.attachments else _("(no text, only files)")
    incoming = Incoming(
        text=text,
        quoted=mail.quoted if mail.text else "",
        has_html=mail.has_html,
        channel=Channel.MAIL,
        attachments=mail.attachments,
        message_id=mail.message_id,
        sender_verdict=decision.verdict,
        automatic=decision.automatic,
    )
    if decision.ticket is None:
        return intake.open_ticket(
            contact=contact,
            subject=mail.subject or _("(no subject)"),
            incoming=incoming,
            now=now,
        )
    return intake.append_message(
        ticket_id=decision.ticket.pk,
        contact=contact,
        incoming=incoming,
        unverified=decision.unverified,
        now=now,
    )
