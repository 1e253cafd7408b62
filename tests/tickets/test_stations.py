"""The stations a ticket passes: assessed, assigned, gathered for, answered, and heard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from escalation import endings
from staff.models import Role, Team, User
from tests.house import START, House, after, letter, letters_of, told
from tickets import conversation, gathering, locking, triage
from tickets.addressing import Addressing, addressing_many
from tickets.errors import Refused, Stale
from tickets.models import Category, CategoryTeam, Contact, Detail, RequiredDetail, Ticket
from tickets.models.ticket import SenderVerdict, Status
from tickets.thanks import FEWER_THAN, says_only_thanks

# Assess


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [
        (1, 1, 1),
        (1, 2, 2),
        (2, 1, 2),
        (2, 2, 3),
        (1, 3, 3),
        (3, 1, 3),
        (2, 3, 4),
        (3, 2, 4),
        (3, 3, 4),
    ],
)
def test_impact_and_urgency_make_the_priority(
    house: House, impact: int, urgency: int, priority: int
) -> None:
    ticket = house.ticket()
    house.assess(ticket, impact=impact, urgency=urgency, now=after(minutes=1))
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.assessed_at) == (priority, after(minutes=1))


def test_the_database_itself_keeps_priority_and_matrix_together(house: House) -> None:
    ticket = house.ticket()
    with pytest.raises(IntegrityError, match="priority_from_impact"), transaction.atomic():
        Ticket.objects.filter(pk=ticket.pk).update(priority=1)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"impact": 0}, "impact"),
        ({"urgency": 4}, "urgency"),
        ({"complexity": "rocket science"}, "complexity"),
        ({"category_id": 999_999}, "category"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(
    house: House, wrong: dict[str, object], field: str
) -> None:
    ticket = house.ticket()
    asked: dict[str, object] = {
        "impact": 1,
        "urgency": 1,
        "complexity": "simple",
        "category_id": None,
        **wrong,
    }
    with pytest.raises(Refused) as refused:
        triage.assess(ticket_id=ticket.pk, now=START, by=house.anna, **asked)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert Ticket.objects.get(pk=ticket.pk).priority == 3


def test_category_complexity_and_team_come_from_what_is_said(house: House) -> None:
    ticket = house.ticket()
    assert (ticket.category, ticket.complexity, ticket.team) == (
        house.api,
        "specialist",
        house.emea,
    )
    other = house.ticket("A question", text="How do I change my name?")
    assert (other.category, other.complexity, other.team) == (None, "moderate", house.emea)


def test_the_longest_keyword_counts_and_the_subject_before_the_text(house: House) -> None:
    invoices = Category.objects.create(slug="inv", name="Invoices", keywords="POST /v2/invoices")
    assert house.ticket().category == invoices
    assert house.ticket("Invoices", text="POST /v2/invoices by API").category == invoices
    assert house.ticket("The API", text="POST /v2/invoices fails").category == house.api


# Assign, move, status


def test_who_is_assigned_hears_of_it_and_who_takes_it_does_not(house: House) -> None:
    ticket = house.ticket()
    triage.assign(ticket_id=ticket.pk, assignee_id=house.ben.pk, now=START, by=house.anna)
    triage.assign(ticket_id=ticket.pk, assignee_id=house.ben.pk, now=START, by=house.anna)
    assert told(house.ben) == ["staff_assigned"]
    triage.assign(ticket_id=ticket.pk, assignee_id=house.anna.pk, now=START, by=house.anna)
    assert told(house.anna) == []
    triage.assign(ticket_id=ticket.pk, assignee_id=None, now=START, by=house.anna)
    assert Ticket.objects.get(pk=ticket.pk).assignee is None


def test_nobody_who_left_is_assigned(house: House) -> None:
    User.objects.filter(pk=house.ben.pk).update(is_active=False)
    with pytest.raises(Refused) as refused:
        triage.assign(
            ticket_id=house.ticket().pk, assignee_id=house.ben.pk, now=START, by=house.anna
        )
    assert refused.value.field == "assignee"


@pytest.mark.parametrize(
    ("action", "sent"),
    [("assign", "assignee"), ("move", "team"), ("status", "status"), ("assess", "impact")],
)
def test_what_was_decided_on_an_older_page_is_refused(
    house: House, client: Client, action: str, sent: str
) -> None:
    ticket = house.ticket(assignee=house.anna)
    client.force_login(house.anna, "django.contrib.auth.backends.ModelBackend")
    values = {
        "assignee": str(house.ben.pk),
        "team": str(house.platform.pk),
        "status": "on_hold",
        "impact": "1",
        "urgency": "1",
        "complexity": "simple",
        "category": "",
    }
    form = {**values, "version": str(ticket.version)}
    house.assess(ticket, impact=1, urgency=2, now=after(minutes=1))
    seen = _state(ticket)
    address = reverse("desk:act", args=(ticket.reference, action))
    answer = client.post(address, form)
    assert answer.status_code == 422
    assert "changed by somebody else meanwhile" in answer.content.decode()
    assert _state(ticket) == seen
    answer = client.post(address, {**form, "version": str(Ticket.objects.get().version)})
    assert answer.status_code == 302
    assert _state(ticket) != seen
    assert sent in form


def _state(ticket: Ticket) -> tuple[object, ...]:
    return Ticket.objects.values_list(
        "assignee", "team", "status", "impact", "urgency", "complexity"
    ).get(pk=ticket.pk)


def test_every_decision_makes_a_new_version(house: House) -> None:
    ticket = house.ticket()
    versions = [ticket.version]
    for decide in (
        lambda: house.assess(ticket, impact=1, urgency=1, now=START),
        lambda: triage.assign(
            ticket_id=ticket.pk, assignee_id=house.ben.pk, now=START, by=house.anna
        ),
        lambda: triage.move(
            ticket_id=ticket.pk, team_id=house.platform.pk, now=START, by=house.anna
        ),
        lambda: house.status(ticket, Status.ON_HOLD, now=START),
    ):
        decide()
        versions.append(Ticket.objects.get(pk=ticket.pk).version)
    assert versions == sorted(set(versions))
    with pytest.raises(Stale, match=ticket.reference):
        locking.changed_since(locking.lock(ticket.pk), versions[0])


@pytest.mark.parametrize("status", ["new", "resolved", "closed", "lost"])
def test_only_open_waiting_and_on_hold_are_set_by_hand(house: House, status: str) -> None:
    with pytest.raises(Refused) as refused:
        house.status(house.ticket(), status, now=START)
    assert refused.value.field == "status"


def test_the_customers_word_wakes_what_waits_or_is_on_hold(house: House) -> None:
    for status in (Status.WAITING, Status.ON_HOLD):
        ticket = house.ticket(assignee=house.anna)
        house.status(ticket, status, now=after(hours=1))
        house.answer(ticket, "Here is what you asked for.", now=after(hours=2))
        ticket.refresh_from_db()
        assert (ticket.status, ticket.status_since) == (Status.OPEN, after(hours=2))


def test_the_customer_waits_since_the_oldest_word_that_nobody_answered(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.answer(ticket, "And another thing is broken.", now=after(hours=1))
    ticket.refresh_from_db()
    assert ticket.waiting_since == START
    house.reply(ticket, now=after(hours=2))
    answered = Ticket.objects.get(pk=ticket.pk)
    assert (answered.waiting_since, answered.first_responded_at) == (None, after(hours=2))
    house.answer(ticket, "It is still broken.", now=after(hours=3))
    house.answer(ticket, "Hello? Still broken.", now=after(hours=4))
    ticket.refresh_from_db()
    assert ticket.waiting_since == after(hours=3)


# Private teams


@pytest.fixture
def private(house: House) -> Ticket:
    """A ticket of a private team, which Jonas is in and Lena leads."""
    Team.objects.filter(pk=house.platform.pk).update(is_private=True)
    ticket = house.ticket(assignee=house.anna)
    triage.move(ticket_id=ticket.pk, team_id=house.platform.pk, now=START, by=house.helen)
    return Ticket.objects.get(pk=ticket.pk)


def test_a_private_teams_tickets_are_seen_by_its_people_and_those_above(
    house: House, private: Ticket
) -> None:
    sees = {
        user.name.split()[0]
        for user in User.objects.all()
        if Ticket.objects.visible_to(user).filter(pk=private.pk).exists()
    }
    assert sees == {"Jonas", "Lena", "Helen", "Sam"}


def test_whoever_may_not_see_it_there_is_no_longer_its_assignee(
    house: House, private: Ticket
) -> None:
    assert private.assignee is None
    with pytest.raises(Refused) as refused:
        triage.assign(ticket_id=private.pk, assignee_id=house.ben.pk, now=START, by=house.helen)
    assert refused.value.field == "assignee"
    triage.assign(ticket_id=private.pk, assignee_id=house.jonas.pk, now=START, by=house.helen)


def test_its_page_is_not_there_for_anybody_else(
    house: House, private: Ticket, client: Client
) -> None:
    for person, status in ((house.anna, 404), (house.jonas, 200), (house.helen, 200)):
        client.force_login(person, "django.contrib.auth.backends.ModelBackend")
        assert client.get(private.get_absolute_url()).status_code == status


def test_no_new_ticket_lands_in_a_private_team_by_chance(house: House) -> None:
    Team.objects.filter(pk=house.emea.pk).update(is_private=True)
    house.team("apac", "Frontline APAC", 1)
    CategoryTeam.objects.all().delete()
    assert house.ticket().team != house.emea
    assert house.anna.role == Role.AGENT


# Gather


def test_details_are_found_with_the_sentence_they_stand_in(house: House) -> None:
    ticket = house.ticket(text="Good morning.\nOur key is key_4f2a91, as ever.\nRegards, Dana")
    detail = Detail.objects.get(ticket=ticket)
    assert (detail.value, detail.sentence) == ("key_4f2a91", "Our key is key_4f2a91, as ever.")
    assert detail.message == ticket.messages.get()


def test_the_first_who_says_it_is_believed_and_a_person_more(house: House) -> None:
    ticket = house.ticket()
    house.answer(ticket, "Or try key_zzzz99.", now=after(minutes=1))
    assert gathering.gathered(ticket).present["key-id"].value == "key_4f2a91"
    gathering.set_detail(
        ticket_id=ticket.pk, key="key-id", value=" key_right ", now=after(minutes=2), by=house.anna
    )
    house.answer(ticket, "And key_yyyy88?", now=after(minutes=3))
    detail = gathering.gathered(ticket).present["key-id"]
    assert (detail.value, detail.user, detail.message) == ("key_right", house.anna, None)


def test_a_new_category_is_looked_for_in_what_was_said(house: House) -> None:
    billing = Category.objects.create(slug="billing", name="Billing", keywords="")
    RequiredDetail.objects.create(
        category=billing, key="invoice", label="Invoice", pattern=r"\bINV-\d+\b"
    )
    ticket = house.ticket(text="The invoice INV-2201 is wrong.")
    triage.assess(
        ticket_id=ticket.pk,
        impact=2,
        urgency=2,
        complexity="simple",
        category_id=billing.pk,
        now=after(minutes=1),
        by=house.anna,
    )
    gathered = gathering.gathered(Ticket.objects.get(pk=ticket.pk))
    assert gathered.present["invoice"].value == "INV-2201"


@pytest.mark.parametrize(
    ("required", "given", "percent"), [(0, 0, 100), (1, 0, 0), (3, 1, 33), (3, 2, 66), (3, 3, 100)]
)
def test_completeness_is_rounded_down(
    house: House, required: int, given: int, percent: int
) -> None:
    RequiredDetail.objects.all().delete()
    for number in range(required):
        RequiredDetail.objects.create(category=house.api, key=f"d{number}", label=f"D{number}")
    ticket = house.ticket()
    for number in range(given):
        gathering.set_detail(
            ticket_id=ticket.pk, key=f"d{number}", value="x", now=START, by=house.anna
        )
    assert gathering.gathered(ticket).percent == percent


@pytest.mark.parametrize("pattern", ["(unclosed", r"(a+)+$", ""])
def test_a_bad_or_costly_pattern_stops_nothing(house: House, pattern: str) -> None:
    RequiredDetail.objects.update(pattern=pattern)
    ticket = house.ticket(text="a" * 50_000 + "!")
    assert not Detail.objects.filter(ticket=ticket, key="key-id").exclude(value="").exists()


def test_what_an_unverified_sender_says_is_not_gathered(house: House) -> None:
    ticket = house.ticket(text="It fails.")
    house.answer(ticket, "The key is key_evil.", now=after(minutes=1), unverified=True)
    assert gathering.gathered(ticket).percent == 0


# Thanks


@pytest.mark.parametrize(
    "words",
    [
        "Thanks!",
        "thx",
        "Thank you very much, that is exactly what we needed.\n\nKenji",
        "Hi Anna,\nthanks for your quick help, it works now.\nBest regards\nKenji",
        "Great, thanks 👍",
        "Vielen Dank, das hilft uns sehr.",
        "Danke für die schnelle Antwort, jetzt läuft es.\nViele Grüße\nKenji Mori",
        "Many thanks – that’s perfect.",
    ],
)
def test_thanks_are_thanks(words: str) -> None:
    assert says_only_thanks(words, has_attachments=False, names=["Kenji Mori", "Anna Keller"])


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Yes.",
        "Thank you. The invoice page crashes now.",
        "Thanks, but it still fails.",
        "Thanks. And when will it be done?",
        "Thanks, it fails with 502.",
        "Thanks. Server down.",
        "Thanks, please call me",
        "Thanks for nothing",
        "Thanks, see https://example.com/log",
        "Danke. Seit heute geht der Export nicht.",
        "Danke, leider kommt der Fehler wieder.",
        "Vielen Dank, bitte rufen Sie mich an.",
        "Thanks, please escalate",
        "谢谢",
        "Thanks " * FEWER_THAN,
    ],
)
def test_news_is_news(words: str) -> None:
    assert not says_only_thanks(words, has_attachments=False, names=["Kenji Mori"])


def test_thanks_with_an_attachment_are_news() -> None:
    assert not says_only_thanks("Thanks!", has_attachments=True)


THANKS = st.sampled_from(["Thanks", "Thank you!", "Vielen Dank.", "Great, thanks,"])
NEWS = st.sampled_from(
    [
        "fails",
        "failing",
        "broken",
        "error",
        "down",
        "crash",
        "crashed",
        "outage",
        "stopped",
        "timeout",
        "missing",
        "wrong",
        "slow",
        "another",
        "urgent",
        "escalate",
        "call",
        "cancel",
        "refund",
        "login",
        "invoice",
        "still",
        "not",
        "but",
        "never",
        "unable",
        "problem",
        "kaputt",
        "fehler",
        "geht's",
        "nicht",
        "leider",
        "abgestürzt",
        "falsch",
        "fehlt",
        "bitte",
        "langsam",
        "ausfall",
        "dringend",
        "kündigen",
        "stornieren",
        "rechnung",
        "weiterhin",
    ]
)
FILLER = st.lists(
    st.sampled_from(["it", "is", "the", "now", "for", "us", "so", "das", "ist", "und", "jetzt"]),
    max_size=4,
)


@given(THANKS, FILLER, NEWS, FILLER)
def test_one_word_of_news_is_enough(
    thanks: str, before: list[str], news: str, following: list[str]
) -> None:
    for words in ((thanks, *before, news, *following), (*before, news, *following, thanks)):
        assert not says_only_thanks(" ".join(words), has_attachments=False)


@given(THANKS, st.from_regex(r"[a-zäöüß]{6,20}(ung|tion|fehler|error|down)", fullmatch=True))
def test_a_word_nobody_thanks_with_is_news(thanks: str, word: str) -> None:
    assert not says_only_thanks(f"{thanks} {word}", has_attachments=False)


def test_thanks_start_no_clock_and_wake_nothing(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.reply(ticket, now=after(hours=1), status=Status.WAITING)
    house.answer(ticket, "Thanks Anna!\n\nDana Reyes", now=after(hours=2))
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since) == (Status.WAITING, None)
    house.answer(ticket, "Thanks. The export crashes, too.", now=after(hours=3))
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since) == (Status.OPEN, after(hours=3))


# Addressing


def addressed(ticket: Ticket) -> Addressing:
    ticket = Ticket.objects.select_related("requester", "assignee", "team").get(pk=ticket.pk)
    return addressing_many(tickets=[ticket])[ticket.pk]


@pytest.mark.parametrize(
    ("verdict", "subject"),
    [
        (SenderVerdict.PASS, "Re: POST /v2/invoices returns 502"),
        (SenderVerdict.NONE, ""),
        (SenderVerdict.FAIL, ""),
    ],
)
def test_the_threads_subject_is_kept_for_an_authenticated_known_contact_only(
    house: House, verdict: str, subject: str
) -> None:
    assert addressed(house.ticket(sender_verdict=verdict)).thread_subject == subject


def test_nothing_of_a_strangers_mail_is_echoed(house: House) -> None:
    stranger = Contact.objects.create(
        name="You won! http://evil.example", email="x@free.example", created_at=START
    )
    ticket = house.ticket(
        "Claim your prize http://evil.example",
        text="API",
        by=stranger,
        sender_verdict=SenderVerdict.PASS,
        assignee=house.anna,
    )
    house.reply(ticket, now=after(minutes=5))
    sent = letter(ticket, "reply")
    assert "evil" not in sent.subject + sent.text
    assert "prize" not in sent.subject + sent.text + sent.html
    assert addressed(ticket).to_name == ""


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example/ login",
        "<b>Dana</b>",
        "Dana\r\nBcc: all@example.com",
        "d4n4 Reyes",
        "A" * 60,
        "{{ref}} Reyes",
        "",
    ],
)
def test_a_name_that_is_more_than_a_name_is_not_used(house: House, name: str) -> None:
    Contact.objects.filter(pk=house.dana.pk).update(name=name)
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    sent = letter(ticket, "received")
    assert "Bcc" not in sent.subject + sent.text
    if name.split()[:1] != ["Dana"]:
        assert sent.text.startswith("Hello, we have your message")
    for part in ("evil", "<b>", "d4n4", "AAAA", "{{"):
        assert part not in sent.subject + sent.text


def test_a_plain_first_name_is(house: House) -> None:
    for name, first in (("Jean-Luc Picard", "Jean-Luc"), ("Zoë O’Neil", "Zoë"), ("李 雷", "李")):
        Contact.objects.filter(pk=house.dana.pk).update(name=name)
        assert addressed(house.ticket()).first_name == first


def test_letters_hang_in_the_customers_thread(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    question = ticket.messages.get().message_id
    house.sweep(START)
    house.answer(ticket, "One more thing is broken.", now=after(minutes=1), message_id="<b@c.d>")
    to = addressed(ticket)
    assert to.in_reply_to == "<b@c.d>"
    assert to.references[0] == question
    assert to.references[-1] == "<b@c.d>"
    assert len(to.references) == 3, "and our own letter between them"


def test_a_forged_message_id_reaches_no_header(house: House) -> None:
    ticket = house.ticket()
    house.answer(
        ticket, "It is broken.", now=after(minutes=1), message_id="<a@b>\r\nBcc: all@example.com"
    )
    assert "Bcc" not in addressed(ticket).in_reply_to + "".join(addressed(ticket).references)


def test_addressing_costs_three_queries_for_any_number(
    house: House, django_assert_num_queries: object
) -> None:
    tickets = [house.ticket() for _number in range(4)]
    loaded = list(Ticket.objects.select_related("requester", "assignee", "team"))
    assert len(loaded) == len(tickets)
    with django_assert_num_queries(3):  # type: ignore[operator]
        addressing_many(tickets=loaded)


# Answer


def test_whoever_answers_what_is_nobodys_becomes_its_assignee(house: House) -> None:
    ticket = house.ticket()
    house.reply(ticket, now=after(minutes=5))
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (house.anna, Status.OPEN)
    assert letters_of(ticket) == ["reply"]


def test_a_reply_says_something_and_leaves_ten_seconds_later(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    with pytest.raises(Refused) as refused:
        conversation.reply(ticket_id=ticket.pk, text=" ", status="open", now=START, by=house.anna)
    assert refused.value.field == "text"
    message = house.reply(ticket, now=after(minutes=5))
    assert message.email is not None
    assert message.email.not_before == after(minutes=5) + timedelta(seconds=10)


# Letting in


def test_a_strangers_message_waits_until_somebody_lets_it_in(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.reply(ticket, now=after(minutes=5), status=Status.WAITING)
    message = house.answer(
        ticket, "I am Dana's colleague: the key is key_b1b1.", now=after(hours=1), unverified=True
    )
    assert (message.internal, message.unverified) == (True, True)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since) == (Status.WAITING, None)
    conversation.accept_message(message_id=message.pk, now=after(hours=2), by=house.anna)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since) == (Status.OPEN, after(hours=1))
    message.refresh_from_db()
    assert (message.internal, message.unverified) == (False, False)
    with pytest.raises(Refused):
        conversation.accept_message(message_id=message.pk, now=after(hours=3), by=house.anna)


def test_letting_a_message_in_reopens_a_ticket_that_was_resolved_meanwhile(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    message = house.answer(ticket, "Ours fails as well.", now=after(hours=1), unverified=True)
    endings.resolve(ticket_id=ticket.pk, outcome="Refilled.", now=after(hours=2), by=house.anna)
    conversation.accept_message(message_id=message.pk, now=after(hours=3), by=house.anna)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.reopened_count) == (Status.OPEN, 1)


def test_nothing_but_a_strangers_message_is_let_in(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    automatic = house.answer(ticket, "Out of office", now=after(hours=1), automatic=True)
    for message in (ticket.messages.first(), automatic):
        assert message is not None
        with pytest.raises(Refused):
            conversation.accept_message(message_id=message.pk, now=after(hours=2), by=house.anna)
