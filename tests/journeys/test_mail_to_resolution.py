"""The whole way: a customer's mail is escalated, they are told, the follow-up fires, it is resolved.

Real processes, a real mail server, seconds instead of hours by the policy; at every station what
the agent, the receiver, the lead and the customer see and get.
"""

from __future__ import annotations

import json
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

import pytest

from escalation.models import Escalation, Promise
from notifications.models import OutgoingEmail
from staff.models import User
from tests.house import House
from tests.pages.desk import _Text
from tests.processes import Installation, Visitor, eventually, text_of
from tickets.models import FollowUp, Ticket

PASSWORD = "a long enough sentence"

#: Seconds where life has hours, and minutes where something must not be over before it is asked for
#: on a busy machine; whatever is not named here is as shipped.
IN_SECONDS = """
promises: {warnings: [595s wall], round_up_to: 1s, max_slips: 2, auto_repromise: "off"}
paths:
  urgent:
    - {do: remind, after: 2s wall}
    - {do: lead, after: 2s wall}
path_for:
  default: {P1: urgent, P2: urgent, P3: urgent, P4: urgent}
follow_ups: {progress_every: 4s, confirm_after: 1h}
reopen: {window: 20s wall, clocks: continue}
auto_close_after: 20s wall
targets:
  default:
    P1: {first_response: 10m, periodic_update: 1h, resolution: 4h, promise: 10m wall, acceptance: 3s wall}
    P2: {first_response: 1h, periodic_update: 4h, resolution: 8h, promise: 4h wall, acceptance: 30m}
    P3: {first_response: 4h, periodic_update: 10h, resolution: 24h, promise: 24h wall, acceptance: 2h}
    P4: {first_response: 8h, periodic_update: null, resolution: 40h, promise: 24h wall, acceptance: 4h}
rules:
  - key: p1-unanswered
    name: A P1 ticket has waited for a reply
    when:
      all:
        - {fact: priority, op: is, value: P1}
        - {fact: unanswered_for, op: at_least, value: 3s wall}
    to: [{category_tier: 2}, {next_tier: true}]
    nature: overdue
    urgency: high
"""

ASKED = b"""From: Dana Reyes <dana@norvik.example>
To: support@brightquay.example
Subject: POST /v2/invoices returns 502
Message-ID: <first@norvik.example>
Date: Tue, 24 Nov 2026 10:12:00 +0100
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello,

since 09:10 every POST /v2/invoices fails with 502 Bad Gateway, for all our tenants.
Our key is key_4f2a91. Invoices are piling up; please hurry.

Dana
"""


def words(page: str) -> str:
    return " ".join(_Text.of(page).split())


