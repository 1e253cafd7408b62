"""The outbox is paused: work goes on, nothing leaves, and a person lets it go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from notifications import delivery, mailwatch, outbox, pausing, webhookdelivery, webhooks
from notifications.models import (
    WITHHELD,
    DeliveryState,
    MailOutage,
    MailState,
    OutboxPause,
    OutgoingEmail,
    PauseCause,
    Preset,
    WebhookDelivery,
)
from notifications.webhooks import Wish
from tests.house import START, House, after
from tests.notifications.hookreceiver import Receiver
from tests.notifications.letters import ABOUT, letter
from tests.notifications.mailserver import MailServer, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with running(MailServer()) as found:
        settings.EMAIL_BACKEND = "notifications.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found.port
        settings.HELPDESK_CAPTURE_MAIL = False
        yield found


def hook(house: House, receiver: Receiver) -> None:
    webhooks.make(
        wish=Wish(
            name="Program",
            url=receiver.url,
            preset=Preset.STANDARD,
            language="en",
            events=("ticket.opened", "mail.*"),
            team=None,
            private_too=False,
        ),
        now=START,
        by=house.sam,
    )


def workers_look(now: datetime) -> None:
    """What a ring of the mail worker and one of the webhook worker do at this moment."""
    delivery.send_due(clock=lambda: now)
    mailwatch.look(now=now)
    webhookdelivery.send_due(clock=lambda: now)


def outbox_says(*words: str) -> Any:
    out = StringIO()
    call_command("outbox", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def states() -> dict[str, str]:
    return dict(OutgoingEmail.objects.values_list("dedupe_key", "state"))


def restored(now: datetime = START) -> OutboxPause:
    """As a restore leaves it: paused, with the last ids that came with the backup."""
    OutboxPause.objects.create(
        cause=PauseCause.RESTORE,
        began_at=now,
        copied_at=now - timedelta(hours=2),
        last_letter=OutgoingEmail.objects.order_by("pk").values_list("pk", flat=True).last() or 0,
        last_message=WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True).last()
        or 0,
    )
    return pausing.doubt(now=now)


def test_nothing_leaves_while_it_is_paused_and_all_of_it_once_it_is_released(
    house: House, server: MailServer, receiver: Receiver
) -> None:
    hook(house, receiver)
    call_command("outbox", "pause", "--why", "Moving house", "--by", house.marco.email)
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)

    workers_look(after(hours=2))

    assert (server.received, receiver.calls) == ([], [])
    said = outbox_says("status")
    assert (said["paused"], said["why"], said["by"]) == (True, "Moving house", house.marco.email)
    assert said["letters"] == OutgoingEmail.objects.count() > 0
    assert said["webhook_messages"] == 1
    assert said["oldest"] == START.isoformat()
    assert not MailOutage.objects.exists(), "paused is not failing"

    assert outbox_says("resume", "--yes")["letters"] == said["letters"]
    # The release is the command's, and so is its clock.
    later = OutboxPause.objects.get().ended_at
    assert later is not None
    workers_look(later)
    workers_look(later + timedelta(minutes=1))

    assert len(server.received) == said["letters"]
    assert receiver.types == ["ticket.opened"]
    assert set(states().values()) == {MailState.SENT}
    assert not MailOutage.objects.exists(), "what waited for a person was not late"
    assert outbox_says("status")["paused"] is False


def test_it_is_paused_once_and_released_once_by_those_who_may(house: House) -> None:
    call_command("outbox", "pause", stdout=StringIO())
    with pytest.raises(CommandError, match="paused already"):
        call_command("outbox", "pause")
    with pytest.raises(CommandError, match="--yes"):
        call_command("outbox", "resume", stdout=StringIO())
    with pytest.raises(CommandError, match="nobody who may"):
        call_command("outbox", "resume", "--yes", "--by", house.anna.email)
    assert OutboxPause.objects.standing().exists()
    call_command("outbox", "resume", "--yes", "--by", house.sam.email, stdout=StringIO())
    assert OutboxPause.objects.get().ended_by == house.sam
    with pytest.raises(CommandError, match="not paused"):
        call_command("outbox", "resume", "--yes")


def test_what_is_too_old_to_be_said_is_withdrawn_instead(
    house: House, server: MailServer, receiver: Receiver
) -> None:
    hook(house, receiver)
    pausing.pause(note="", by=house.marco, now=START)
    house.ticket()
    house.ticket(now=after(hours=40))
    waits = letter("undo", not_before=after(hours=47))
    hidden = letter("withheld", withheld=True)
    outbox.queue(letters=[letter("old"), waits, hidden], now=START)
    outbox.queue(letters=[letter("new", to_address="new@norvik.example")], now=after(hours=40))

    released = pausing.release(by=house.marco, now=after(hours=48), older_than=timedelta(hours=24))

    assert states()["old"] == MailState.WITHDRAWN
    assert {states()[key] for key in ("undo", "new", "withheld")} == {MailState.QUEUED}
    assert released.withdrawn_messages == 1
    workers_look(after(hours=48))
    assert {mail["Message-ID"] for mail in server.received} >= {
        letter("undo").message_id,
        letter("new").message_id,
    }
    assert letter("old").message_id not in {mail["Message-ID"] for mail in server.received}
    assert len(receiver.calls) == 1
    assert states()["withheld"] == MailState.QUEUED, "its reader has still to be proven"


def test_what_waited_in_a_backup_is_not_sent_unless_somebody_says_that_it_was_not(
    house: House, server: MailServer, receiver: Receiver
) -> None:
    hook(house, receiver)
    house.ticket()
    outbox.queue(letters=[letter("waited"), letter("withheld", withheld=True)], now=START)
    half = outbox.queue(letters=[letter("half")], now=START)[0]
    OutgoingEmail.objects.filter(pk=half.pk).update(
        state=MailState.SENDING,
        lease_token="0" * 32,
        lease_until=after(minutes=2),
        begun_at=START,
        next_attempt_at=None,
    )
    before = set(states())
    restored()
    outbox.queue(letters=[letter("made since", to_address="x@norvik.example")], now=after(hours=1))

    said = outbox_says("status")
    assert (said["cause"], said["letters"]) == ("restore", 1)
    assert said["letters_in_doubt"] == len(before)
    assert said["webhook_messages_in_doubt"] == 1
    listed = StringIO()
    call_command("outbox", "status", "--doubtful", stdout=listed)
    assert letter("waited").message_id in listed.getvalue()

    pausing.release(by=None, now=after(hours=2))
    workers_look(after(hours=2))
    workers_look(after(hours=20))

    assert [mail["Message-ID"] for mail in server.received] == [letter("made since").message_id]
    assert receiver.calls == []
    assert {states()[key] for key in before} == {MailState.UNCERTAIN}
    assert WebhookDelivery.objects.get().state == DeliveryState.WITHDRAWN


def test_somebody_who_knows_that_nothing_was_sent_since_the_backup_has_it_sent(
    house: House, server: MailServer, receiver: Receiver
) -> None:
    hook(house, receiver)
    house.ticket()
    outbox.queue(letters=[letter("waited"), letter("withheld", withheld=True)], now=START)
    restored()
    outbox.withdraw(about=ABOUT, keys_starting=("no longer",), now=START)

    call_command("outbox", "resume", "--yes", "--send-doubtful", stdout=StringIO())
    released = OutboxPause.objects.get().ended_at
    assert released is not None
    workers_look(released)

    assert letter("waited").message_id in {mail["Message-ID"] for mail in server.received}
    assert len(receiver.calls) == 1
    kept = OutgoingEmail.objects.get(dedupe_key="withheld")
    assert (kept.state, kept.next_attempt_at, kept.leases_lost) == (MailState.QUEUED, WITHHELD, 0)


def test_what_is_in_doubt_and_no_longer_true_is_not_sent_however_it_is_released(
    house: House, server: MailServer
) -> None:
    outbox.queue(letters=[letter("waited")], now=START)
    restored()
    outbox.withdraw(about=ABOUT, now=START)
    pausing.release(by=None, now=after(hours=2), send_doubtful=True)
    workers_look(after(hours=2))
    assert server.received == []
    assert states()["waited"] == MailState.UNCERTAIN


def test_a_restore_that_was_stopped_early_leaves_nothing_that_a_release_would_send(
    house: House, server: MailServer
) -> None:
    outbox.queue(letters=[letter("waited")], now=START)
    OutboxPause.objects.create(
        cause=PauseCause.RESTORE,
        began_at=START,
        copied_at=START,
        last_letter=OutgoingEmail.objects.get().pk,
    )
    pausing.release(by=None, now=after(hours=2))
    workers_look(after(hours=2))
    assert server.received == []
