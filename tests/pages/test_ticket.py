"""The ticket page: what it shows to whom, what can be done on it, and what is refused how."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from escalation.models import Escalation
from notifications.models import OutgoingEmail
from staff.models import Team
from tests.house import House, fresh, promise_of
from tests.pages.acting import (
    EVIL,
    HTMX,
    ago,
    ahead,
    all_rows,
    as_,
    fields_in_error,
    form,
    has_no_markup_of,
    opened,
    press,
    queries,
    stranger,
)
from tests.pages.desk import Markup, html, words
from tickets.models import Attachment, FollowUp, Message, Ticket

pytestmark = pytest.mark.django_db

#: Session, reader, ticket; the roster's eight; policy, details (2), clocks (2), escalations (3),
#: promise, follow-ups, what fired; messages, files, letters, events; checklist (3), decisions,
#: the customer's open tickets, the rail's offers, categories; what became of letters, a snooze.
QUERIES = 23


@pytest.fixture
def ticket(house: House) -> Ticket:
    """Dana's, half an hour old, Anna's to answer."""
    return house.ticket(now=ago(minutes=30), assignee=house.anna, impact=1, urgency=2)


@pytest.fixture
def anna(house: House) -> Client:
    return as_(house.anna)


# What it shows


def test_the_conversation_tells_public_words_from_internal_ones(
    house: House, ticket: Ticket, anna: Client
) -> None:
    press(anna, ticket, "note", text="They are on the old gateway.")
    press(anna, ticket, "reply", text="We are on it, Dana.", status="open")

    page = anna.get(ticket.get_absolute_url())

    said = words(page)
    assert "Every call fails since 09:10. Our key is key_4f2a91." in said
    assert "Internal note, the customer does not see it" in said
    note, reply = (Message.objects.get(kind=kind) for kind in ("note", "reply"))
    kinds = {
        carried["id"]: carried["class"]
        for tag, carried in Markup(html(page)).elements
        if tag == "section" and carried.get("id", "").startswith("message-")
    }
    assert kinds[f"message-{note.pk}"] == "msg msg-note"
    assert kinds[f"message-{reply.pk}"] == "msg msg-out"


def test_a_detail_stands_with_the_sentence_it_was_found_in(
    house: House, ticket: Ticket, anna: Client
) -> None:
    message = ticket.messages.get()

    said, source = words(page := anna.get(ticket.get_absolute_url())), html(page)

    assert "Details · 100 %" in said
    assert "API key ID key_4f2a91 “Every call fails since 09:10. Our key is key_4f2a91.”" in said
    assert f'href="#message-{message.pk}"' in source
    assert "found in the conversation: API key ID" in said, "its name, not its key"


def test_a_missing_detail_says_so_and_can_be_asked_for(house: House, anna: Client) -> None:
    ticket = house.ticket(text="Every call to the API fails.", now=ago(minutes=5))
    before = words(anna.get(ticket.get_absolute_url()))

    press(anna, ticket, "ask", keys=["key-id"])

    after = words(anna.get(ticket.get_absolute_url()))
    assert "Details · 0 %" in before
    assert "API key ID missing" in before
    assert re.search("API key ID asked for (just now|0 s)", after)
    assert "Waiting on customer" in after


def test_clocks_count_down_to_when_they_are_due(house: House, ticket: Ticket, anna: Client) -> None:
    house.sweep(timezone.now())

    source = html(anna.get(ticket.get_absolute_url()))

    clocks = source[source.index("Clocks") :]
    assert "First response" in clocks
    assert "Resolution" in clocks
    due = ticket.clocks.get(kind="first_response").due_at
    assert due is not None
    assert f'data-due="{due.isoformat()}"' in clocks
    assert "data-countdown" in clocks


def test_the_escalation_shows_its_path_and_its_checklist(
    house: House, ticket: Ticket, anna: Client
) -> None:
    house.escalate(ticket, now=ago(minutes=2))

    said = words(anna.get(ticket.get_absolute_url()))

    assert "Escalation · Offered" in said
    assert "Integrations (Tier 2)" in said
    assert "Needs expertise we do not have here" in said
    assert "Find out why the gateway refuses it." in said
    assert "Repeated the call: 502 from the gateway." in said
    path = said[said.index("Escalated by Anna Keller") :]
    steps = ("Offered to Integrations", "Remind the team", "Grace Lim", "Platform", "Helen Brandt")
    assert all(path.index(one) < path.index(other) for one, other in pairwise(steps))
    assert re.search(r"Checklist · [4-6]/8", said)
    assert "Assess the complexity and the urgency" in said


def test_the_promise_says_when_the_customer_expects_word(
    house: House, ticket: Ticket, anna: Client
) -> None:
    house.escalate(ticket, now=ago(minutes=2))

    page = anna.get(ticket.get_absolute_url())

    promise = promise_of(ticket)
    assert promise.due_at is not None
    assert "Promise to Dana" in words(page)
    assert "Was told to expect a reply by" in words(page)
    assert f'data-due="{promise.due_at.isoformat()}"' in html(page)
    assert "Letter to Dana Escalated, and the time to expect a reply" in words(page)
    assert "has been escalated to Tier 2, Integrations" in words(page), "before it is sent, too"


def test_it_explains_why_a_rule_escalated_and_why_others_did_not(
    house: House, anna: Client
) -> None:
    ticket = house.ticket(now=ago(minutes=20), impact=1, urgency=1)
    house.sweep(timezone.now())

    said = words(anna.get(ticket.get_absolute_url()))

    escalation = Escalation.objects.get(ticket=ticket)
    assert f"by the rule “{escalation.reason}”" in said, "its name, not its key"
    assert "not asked: an escalation of this kind is open" in said
    assert "Path, step 1: remind the team" in said
    assert "Promise" in said


def test_it_says_what_will_happen_if_nobody_does_anything(house: House, anna: Client) -> None:
    ticket = house.ticket(now=ago(minutes=1), impact=1, urgency=1)
    house.sweep(timezone.now())

    said = words(anna.get(ticket.get_absolute_url()))

    assert "Escalates by the rule “" in said
    assert "→ Integrations" in said
    assert "would hold from" in said


def test_agent_receiver_and_lead_are_offered_what_they_may_do(
    house: House, ticket: Ticket, anna: Client
) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))
    ends = f"/escalations/{escalation.pk}/"

    def offered(user: Any) -> set[str]:
        source = html(as_(user).get(ticket.get_absolute_url()))
        return set(re.findall(rf'href="[^"]*{ends}([a-z-]+)/"', source))

    assert offered(house.anna) == {"withdraw"}
    assert offered(house.ben) == set()
    receives = {"accept", "decline", "hand-on"}
    assert offered(house.priya) == receives
    assert offered(house.grace) == receives | {"accept-for", "de-escalate"}
    press(as_(house.priya), ticket, f"escalations/{escalation.pk}/accept", first_step="")
    owns = {"resolve", "send-back", "hand-on"}
    assert offered(house.anna) == {"withdraw"}
    assert offered(house.mei) == set()
    assert offered(house.priya) == owns
    assert offered(house.grace) == offered(house.helen) == owns | {"reassign", "de-escalate"}
    assert offered(house.marco) == {"de-escalate"}, "who leads the ticket's own team"


def test_quoted_text_is_folded(house: House, ticket: Ticket, anna: Client) -> None:
    house.answer(
        ticket, "Still the same.", now=ago(minutes=1), quoted="On Tuesday you wrote: hello"
    )

    source = html(anna.get(ticket.get_absolute_url()))

    folded = re.search(r"<details>\s*<summary>Quoted text</summary>(.*?)</details>", source, re.S)
    assert folded is not None
    assert "On Tuesday you wrote: hello" in folded[1]


def test_long_conversations_are_read_a_page_at_a_time(
    house: House, ticket: Ticket, anna: Client
) -> None:
    for number in range(70):
        house.answer(ticket, f"word-{number}-", now=ago(minutes=25) + timedelta(seconds=number))

    newest = html(anna.get(ticket.get_absolute_url()))
    older_than = re.search(r"\?before=(\d+)", newest)
    assert older_than is not None
    older = html(anna.get(f"{ticket.get_absolute_url()}?before={older_than[1]}"))

    both = [set(re.findall(r"word-\d+-", page)) for page in (newest, older)]
    assert len(both[0]) == 60
    assert not both[0] & both[1]
    assert len(both[0] | both[1]) == 70


def test_the_pane_of_triage_gets_the_ticket_without_its_frame(
    house: House, ticket: Ticket, anna: Client
) -> None:
    pane = html(anna.get(f"{ticket.get_absolute_url()}?pane=1"))

    assert "<html" not in pane
    assert ticket.subject in pane
    assert "<h1" not in pane


def test_a_reference_leads_to_its_ticket_however_it_is_written(
    house: House, ticket: Ticket, anna: Client
) -> None:
    for written in (str(ticket.pk), f"hd-{ticket.pk}"):
        answer = anna.get(f"/tickets/{written}/")
        assert answer.status_code == 302
        assert answer.headers["Location"] == ticket.get_absolute_url()
    for nothing in ("HD-0", "HD-99999999999", "HD-", "x", "HD-1;", "٣", "HD-1%00"):
        assert anna.get(f"/tickets/{nothing}/").status_code == 404, nothing


# What can be done


Done = tuple[str, dict[str, Any], str]
Tries = list[tuple[str, dict[str, Any]]]

#: An action of an open ticket, what is sent, and what is said of it.
ON_AN_OPEN_TICKET: list[Done] = [
    ("reply", {"text": "We are on it.", "status": "on_hold"}, "Sent. It leaves in ten seconds."),
    ("note", {"text": "A note."}, "Noted."),
    (
        "assess",
        {"impact": "1", "urgency": "1", "complexity": "simple", "category": ""},
        "Assessed.",
    ),
    ("assign", {"assignee": "{ben}"}, "Assigned."),
    ("assign", {"assignee": ""}, "Assigned."),
    ("move", {"team": "{platform}"}, "Moved."),
    ("status", {"status": "on_hold"}, "Status changed."),
    ("detail", {"key": "key-id", "value": "key_ffff"}, "Detail kept."),
    ("follow-up", {"text": "Call them", "due_at": "{ahead}", "every": "4h"}, "Follow-up added."),
    ("update", {"headline": "Found", "text": "We have found it."}, "The customer is told."),
    ("resolve", {"outcome": "Restarted."}, "Resolved; the customer is asked to check."),
]


def _filled(house: House, sent: dict[str, Any]) -> dict[str, Any]:
    names = {"ben": house.ben.pk, "platform": house.platform.pk, "ahead": ahead(hours=4)}
    return {k: v.format(**names) if isinstance(v, str) else v for k, v in sent.items()}


@pytest.mark.parametrize(("action", "sent", "said"), ON_AN_OPEN_TICKET)
def test_a_form_is_worked_on_and_leads_back_to_the_ticket(
    house: House, ticket: Ticket, anna: Client, action: str, sent: dict[str, Any], said: str
) -> None:
    before = all_rows()

    answer = press(anna, ticket, action, **_filled(house, sent))

    assert answer.status_code == 302
    assert answer.headers["Location"] == ticket.get_absolute_url()
    assert said in words(anna.get(ticket.get_absolute_url()))
    assert all_rows() != before


@pytest.mark.parametrize(("action", "sent", "said"), ON_AN_OPEN_TICKET)
def test_htmx_gets_the_article_alone_with_what_was_done(
    house: House, ticket: Ticket, anna: Client, action: str, sent: dict[str, Any], said: str
) -> None:
    answer = press(anna, ticket, action, htmx=True, **_filled(house, sent))

    assert answer.status_code == 200
    assert "<html" not in html(answer)
    assert html(answer).lstrip().startswith("<article")
    assert said in words(answer)


def test_what_is_done_shows(house: House, ticket: Ticket, anna: Client) -> None:
    press(anna, ticket, "assess", impact=1, urgency=1, complexity="simple", category="")
    press(anna, ticket, "assign", assignee=house.ben.pk)
    press(anna, ticket, "status", status="on_hold")
    press(anna, ticket, "follow-up", text="Call Dana", due_at=ahead(hours=2), user=house.ben.pk)

    said = words(anna.get(ticket.get_absolute_url()))

    assert f"{ticket.reference} P1 On hold" in said
    assert "Anna Keller assessed: P1" in said
    assert "Anna Keller assigned to Ben Osei" in said
    assert "status: On hold" in said
    assert "Call Dana" in said


def test_a_resolved_ticket_can_be_closed_and_a_closed_one_reopened(
    house: House, ticket: Ticket, anna: Client
) -> None:
    press(anna, ticket, "resolve", outcome="Restarted.", cause="A stuck pool")

    for action, said, shown in (
        ("close", "Closed.", "This ticket is closed."),
        ("reopen", "Open again.", "Reply to Dana"),
    ):
        answer = press(anna, ticket, action, htmx=True)
        assert answer.status_code == 200
        assert said in words(answer)
        assert shown in words(answer)


def test_a_new_time_is_told_and_takes_the_place_of_the_old_one(
    house: House, ticket: Ticket, anna: Client
) -> None:
    house.escalate(ticket, now=ago(minutes=2))
    old = promise_of(ticket)

    answer = press(
        anna, ticket, "new-time", due=ahead(hours=30), reason="One more test.", htmx=True
    )

    assert answer.status_code == 200
    assert "The customer is told the new time." in words(answer)
    assert "Moved once." in words(answer)
    assert promise_of(ticket).pk != old.pk


def test_an_offer_is_accepted_worked_on_and_resolved(
    house: House, ticket: Ticket, anna: Client
) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))
    priya, at = as_(house.priya), f"escalations/{escalation.pk}"

    accepted = press(priya, ticket, f"{at}/accept", first_step="tracing a call", htmx=True)
    assert "It is yours; the customer is told." in words(accepted)
    assert "Accepted by Priya Nair" in words(accepted)
    ticked = press(anna, ticket, f"{at}/tick", item="update", ticked="on")
    assert ticked.status_code == 302
    assert escalation.ticks.get().item == "update"
    press(anna, ticket, f"{at}/tick", item="update")
    assert not escalation.ticks.exists()
    resolved = press(priya, ticket, f"{at}/resolve", outcome="The pool is full again.", htmx=True)
    assert "The escalation is resolved; the assignee confirms with the customer." in words(resolved)
    assert "Confirm with the customer" in words(resolved)
    assert "Earlier escalations" in words(resolved)


def test_what_comes_back_can_be_offered_again(house: House, ticket: Ticket, anna: Client) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))
    priya, at = as_(house.priya), f"escalations/{escalation.pk}"

    declined = press(
        priya,
        ticket,
        f"{at}/decline",
        reason_code="details_missing",
        reason="Which region?",
        missing=["key-id"],
        htmx=True,
    )
    assert "Declined; it is back with the assignee." in words(declined)
    assert "Details are missing: Which region? (API key ID)" in words(declined)
    again = press(anna, ticket, f"{at}/offer-again", team=house.integrations.pk, note="EU.")
    assert again.status_code == 302
    press(priya, ticket, f"{at}/accept")
    back = press(priya, ticket, f"{at}/send-back", reason_code="known_answer", reason="See above")
    assert back.status_code == 302
    press(anna, ticket, f"{at}/offer-again", team=house.integrations.pk)
    handed = press(priya, ticket, f"{at}/hand-on", team=house.platform.pk, htmx=True)
    assert "Handed on." in words(handed)
    assert "Offered to Platform" in words(handed)
    assert fresh(escalation).hops == 4


def test_a_follow_up_is_ticked_off(house: House, ticket: Ticket, anna: Client) -> None:
    press(anna, ticket, "follow-up", text="Call Dana", due_at=ahead(hours=2))
    follow_up = FollowUp.objects.get(ticket=ticket)

    answer = press(anna, ticket, f"follow-ups/{follow_up.pk}/done", htmx=True)

    assert answer.status_code == 200
    assert "Call Dana" not in words(answer)
    assert press(anna, ticket, f"follow-ups/{follow_up.pk}/done").status_code == 302, "twice: fine"


def test_somebody_unknown_is_let_in_by_a_press(house: House, ticket: Ticket, anna: Client) -> None:
    message = stranger(ticket, "I can say more.")
    before = words(anna.get(ticket.get_absolute_url()))

    answer = press(anna, ticket, f"messages/{message.pk}/accept", htmx=True)

    assert "From somebody who is not on this ticket." in before
    assert "They are on this ticket now." in words(answer)
    again = press(anna, ticket, f"messages/{message.pk}/accept", htmx=True)
    assert again.status_code == 422
    assert "There is nothing to accept about this message." in words(again)


def test_a_form_goes_on_only_to_pages_of_our_own(
    house: House, ticket: Ticket, anna: Client
) -> None:
    for onward, goes in (
        ("/offers/", "/offers/"),
        ("https://evil.example/", ticket.get_absolute_url()),
        ("//evil.example/", ticket.get_absolute_url()),
        ("javascript:alert(1)", ticket.get_absolute_url()),
    ):
        answer = press(anna, ticket, "note", text="A note.", next=onward)
        assert answer.headers["Location"] == goes


def test_whoever_moves_a_ticket_out_of_their_sight_is_taken_to_the_desk(
    house: House, ticket: Ticket, anna: Client
) -> None:
    secret = house.team("secret", "Secret matters", 2, is_private=True)

    plain = press(anna, ticket, "move", team=secret.pk)

    assert plain.headers["Location"] == "/desk/"
    assert "Moved." in words(anna.get("/desk/"))
    Ticket.objects.filter(pk=ticket.pk).update(team=house.emea)
    swapped = press(anna, ticket, "move", team=secret.pk, htmx=True)
    assert swapped.headers["HX-Redirect"] == "/desk/"


# What is refused


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("reply", {"text": "  ", "status": "open"}, "This field is required", ""),
    ("reply", {"text": "kept words", "status": "closed"}, "Select a valid choice", "kept words"),
    ("note", {"text": ""}, "This field is required", ""),
    (
        "assess",
        {"impact": "9", "urgency": "1", "complexity": "simple"},
        "Select a valid choice",
        "on-assess-impact",
    ),
    ("assess", {"impact": "1", "urgency": "1"}, "This field is required", "on-assess-complexity"),
    ("assign", {"assignee": "999999"}, "Select a valid choice", "on-assign-assignee"),
    ("move", {"team": ""}, "This field is required", "on-move-team"),
    ("status", {"status": "resolved"}, "Select a valid choice", "on-status-status"),
    ("detail", {"key": "key-id", "value": " "}, "This field is required", ""),
    ("ask", {"keys": ["nonsense"]}, "Select a valid choice", ""),
    (
        "follow-up",
        {"text": "kept words", "due_at": "2020-01-01T10:00"},
        "The time has to lie ahead.",
        "kept words",
    ),
    (
        "follow-up",
        {"text": "kept words", "due_at": "{ahead}", "every": "soon"},
        "Add a follow-up",
        'value="kept words"',
    ),
    ("update", {"headline": "kept words", "text": ""}, "This field is required", "kept words"),
    (
        "update",
        {"headline": "kept words", "text": "x", "next_word_by": "2020-01-01T10:00"},
        "The next word has to lie ahead.",
        "on-update-next_word_by",
    ),
    ("new-time", {"due": "{ahead}", "reason": "why"}, "No time stands that could be replaced.", ""),
    ("resolve", {"outcome": "", "cause": "kept words"}, "This field is required", "kept words"),
    ("close", {}, "", ""),
]


@pytest.mark.parametrize(("action", "sent", "said", "kept"), REFUSED)
@pytest.mark.parametrize("htmx", [False, True])
def test_what_is_refused_comes_back_with_what_was_written(
    house: House,
    ticket: Ticket,
    anna: Client,
    action: str,
    sent: dict[str, Any],
    said: str,
    kept: str,
    htmx: bool,
) -> None:
    before = all_rows()

    answer = press(anna, ticket, action, htmx=htmx, **_filled(house, sent))

    assert answer.status_code == 422
    assert said in words(answer)
    assert kept in html(answer)
    assert "field-error" in html(answer) or "toast-error" in html(answer)
    assert ("<html" in html(answer)) is not htmx
    assert all_rows() == before


def test_an_error_stands_at_its_field(house: House, ticket: Ticket, anna: Client) -> None:
    answer = press(anna, ticket, "follow-up", text="Call", due_at="2020-01-01T10:00")

    assert fields_in_error(answer) == ["on-follow_up-due_at"]
    field = next(
        carried
        for tag, carried in Markup(html(answer)).elements
        if carried.get("id") == "on-follow_up-due_at"
    )
    assert field["aria-invalid"] == "true"
    assert "on-follow_up-due_at_error" in field["aria-describedby"]


def test_nobody_writes_over_what_they_have_not_seen(
    house: House, ticket: Ticket, anna: Client
) -> None:
    seen = opened(anna, html(anna.get(ticket.get_absolute_url())), "/status/")
    press(as_(house.ben), ticket, "note", text="Wait for the vendor.")
    press(as_(house.ben), ticket, "status", status="on_hold")

    tries: Tries = [
        ("status", {"status": "open"}),
        ("assign", {"assignee": house.ben.pk}),
        ("move", {"team": house.platform.pk}),
        ("assess", {"impact": 3, "urgency": 3, "complexity": "simple", "category": ""}),
    ]
    for action, sent in tries:
        answer = press(anna, ticket, action, **sent, version=seen["version"])
        assert answer.status_code == 422
        assert "has been changed by somebody else meanwhile" in words(answer)
    assert Ticket.objects.get(pk=ticket.pk).status == "on_hold"


def test_a_ticket_that_is_over_takes_no_work_but_notes(
    house: House, ticket: Ticket, anna: Client
) -> None:
    press(anna, ticket, "resolve", outcome="Restarted.")
    press(anna, ticket, "close")
    before = all_rows()

    tries: Tries = [
        ("reply", {"text": "Hello?", "status": "open"}),
        ("update", {"headline": "New", "text": "More."}),
        ("status", {"status": "open"}),
        ("resolve", {"outcome": "Again."}),
        ("ask", {"keys": ["key-id"]}),
    ]
    for action, sent in tries:
        answer = press(anna, ticket, action, **sent)
        assert answer.status_code == 422, action
        assert "toast-error" in html(answer) or "field-error" in html(answer), action
    assert all_rows() == before
    assert press(anna, ticket, "note", text="They called.").status_code == 302


def test_a_held_ticket_is_neither_resolved_nor_closed(
    house: House, ticket: Ticket, anna: Client
) -> None:
    house.escalate(ticket, now=ago(minutes=1))

    assert "the ticket can be resolved once it has ended" in words(
        anna.get(ticket.get_absolute_url())
    )
    tries: Tries = [("resolve", {"outcome": "Done."}), ("close", {})]
    for action, sent in tries:
        assert press(anna, ticket, action, **sent).status_code == 422
    assert Ticket.objects.get(pk=ticket.pk).status == "new"


def test_who_was_slower_hears_that_it_is_taken(house: House, ticket: Ticket, anna: Client) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))
    at = f"escalations/{escalation.pk}"
    press(as_(house.priya), ticket, f"{at}/accept")

    tries: Tries = [("accept", {}), ("decline", {"reason_code": "other", "reason": "x"})]
    for action, sent in tries:
        answer = press(as_(house.mei), ticket, f"{at}/{action}", **sent)
        assert answer.status_code == 422
        assert "is accepted by now" in words(answer)
    assert fresh(escalation).owner == house.priya


def test_what_is_not_theirs_to_do_is_refused(house: House, ticket: Ticket, anna: Client) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))
    before = all_rows()

    tries: Tries = [
        ("accept", {}),
        ("decline", {"reason_code": "other", "reason": "x"}),
        ("hand-on", {"team": house.platform.pk}),
        ("resolve", {"outcome": "x"}),
        ("send-back", {"reason_code": "other", "reason": "x"}),
        ("offer-again", {"team": house.platform.pk}),
    ]
    for action, sent in tries:
        answer = press(as_(house.ben), ticket, f"escalations/{escalation.pk}/{action}", **sent)
        assert answer.status_code == 422, action
        assert "toast-error" in html(answer), action
    assert all_rows() == before


# Sent twice


def test_a_reply_that_is_sent_twice_leaves_once(house: House, ticket: Ticket, anna: Client) -> None:
    hidden = form(html(anna.get(ticket.get_absolute_url())), "/reply/")
    sent = {**hidden, "text": "We are on it.", "status": "open"}

    first = press(anna, ticket, "reply", **sent)
    second = press(anna, ticket, "reply", **sent)
    swapped = press(anna, ticket, "reply", htmx=True, **sent)

    assert (first.status_code, second.status_code, swapped.status_code) == (302, 302, 200)
    assert "This was done already; it is done once." in words(swapped)
    assert Message.objects.filter(kind="reply").count() == 1
    assert OutgoingEmail.objects.filter(kind="reply").count() == 1


@pytest.mark.parametrize("action", ["note", "update", "follow-up"])
def test_anything_else_that_is_sent_twice_is_done_once(
    house: House, ticket: Ticket, anna: Client, action: str
) -> None:
    sent = next(sent for name, sent, _said in ON_AN_OPEN_TICKET if name == action)
    hidden = opened(anna, html(anna.get(ticket.get_absolute_url())), f"/{action}/")
    press(anna, ticket, action, **hidden, **(sent := _filled(house, sent)))
    after = all_rows()

    press(anna, ticket, action, **hidden, **sent)

    assert all_rows() == after


def test_other_words_from_the_same_form_are_no_repetition(
    house: House, ticket: Ticket, anna: Client
) -> None:
    hidden = form(html(anna.get(ticket.get_absolute_url())), "/note/")

    for text in ("One.", "Two.", "One."):
        press(anna, ticket, "note", **hidden, text=text)
    press(as_(house.ben), ticket, "note", **hidden, text="One.")

    assert list(
        Message.objects.filter(kind="note").order_by("pk").values_list("text", "user__name")
    ) == [("One.", "Anna Keller"), ("Two.", "Anna Keller"), ("One.", "Ben Osei")]


def test_what_was_refused_can_be_sent_again(house: House, ticket: Ticket, anna: Client) -> None:
    hidden = opened(anna, html(anna.get(ticket.get_absolute_url())), "/resolve/")
    escalation = house.escalate(ticket, now=ago(minutes=1))
    refused = press(anna, ticket, "resolve", **hidden, outcome="Done.")
    press(as_(house.priya), ticket, f"escalations/{escalation.pk}/accept")
    press(as_(house.priya), ticket, f"escalations/{escalation.pk}/resolve", outcome="Done.")

    again = press(anna, ticket, "resolve", htmx=True, outcome="Done.", once=hidden["once"])

    assert refused.status_code == 422
    assert again.status_code == 200
    assert Ticket.objects.get(pk=ticket.pk).status == "resolved"


# What nobody means


ODD: Tries = [
    ("reply", {"text": "x" * 10_000_000, "status": "open"}),
    ("reply", {"text": "nul \x00 inside", "status": "open"}),
    ("reply", {"text": ["a", "b"], "status": ["open", "\x00"]}),
    ("note", {"text": "y" * 50_001}),
    ("assess", {"impact": "1e0", "urgency": "²", "complexity": "\x00", "category": "x"}),
    ("assess", {"impact": "1", "urgency": "1", "complexity": "simple", "category": "99999999999"}),
    ("assess", {"impact": "1", "urgency": "1", "complexity": "simple", "version": "9" * 40}),
    ("assign", {"assignee": "9223372036854775808"}),
    ("assign", {"assignee": "1 OR 1=1"}),
    ("move", {"team": "-1"}),
    ("move", {"team": "\x00"}),
    ("status", {"status": {}}),
    ("status", {"status": "open", "version": "0"}),
    ("detail", {"key": "../key", "value": "x"}),
    ("detail", {"key": "k" * 300, "value": "x"}),
    ("detail", {"key": "key-id", "value": "v" * 1001}),
    ("ask", {"keys": ["\x00", "key-id"]}),
    ("follow-up", {"text": "x", "due_at": "9999-12-31T23:59"}),
    ("follow-up", {"text": "x", "due_at": "0001-01-01T00:00"}),
    ("follow-up", {"text": "x", "due_at": "2031-02-30T10:00"}),
    ("follow-up", {"text": "x", "due_at": "{ahead}", "every": "9999999999h"}),
    ("follow-up", {"text": "x", "due_at": "{ahead}", "every": "0h"}),
    ("follow-up", {"text": "x", "due_at": "{ahead}", "user": "999999"}),
    ("update", {"headline": "h" * 121, "text": "x"}),
    ("update", {"headline": "h", "text": "x", "next_word_by": "9999-12-31T23:59"}),
    ("new-time", {"due": "tomorrow", "reason": "x"}),
    ("resolve", {"outcome": "o" * 4001}),
    ("resolve", {"outcome": "\x00"}),
]


@pytest.mark.parametrize(("action", "sent"), ODD, ids=lambda value: str(value)[:40])
def test_odd_input_is_refused_and_changes_nothing(
    house: House, ticket: Ticket, anna: Client, action: str, sent: dict[str, Any]
) -> None:
    house.escalate(ticket, now=ago(minutes=2))
    before = all_rows()

    answer = press(anna, ticket, action, **_filled(house, sent))

    assert answer.status_code in (400, 413, 422)
    assert all_rows() == before


ODD_ON_ESCALATIONS: Tries = [
    ("accept", {"first_step": "s" * 301}),
    ("accept", {"first_step": "nul\x00"}),
    ("decline", {"reason_code": "because"}),
    ("decline", {"reason_code": "other", "missing": ["nonsense"]}),
    ("decline", {}),
    ("hand-on", {"team": "999999"}),
    ("hand-on", {"team": "{platform}", "user": "{ben}"}),
    ("hand-on", {"team": "{integrations}"}),
    ("tick", {"item": "everything", "ticked": "on"}),
    ("tick", {"item": "\x00"}),
    ("tick", {}),
    ("resolve", {"outcome": "x"}),
]


@pytest.mark.parametrize(("action", "sent"), ODD_ON_ESCALATIONS)
def test_odd_input_to_an_escalation_is_refused_and_changes_nothing(
    house: House, ticket: Ticket, action: str, sent: dict[str, Any]
) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))
    names = {
        "ben": house.ben.pk,
        "platform": house.platform.pk,
        "integrations": house.integrations.pk,
    }
    sent = {k: v.format(**names) if isinstance(v, str) else v for k, v in sent.items()}
    before = all_rows()

    answer = press(as_(house.priya), ticket, f"escalations/{escalation.pk}/{action}", **sent)

    assert answer.status_code == 422
    assert "field-error" in html(answer) or "toast-error" in html(answer)
    assert all_rows() == before


def test_unknown_actions_are_nothing(house: House, ticket: Ticket, anna: Client) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))

    assert press(anna, ticket, "delete").status_code == 404
    assert press(anna, ticket, f"escalations/{escalation.pk}/delete").status_code == 404


# Who may see it


def test_a_private_teams_ticket_is_nowhere_for_others(house: House, ticket: Ticket) -> None:
    secret = house.team("secret", "Secret matters", 1, is_private=True)
    rui = house.person("Rui Costa", secret)
    escalation = house.escalate(ticket, now=ago(minutes=2))
    message = stranger(ticket, "More.", has_html=True)
    follow_up = FollowUp.objects.filter(ticket=ticket).first()
    assert follow_up is not None
    stored = _file(message, "secret.txt", b"secret")
    Ticket.objects.filter(pk=ticket.pk).update(team=secret)
    anna, home = as_(house.anna), ticket.get_absolute_url()
    before = all_rows()

    for address in (
        home,
        f"{home}?pane=1",
        f"{home}escalate/",
        f"{home}attachments/{stored.pk}/",
        f"{home}messages/{message.pk}/html/",
    ):
        assert anna.get(address).status_code == 404, address
    for action in (
        *{name for name, _sent, _said in ON_AN_OPEN_TICKET},
        "ask",
        "close",
        "reopen",
        "new-time",
        "escalate",
        "escalate/letter",
        f"messages/{message.pk}/accept",
        f"follow-ups/{follow_up.pk}/done",
        f"escalations/{escalation.pk}/tick",
        f"escalations/{escalation.pk}/accept",
    ):
        assert press(anna, ticket, action, text="x").status_code == 404, action
    assert all_rows() == before
    for user in (rui, house.helen, house.sam):
        assert as_(user).get(home).status_code == 200


def test_what_hangs_on_another_ticket_is_not_reached_through_this_one(
    house: House, ticket: Ticket, anna: Client
) -> None:
    other = house.ticket("Another matter", now=ago(minutes=20))
    escalation = house.escalate(other, now=ago(minutes=2))
    message = stranger(other, "More.", has_html=True)
    follow_up = FollowUp.objects.filter(ticket=other).first()
    assert follow_up is not None
    stored = _file(message, "a.txt", b"a")
    before = all_rows()

    home = ticket.get_absolute_url()
    assert anna.get(f"{home}attachments/{stored.pk}/").status_code == 404
    assert anna.get(f"{home}messages/{message.pk}/html/").status_code == 404
    for action in (
        f"messages/{message.pk}/accept",
        f"follow-ups/{follow_up.pk}/done",
        f"escalations/{escalation.pk}/tick",
        f"escalations/{escalation.pk}/accept",
    ):
        assert press(anna, ticket, action, item="update").status_code == 404, action
    assert all_rows() == before


def test_nobody_reads_or_writes_without_signing_in(client: Client, ticket: Ticket) -> None:
    before = all_rows()

    for action in ("", "reply/", "escalate/", "escalate/letter/", "escalations/1/accept/"):
        address = f"{ticket.get_absolute_url()}{action}"
        answer = client.post(address, {"text": "x"}) if action else client.get(address)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/accounts/login/?next=")
    assert all_rows() == before


def test_a_form_from_elsewhere_is_refused(house: House, ticket: Ticket) -> None:
    browser = as_(house.anna, checks_csrf=True)
    before = all_rows()

    for action in ("reply", "note", "escalate", "escalate/letter", "close"):
        assert press(browser, ticket, action, text="x", status="open").status_code == 403
    assert all_rows() == before


def test_reading_changes_nothing(house: House, ticket: Ticket, anna: Client) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))
    before, home = all_rows(), ticket.get_absolute_url()

    for address in (home, f"{home}?pane=1", f"{home}?before=5", f"{home}escalate/"):
        assert anna.get(address).status_code == 200
    for action in ("assess", "resolve", f"escalations/{escalation.pk}/accept"):
        assert anna.get(f"{home}{action}/").status_code == 200
    for action in ("reply", "note", "close", f"escalations/{escalation.pk}/tick"):
        assert anna.get(f"{home}{action}/").status_code == 405
    assert all_rows() == before


# What strangers send


def _file(message: Message, name: str, data: bytes, **fields: Any) -> Attachment:
    return Attachment.objects.create(
        message=message,
        name=name,
        content_type=fields.pop("content_type", "text/html"),
        size=len(data),
        sha256=b"\0" * 32,
        file=ContentFile(data, name="stored"),
        **fields,
    )


@pytest.mark.parametrize("name", ["evil.svg", "../../x.html", 'a"; filename="b.html', "für.txt"])
def test_a_file_is_handed_out_to_be_kept_and_never_to_be_run(
    house: House, ticket: Ticket, anna: Client, name: str
) -> None:
    stored = _file(ticket.messages.get(), name, b"<svg onload=alert(1)>")

    answer = anna.get(f"{ticket.get_absolute_url()}attachments/{stored.pk}/")

    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert b"".join(answer.streaming_content) == b"<svg onload=alert(1)>"  # type: ignore[attr-defined]
    stored.file.delete(save=False)
    assert anna.get(f"{ticket.get_absolute_url()}attachments/{stored.pk}/").status_code == 404


def test_what_people_write_stays_text(house: House, anna: Client) -> None:
    house.dana.name = EVIL
    house.dana.save()
    house.norvik.name = EVIL
    house.norvik.save()
    Team.objects.filter(pk=house.integrations.pk).update(name=EVIL)
    ticket = house.ticket(EVIL, text=f"{EVIL} API key_4f2a91", now=ago(minutes=9), quoted=EVIL)
    _file(ticket.messages.get(), EVIL, b"x")
    escalation = house.escalate(ticket, now=ago(minutes=5), tried=EVIL, ask=EVIL)
    tries: Tries = [
        ("note", {"text": EVIL}),
        ("detail", {"key": "key-id", "value": EVIL}),
        ("follow-up", {"text": EVIL, "due_at": ahead(hours=1)}),
        ("reply", {"text": EVIL, "status": "open"}),
        ("update", {"headline": EVIL, "text": EVIL}),
    ]
    for action, sent in tries:
        assert press(anna, ticket, action, **sent).status_code == 302, action

    has_no_markup_of(anna.get(ticket.get_absolute_url()))
    has_no_markup_of(anna.get(f"{ticket.get_absolute_url()}escalate/"))
    has_no_markup_of(as_(house.priya).get("/offers/"))
    has_no_markup_of(as_(house.grace).get("/escalations/"))
    has_no_markup_of(anna.get("/mail/"))
    at = f"escalations/{escalation.pk}/accept"
    assert press(as_(house.priya), ticket, at, first_step=EVIL).status_code == 302
    has_no_markup_of(anna.get(ticket.get_absolute_url()))


# What it costs, and how it is used


def test_the_page_costs_the_same_however_long_the_conversation_is(
    house: House, ticket: Ticket, anna: Client
) -> None:
    house.escalate(ticket, now=ago(minutes=20))
    press(anna, ticket, "reply", text="We are on it.", status="open")
    house.sweep(timezone.now())
    few = queries(anna, ticket.get_absolute_url())
    for number in range(25):
        message = house.answer(ticket, f"word {number}", now=ago(minutes=15, seconds=-number))
        _file(message, "a.txt", b"a")
        press(anna, ticket, "note", text=f"note {number}")
        press(anna, ticket, "follow-up", text=f"do {number}", due_at=ahead(hours=number + 1))
        press(anna, ticket, "reply", text=f"reply {number}", status="open")
        press(anna, ticket, "assign", assignee=(house.ben if number % 2 else house.anna).pk)
    house.sweep(timezone.now())

    many = queries(anna, ticket.get_absolute_url())

    assert len(many) <= len(few) <= QUERIES, "\n".join(many)


def test_the_keys_of_the_list_find_their_places_on_the_page(
    house: House, ticket: Ticket, anna: Client
) -> None:
    page = Markup(html(anna.get(ticket.get_absolute_url())))

    keys = {carried["data-key"]: tag for tag, carried in page.elements if "data-key" in carried}
    assert keys.items() >= {"o": "a", "r": "input", "n": "input", "!": "a"}.items()
    ids = [carried["id"] for _tag, carried in page.elements if "id" in carried]
    assert len(ids) == len(set(ids)), "every id once"
    labelled = {c["for"] for tag, c in page.elements if tag == "label" and c.get("for")}
    assert labelled <= set(ids)


def test_htmx_is_swapped_into_what_is_there(house: House, ticket: Ticket, anna: Client) -> None:
    answer = anna.get(ticket.get_absolute_url(), headers=HTMX)

    assert html(answer).lstrip().startswith("<article")
