"""Letters merge while they wait: one mail says everything, with the newest time, and none is lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from escalation import asking, endings, lifecycle, updates, withdrawing
from escalation.models import Escalation
from notifications import delivery, outbox
from notifications.models import MailState, OutgoingEmail
from notifications.rendering import Rendered, render
from tests.atonce import at_once
from tests.house import START, House, after, letters_of, promise_of
from tests.notifications.letters import NOW, letter
from tests.pages.acting import as_
from tests.pages.desk import html, words
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

LEASE = timedelta(minutes=2)


@pytest.fixture
def offered(house: House) -> Escalation:
    """Anna's escalation at the start; its letter waits ten seconds."""
    return house.escalate(house.ticket(assignee=house.anna))


def accept(house: House, escalation: Escalation, *, seconds: float = 5) -> None:
    lifecycle.accept(
        escalation_id=escalation.pk,
        first_step="tracing a failed call",
        now=after(seconds=seconds),
        by=house.priya,
    )


def mails(ticket: Ticket) -> list[OutgoingEmail]:
    """Every letter to the requester, whatever became of it."""
    return list(
        OutgoingEmail.objects.filter(about=ticket.about, to_address=ticket.requester.email)
        .select_related("template", "merged_into")
        .order_by("pk")
    )


def goes(ticket: Ticket) -> list[OutgoingEmail]:
    return [mail for mail in mails(ticket) if mail.state != MailState.WITHDRAWN]


def send(**at: float) -> None:
    delivery.send_due(clock=lambda: after(**at), capture=True)


def sent(ticket: Ticket) -> list[OutgoingEmail]:
    return [mail for mail in mails(ticket) if mail.state == MailState.CAPTURED]


def read(ticket: Ticket) -> Rendered:
    """The one letter that went out."""
    [mail] = sent(ticket)
    return Rendered(subject=mail.subject, text=mail.text, html=mail.html)


def test_escalated_and_accepted_in_one_breath_are_one_mail(
    house: House, offered: Escalation
) -> None:
    accept(house, offered)
    send(minutes=1)
    letter = read(offered.ticket)
    assert letter.subject.endswith("Priya Nair is working on it")
    for body in (letter.text, letter.html):
        first, then = body.index("has taken on"), body.index("has been escalated to Tier 2")
        assert first < body.index("Also new since we last wrote:") < then
        assert body.count("Reply to this email") == 1


def test_each_keeps_its_row_and_none_is_dropped(house: House, offered: Escalation) -> None:
    accept(house, offered)
    escalated, accepted = mails(offered.ticket)
    assert (escalated.state, escalated.merged_into) == ("withdrawn", accepted)
    assert (accepted.state, accepted.merged_into) == ("queued", None)
    assert escalated.message_id != accepted.message_id
    assert promise_of(offered.ticket).letter == accepted
    assert letters_of(offered.ticket) == ["escalated", "accepted"]


def test_it_waits_as_long_as_the_one_that_waits_longest(house: House, offered: Escalation) -> None:
    accept(house, offered, seconds=5)
    send(seconds=9)
    assert sent(offered.ticket) == []
    send(seconds=10)
    assert len(sent(offered.ticket)) == 1


def test_it_names_no_letter_that_nobody_will_ever_have(house: House, offered: Escalation) -> None:
    accept(house, offered)
    escalated, accepted = mails(offered.ticket)
    assert escalated.message_id not in str(accepted.headers)
    assert accepted.headers["In-Reply-To"]


def test_what_has_been_begun_is_left_alone(house: House, offered: Escalation) -> None:
    send(seconds=10)
    accept(house, offered, seconds=11)
    send(seconds=12)
    assert [mail.kind for mail in sent(offered.ticket)] == ["escalated", "accepted"]
    assert "Also new" not in sent(offered.ticket)[1].text


def test_only_the_newest_time_is_told(house: House, offered: Escalation) -> None:
    old = promise_of(offered.ticket).due_at
    updates.new_expected_time(
        ticket_id=offered.ticket_id,
        due=after(days=3),
        reason="One more test",
        now=after(seconds=6),
        by=house.anna,
    )
    assert old is not None
    send(minutes=1)
    told = read(offered.ticket).text.partition("Also new")[2]
    assert "expect a reply by Fri 27 Nov" in told


def test_three_in_a_row_are_still_one(house: House, offered: Escalation) -> None:
    accept(house, offered)
    updates.update(
        ticket_id=offered.ticket_id,
        headline="cause found",
        text="We found the cause.",
        next_word_by=after(hours=5),
        now=after(seconds=7),
        by=house.priya,
    )
    send(minutes=1)
    text = read(offered.ticket).text.lower()
    newest, first, second = (
        text.index(said) for said in ("we found the cause", "has been escalated to", "has taken on")
    )
    assert newest < first < second
    assert {mail.merged_into_id for mail in mails(offered.ticket)[:2]} == {
        mails(offered.ticket)[2].pk
    }
    assert sent(offered.ticket)[0].automatic is False