@pytest.mark.slow
def test_a_mail_is_escalated_told_followed_up_and_resolved(installation: Installation) -> None:
    house = House()
    house.publish(text=IN_SECONDS)
    for user in User.objects.all():
        user.set_password(PASSWORD)
        user.save()
    mailbox = installation.mailbox
    installation.start("web", "engine", "mail", "beat")
    anna, priya, grace = (
        _signed_in(installation, person) for person in (house.anna, house.priya, house.grace)
    )

    # Mail in: stored, opened, and acknowledged with the time of the first response.
    outcome = json.loads(installation.manage("ingest_email", "-", stdin=ASKED))
    assert (outcome["outcome"], outcome["source"]) == ("created", "-")
    reference = outcome["ticket"]
    ticket = Ticket.objects.get(pk=int(reference.removeprefix("HD-")))
    received = mailbox.waits_for("dana@norvik.example", "We have your request")
    assert reference in str(received["Subject"])
    assert "Bad Gateway" not in text_of(received), "nothing that a stranger may have written"
    assert "invoices" not in text_of(received)

    # Assess and gather: the agent sees it in triage, with the detail found in its sentence.
    assert "POST /v2/invoices returns 502" in words(anna.get("/desk/"))
    page = words(anna.get(f"/tickets/{reference}/"))
    assert "key_4f2a91" in page
    assert "Our key is key_4f2a91." in page
    # Assigned first: as soon as it is assessed, the engine escalates it.
    anna.post(f"/tickets/{reference}/assign/", assignee=house.anna.pk, version=ticket.version)
    anna.post(
        f"/tickets/{reference}/assess/",
        impact=1,
        urgency=1,
        complexity="specialist",
        category=house.api.pk,
        version=ticket.version + 1,
    )
    explained = json.loads(installation.manage("explain", reference, "--json"))
    assert explained["rules"][0]["goes_to"] == "Integrations"

    # The rule escalates by itself; the customer is told by whom and by when.
    told = mailbox.waits_for("dana@norvik.example", "With Tier 2")
    escalation = Escalation.objects.get(ticket=ticket)
    promise = Promise.objects.get(ticket=ticket)
    assert (escalation.trigger, escalation.rule_key) == ("rule", "p1-unanswered")
    assert "has been escalated to Tier 2, Integrations" in text_of(told)
    assert "Anna Keller stays your contact" in text_of(told)
    assert promise.email is not None
    assert promise.email.message_id == str(told["Message-ID"])
    assert told.get_body(("html",)) is not None
    assert str(told["Auto-Submitted"]).startswith("auto-")
    mailbox.waits_for("priya@brightquay.example", reference)
    page = words(anna.get(f"/tickets/{reference}/"))
    assert "Offered to Integrations" in page
    assert "by the rule" in page
    status = installation.visitor().get(_status_link(told))
    assert "Escalated to Tier 2, Integrations" in words(status)

    # Nobody accepts: the path reminds, then tells the lead, who sees it on the board.
    mailbox.waits_for("grace@brightquay.example", reference)
    assert reference in grace.get("/escalations/")

    # Receive: the package on one screen, accepted; the customer hears who has it.
    offer = words(priya.get("/offers/"))
    assert "key_4f2a91" in offer
    priya.post(
        f"/tickets/{reference}/escalations/{escalation.pk}/accept/",
        first_step="tracing a failed call through the gateway",
    )
    accepted = mailbox.waits_for("dana@norvik.example", "Priya Nair is working on it")
    assert "begins with tracing a failed call" in text_of(accepted)
    reminded = len(mailbox.to("grace@brightquay.example"))

    # Follow up: the assignee is reminded; the lead is told before the promise breaks.
    mailbox.waits_for("anna@brightquay.example", "Check the progress")
    mailbox.waits_for("marco@brightquay.example", "Promise due")
    anna.get(f"/tickets/{reference}/")
    anna.post(
        f"/tickets/{reference}/update/",
        headline="cause found",
        text="One of two gateway pools is empty; we are filling it.",
        next_step="We watch your calls for an hour.",
    )
    update = mailbox.waits_for("dana@norvik.example", "Update: cause found")
    assert "One of two gateway pools is empty" in text_of(update)
    kept = eventually(
        lambda: Promise.objects.filter(ticket=ticket, state="kept").first(), what="a kept promise"
    )
    assert kept.pk == promise.pk

    # Resolve: the owner the escalation, then the assignee the ticket.
    priya.get(f"/tickets/{reference}/")
    priya.post(
        f"/tickets/{reference}/escalations/{escalation.pk}/resolve/",
        outcome="The pool was refilled; calls go through since 10:40.",
        cause="A pool that did not restart after an update",
    )
    mailbox.waits_for("anna@brightquay.example", "confirm with the customer")
    assert "Confirm with the customer" in words(anna.get(f"/tickets/{reference}/"))
    anna.post(
        f"/tickets/{reference}/resolve/",
        outcome="the gateway pool was refilled and invoices post again",
        cause="a pool that did not restart after an update",
    )
    resolved = mailbox.waits_for("dana@norvik.example", "Resolved: please check")
    assert "invoices post again" in text_of(resolved)
    assert not FollowUp.objects.filter(
        ticket=ticket, kind="confirm", done_at=None, dropped_at=None
    ).exists()

    # Thanks are filed and reopen nothing; a problem reopens; then silence closes.
    assert _answer(installation, resolved, "Thank you so much!")["outcome"] == "appended"
    assert Ticket.objects.get(pk=ticket.pk).status == "resolved"
    again = _answer(installation, resolved, "It fails again with the same 502 since 11:02.")
    assert again == {**again, "outcome": "appended", "ticket": reference}
    assert Ticket.objects.get(pk=ticket.pk).status == "open"
    assert "reopened the ticket" in words(anna.get(f"/tickets/{reference}/"))
    anna.post(f"/tickets/{reference}/resolve/", outcome="a second pool was refilled, too")
    closed = mailbox.waits_for("dana@norvik.example", "Closed")
    assert "a second pool was refilled, too" in text_of(closed)
    assert Ticket.objects.get(pk=ticket.pk).status == "closed"

    # Afterwards everything can be explained, and nothing was sent twice.
    explained = json.loads(installation.manage("explain", reference, "--json"))
    assert explained["made"][0]["rule"] == "p1-unanswered"
    assert len(mailbox.to("grace@brightquay.example")) == reminded, "no step after the accept"
    ids = [str(letter["Message-ID"]) for letter in mailbox.letters]
    assert len(ids) == len(set(ids))
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {"sent"}
    mails = words(anna.get("/mail/"))
    assert "Resolved: please check" in mails
    assert "With Tier 2: reply expected" in mails


def _signed_in(installation: Installation, user: User) -> Visitor:
    visitor = installation.visitor()
    page = visitor.sign_in(user.email, PASSWORD)
    assert user.email in page, "signed in"
    return visitor


def _status_link(letter: EmailMessage) -> str:
    return next(word for word in text_of(letter).split() if "/s/" in word)


def _answer(installation: Installation, letter: EmailMessage, text: str) -> dict[str, Any]:
    """Dana presses Reply."""
    answer = EmailMessage()
    answer["From"] = "Dana Reyes <dana@norvik.example>"
    answer["To"] = str(letter["Reply-To"])
    answer["Subject"] = f"Re: {letter['Subject']}"
    answer["Message-ID"] = make_msgid(domain="norvik.example")
    answer["In-Reply-To"] = str(letter["Message-ID"])
    answer.set_content(text)
    outcome: dict[str, Any] = json.loads(
        installation.manage("ingest_email", "-", stdin=answer.as_bytes())
    )
    return outcome
