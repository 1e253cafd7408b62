"""``/mail/pause/`` and what every page says while letters and webhooks are paused."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from notifications import delivery, outbox, pausing
from notifications.models import MailState, OutboxPause, OutgoingEmail
from tests.house import House
from tests.notifications.letters import letter
from tests.pages.acting import ago, as_, paused_by_a_restore, queries
from tests.pages.desk import html, words
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

BAR = "Letters and webhooks are paused"
PAGES = ("/desk/", "/offers/", "/mail/", "/settings/", "/search/")


@pytest.fixture
def marco(house: House) -> Client:
    return as_(house.marco)


@pytest.fixture
def anna(house: House) -> Client:
    return as_(house.anna)


def test_a_lead_pauses_everybody_reads_it_and_a_lead_lets_it_go(
    house: House, marco: Client, anna: Client
) -> None:
    assert BAR not in words(anna.get("/desk/"))
    paused = marco.post("/mail/pause/begin/", {"note": "The price list was wrong"}, follow=True)
    assert "Nothing is sent until somebody lets it go." in words(paused)
    house.escalate(house.ticket(now=ago(minutes=9), assignee=house.anna), now=ago(minutes=8))
    count = OutgoingEmail.objects.count()

    for path in PAGES:
        said = words(anna.get(path))
        assert BAR in said, path
        assert "The price list was wrong" in said
        assert f"{count} letters wait" in said
    assert anna.post("/mail/pause/end/").status_code == 403
    assert "Let it go" not in words(anna.get("/mail/pause/")).replace("lets it go", "")

    shown = words(marco.get("/mail/pause/"))
    assert "Marco Ruiz" in shown
    assert f"Letters: {count}, webhook messages: 0; the oldest is of" in shown
    done = marco.post("/mail/pause/end/", follow=True)
    assert f"{count} go out now." in words(done)
    assert BAR not in words(anna.get("/desk/"))
    pause = OutboxPause.objects.get()
    assert (pause.began_by, pause.ended_by) == (house.marco, house.marco)
    assert delivery.send_due(clock=timezone.now, capture=True) == {MailState.CAPTURED: count}


def test_a_pause_costs_the_pages_nothing_while_there_is_none(house: House, anna: Client) -> None:
    for path in PAGES:
        before = queries(anna, path)
        assert len([sql for sql in before if "outboxpause" in sql]) == 1, path
        [asked] = [sql for sql in before if "outboxpause" in sql]
        assert "escalation_handoff" in asked, "one query for both"


def test_what_is_too_old_is_withdrawn_if_a_lead_says_so(
    house: House, marco: Client, ticket_of_today: Ticket
) -> None:
    pausing.pause(note="", by=house.marco, now=ago(hours=60))
    outbox.queue(letters=[letter("old")], now=ago(hours=50))
    outbox.queue(letters=[letter("new", to_address="x@norvik.example")], now=ago(hours=1))
    refused = marco.post("/mail/pause/end/", {"older_than": "-1"})
    assert refused.status_code == 422
    assert OutboxPause.objects.standing().exists()
    done = marco.post("/mail/pause/end/", {"older_than": "24"}, follow=True)
    assert "1 was too old and was withdrawn." in words(done)
    assert OutgoingEmail.objects.get(dedupe_key="old").state == MailState.WITHDRAWN


@pytest.fixture
def ticket_of_today(house: House) -> Ticket:
    return house.ticket(now=ago(minutes=1))


def test_a_lead_looks_through_what_a_restore_left_in_doubt_and_sends_one(
    house: House, marco: Client, anna: Client
) -> None:
    outbox.queue(letters=[letter("gone"), letter("not gone")], now=ago(hours=4))
    paused_by_a_restore(now=timezone.now())
    page = words(marco.get("/mail/pause/"))
    assert "Letters: 2, webhook messages: 0." in page
    assert "this desk was restored from a backup" in words(anna.get("/desk/"))

    listed = words(marco.get("/mail/?state=uncertain"))
    assert listed.count("in doubt") >= 2
    mail = OutgoingEmail.objects.get(dedupe_key="not gone")
    assert "send it" not in words(anna.get(f"/mail/{mail.pk}/"))
    assert "It has not arrived: send it" in words(marco.get(f"/mail/{mail.pk}/"))
    assert anna.post(f"/mail/{mail.pk}/send/").status_code == 403
    sent = marco.post(f"/mail/{mail.pk}/send/", follow=True)
    assert "It is queued." in words(sent)
    again = marco.post(f"/mail/{mail.pk}/send/", follow=True)
    assert "It is not left to a person any more." in words(again)
    assert delivery.send_due(clock=timezone.now, capture=True) == {}, "still paused"

    marco.post("/mail/pause/end/")
    assert delivery.send_due(clock=timezone.now, capture=True) == {MailState.CAPTURED: 1}
    assert OutgoingEmail.objects.get(dedupe_key="gone").state == MailState.UNCERTAIN


def test_a_move_has_all_of_it_sent(house: House, marco: Client) -> None:
    outbox.queue(letters=[letter("waited")], now=ago(hours=4))
    paused_by_a_restore(now=timezone.now())
    assert "send_doubtful" in html(marco.get("/mail/pause/"))
    marco.post("/mail/pause/end/", {"send_doubtful": "on"})
    assert delivery.send_due(clock=timezone.now, capture=True) == {MailState.CAPTURED: 1}
    assert "send_doubtful" not in html(marco.get("/mail/pause/"))
