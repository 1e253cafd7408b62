"""What must be so after every drill, whatever was done to the processes."""

from __future__ import annotations

from collections import Counter

from django.utils import timezone

from notifications.models import OutgoingEmail
from tests.processes import Mailbox


def all_letters_out() -> bool:
    """Whether every letter has left, but those that another one took in."""
    return not OutgoingEmail.objects.exclude(state__in=("sent", "withdrawn")).exists()


def do_not_wait() -> None:
    """Let the minutes pass until a letter of which nobody knows is sent once more."""
    now = timezone.now()
    OutgoingEmail.objects.filter(state__in=("queued", "uncertain"), next_attempt_at__gt=now).update(
        next_attempt_at=now
    )


def every_letter_arrived_once(mailbox: Mailbox) -> None:
    """Each under its own Message-ID, none lost, none twice, and none ever in doubt."""
    arrived = Counter(str(letter["Message-ID"]) for letter in mailbox.letters)
    sent = OutgoingEmail.objects.filter(state="sent")
    assert {name: times for name, times in arrived.items() if times > 1} == {}
    assert set(arrived) == set(sent.values_list("message_id", flat=True))
    assert not list(OutgoingEmail.objects.exclude(leases_lost=0).values_list("pk", "last_error"))
