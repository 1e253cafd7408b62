"""Mails of our own making: good, broken and hostile ones.

``@@REPLY@@`` and its like in them stand for what only exists once a ticket does.
"""

from __future__ import annotations

from pathlib import Path

from notifications.identity import message_id, reply_address
from tickets.models import Message

FOLDER = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.eml")))


def mail(name: str, *, answers: Message | None = None, and_answers: Message | None = None) -> bytes:
    """One mail; ``answers`` is a customer's message on the ticket it is to be an answer on."""
    raw = (FOLDER / f"{name}.eml").read_bytes()
    for mark, message in (("", answers), ("OTHER_", and_answers)):
        if message is not None:
            for token, value in tokens_of(message).items():
                raw = raw.replace(f"@@{mark}{token}@@".encode(), value.encode())
    return raw


def tokens_of(message: Message) -> dict[str, str]:
    """What our letters about this message's ticket would carry."""
    assert message.contact_id is not None
    return {
        "TICKET": str(message.ticket_id),
        "REPLY": reply_address(ticket_number=message.ticket_id, contact_id=message.contact_id),
        "MESSAGE_ID": message_id(
            about=f"ticket:{message.ticket_id}", seed=f"received:{message.pk}"
        ),
    }