def test_a_reply_stays_a_letter_of_its_own(house: House, offered: Escalation) -> None:
    house.reply(offered.ticket, now=after(seconds=3))
    send(minutes=1)
    assert [mail.kind for mail in sent(offered.ticket)] == ["escalated", "reply"]


def test_what_is_asked_for_is_not_lost_in_a_later_letter(house: House) -> None:
    ticket = house.ticket(text="API calls fail.", assignee=house.anna)
    asking.ask(ticket_id=ticket.pk, keys=["key-id"], now=START, by=house.anna)
    house.escalate(ticket, now=after(seconds=4), override_reason="They wait.")
    send(minutes=1)
    assert "API key ID" in read(ticket).text


def test_a_mail_server_that_was_away_for_hours_brings_one_mail(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    escalation = house.escalate(ticket, now=after(hours=1))
    lifecycle.accept(escalation_id=escalation.pk, now=after(hours=2), by=house.priya)
    lifecycle.resolve(
        escalation_id=escalation.pk, outcome="Refilled.", now=after(hours=3), by=house.priya
    )
    endings.resolve(
        ticket_id=ticket.pk, outcome="The pool is full.", now=after(hours=4), by=house.anna
    )
    assert letters_of(ticket) == ["received", "escalated", "accepted", "resolved"]
    send(hours=5)
    assert read(ticket).text.index("The pool is full") < read(ticket).text.index("opened ticket")


def test_letters_of_one_look_merge_as_well(house: House) -> None:
    """The engine was away: the ticket is greeted and escalated in one breath."""
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    house.sweep(after(hours=1))
    assert letters_of(ticket) == ["received", "escalated"]
    assert len(goes(ticket)) == 1
    assert promise_of(ticket).letter == goes(ticket)[0]


@pytest.mark.parametrize(
    "other",
    [
        {"to_address": "ola@norvik.example"},
        {"language": "de"},
        {"about": "ticket:1043"},
        {"withheld": True},
    ],
)
def test_never_across_readers_languages_tickets_or_unverified_addresses(
    house: House, other: dict[str, Any]
) -> None:
    del house  # the texts are loaded with it
    outbox.queue(letters=[letter("a", merges=True)], now=NOW)
    outbox.queue(letters=[letter("b", **{"merges": True, **other})], now=NOW + timedelta(seconds=1))
    assert OutgoingEmail.objects.filter(state="queued", merged_into=None).count() == 2


def test_addresses_are_one_in_any_case(house: House) -> None:
    del house
    outbox.queue(letters=[letter("a", merges=True)], now=NOW)
    outbox.queue(
        letters=[letter("b", merges=True, to_address="Dana@Norvik.example")],
        now=NOW + timedelta(seconds=1),
    )
    assert OutgoingEmail.objects.get(state="queued").dedupe_key == "b"


def test_what_is_owed_again_stays_merged(house: House) -> None:
    del house
    outbox.queue(letters=[letter("a", merges=True)], now=NOW)
    outbox.queue(letters=[letter("b", merges=True)], now=NOW + timedelta(seconds=1))
    [again] = outbox.queue(letters=[letter("a", merges=True)], now=NOW + timedelta(seconds=2))
    assert again.merged_into is not None
    assert OutgoingEmail.objects.get(state="queued").dedupe_key == "b"


# Taken back


def test_undoing_an_escalation_takes_back_what_merged_with_it(
    house: House, offered: Escalation
) -> None:
    accept(house, offered)
    withdrawing.withdraw(escalation_id=offered.pk, now=after(seconds=8), by=house.anna)
    send(minutes=1)
    assert sent(offered.ticket) == []
    assert promise_of(offered.ticket).state == "withdrawn"


def test_what_is_still_true_goes_out_without_what_is_not(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    escalation = house.escalate(ticket, now=after(seconds=1))
    assert [mail.kind for mail in goes(ticket)] == ["escalated"]
    withdrawing.withdraw(escalation_id=escalation.pk, now=after(seconds=8), by=house.anna)
    send(minutes=1)
    assert [mail.kind for mail in sent(ticket)] == ["received"]
    assert "escalated" not in read(ticket).text


def test_a_letter_that_took_another_along_says_it_no_more(
    house: House, offered: Escalation
) -> None:
    updates.update(
        ticket_id=offered.ticket_id,
        headline="cause found",
        text="We found the cause.",
        next_word_by=after(hours=5),
        now=after(seconds=3),
        by=house.anna,
    )
    withdrawing.withdraw(escalation_id=offered.pk, now=after(seconds=8), by=house.anna)
    send(minutes=1)
    assert [mail.kind for mail in sent(offered.ticket)] == ["update"]
    assert "escalated" not in read(offered.ticket).text
    assert promise_of(offered.ticket).due_at == after(hours=5)


def test_a_promise_merged_into_what_is_taken_back_still_stands(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    updates.update(
        ticket_id=ticket.pk,
        headline="looking",
        text="We look into it.",
        next_word_by=after(hours=3),
        now=START,
        by=house.anna,
    )
    escalation = house.escalate(ticket, now=after(seconds=1))
    assert len(goes(ticket)) == 1
    withdrawing.withdraw(escalation_id=escalation.pk, now=after(seconds=5), by=house.anna)
    stands = promise_of(ticket)
    assert (stands.state, stands.due_at) == ("open", after(hours=3))
    assert stands.letter == goes(ticket)[0]


# On the pages


def test_the_pages_say_that_it_went_with_a_later_letter(house: House, offered: Escalation) -> None:
    accept(house, offered)
    escalated, accepted = mails(offered.ticket)
    anna = as_(house.anna)
    assert "in a later letter" in words(anna.get(offered.ticket.get_absolute_url()))
    page = html(anna.get(f"/mail/{escalated.pk}/"))
    assert f"/mail/{accepted.pk}/" in page
    assert f"letter {accepted.pk}" in page
    assert "has been escalated to Tier 2" in words(anna.get(f"/mail/{accepted.pk}/"))


# Races, on real connections


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(6))
def test_whoever_wins_every_word_reaches_the_customer_once(turn: int) -> None:
    house = House()
    escalation = house.escalate(house.ticket(assignee=house.anna))
    pauses = threading.Event()

    def worker() -> None:
        pauses.wait(0.01 * turn)
        send(seconds=30)

    at_once(worker, lambda: accept(house, escalation, seconds=20))
    send(minutes=1)
    said = "\n".join(mail.text for mail in sent(escalation.ticket))
    assert said.count("has been escalated to Tier 2") == 1
    assert said.count("Priya Nair of Integrations has taken on") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(6))
def test_no_reminder_is_sent_once_somebody_has_accepted(turn: int) -> None:
    """Whatever the worker had claimed: what it had not begun when the accept committed is dead."""
    house = House()
    escalation = house.escalate(house.ticket(assignee=house.anna))
    house.run(since=after(minutes=30), until=after(hours=6), every=timedelta(hours=1))
    asking_mails = OutgoingEmail.objects.filter(
        kind__in=("staff_offer", "staff_reminder", "staff_escalation_path")
    )
    assert asking_mails.filter(state="queued").exists()
    pauses = threading.Event()
    accepted_when: list[set[int]] = []

    def worker() -> None:
        pauses.wait(0.01 * turn)
        send(hours=7)

    def take() -> None:
        lifecycle.accept(escalation_id=escalation.pk, now=after(hours=7), by=house.helen)
        # Committed: what is captured from here on was claimed for sending before.
        accepted_when.append(
            set(asking_mails.filter(state="captured").values_list("pk", flat=True))
        )

    at_once(worker, take)
    send(hours=8)
    begun = asking_mails.exclude(state="withdrawn")
    assert set(begun.values_list("state", flat=True)) <= {"captured"}
    late = set(begun.values_list("pk", flat=True)) - accepted_when[0]
    assert len(late) <= 1, "one mail at most was in the worker's hands when the accept committed"


@pytest.mark.django_db(transaction=True)
def test_a_worker_between_claiming_and_sending_loses_against_an_accept() -> None:
    house = House()
    escalation = house.escalate(house.ticket(assignee=house.anna))
    claimed = outbox.claim(now=after(seconds=30), limit=100, lease=LEASE)
    assert {"staff_offer", "escalated"} <= {mail.kind for mail in claimed}
    holds, may_go = threading.Event(), threading.Event()

    def accepts_slowly() -> None:
        with transaction.atomic():
            accept(house, escalation, seconds=31)
            holds.set()
            may_go.wait(timeout=20)

    def worker() -> None:
        holds.wait(timeout=20)
        threading.Timer(0.3, may_go.set).start()
        run = delivery._Run(
            clock=lambda: after(seconds=32), lease=LEASE, ends_at=after(minutes=5), capture=True
        )
        run.send_all(claimed)

    at_once(accepts_slowly, worker)
    kinds = {mail.kind for mail in OutgoingEmail.objects.filter(state="captured")}
    assert not kinds & {"staff_offer", "staff_reminder", "escalated"}
    send(minutes=1)
    assert "has been escalated to Tier 2" in read(escalation.ticket).text


def test_a_merged_letter_shows_before_it_is_sent(house: House, offered: Escalation) -> None:
    accept(house, offered)
    assert "Also new since we last wrote:" in render(mail=goes(offered.ticket)[0]).text
