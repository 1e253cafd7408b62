"""The portal: a customer sees their own tickets without what is internal, and acts on them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from escalation import endings, lifecycle, updates
from notifications.models import OutgoingEmail
from tests.house import House, letters_of
from tests.pages.acting import as_, form, queries
from tests.pages.desk import html, words
from tests.portal.doors import signed_in, upload
from tickets import conversation
from tickets.models import Contact, Detail, Event, Message, Ticket
from tickets.models.ticket import Status

pytestmark = pytest.mark.django_db


def ticket_of(house: House, **fields: Any) -> Ticket:
    return house.ticket(now=timezone.now(), **fields)


def address(ticket: Ticket, action: str = "") -> str:
    return f"/portal/{ticket.reference}/{action}/" if action else f"/portal/{ticket.reference}/"


def press(client: Client, ticket: Ticket, action: str, **sent: Any) -> Any:
    return client.post(address(ticket, action), sent)


def resolved(house: House, ticket: Ticket) -> None:
    endings.resolve(
        ticket_id=ticket.pk, outcome="The pool was refilled.", now=timezone.now(), by=house.anna
    )


def escalation_contact(house: House) -> Contact:
    return house.contact("Ola Berg", house.norvik, is_escalation_contact=True)


# What is seen


def test_a_contact_sees_their_own_tickets_and_no_others(house: House) -> None:
    mine, theirs = ticket_of(house), ticket_of(house, subject="Theirs", by=house.juergen)
    dana = signed_in(house.dana)

    listed = words(dana.get("/portal/"))

    assert mine.reference in listed
    assert "Theirs" not in listed
    assert dana.get(address(mine)).status_code == 200
    assert dana.get(address(theirs)).status_code == 404


def test_a_colleagues_ticket_is_not_theirs_but_the_escalation_contacts(house: House) -> None:
    ticket = ticket_of(house)
    ola = escalation_contact(house)
    peer = house.contact("Per Dahl", house.norvik)

    assert signed_in(peer).get(address(ticket)).status_code == 404
    assert ticket.reference in words(signed_in(ola).get("/portal/"))
    assert signed_in(ola).get(address(ticket)).status_code == 200
    elsewhere = ticket_of(house, by=house.juergen)
    assert signed_in(ola).get(address(elsewhere)).status_code == 404


def test_an_escalation_contact_without_an_organization_sees_only_their_own(house: House) -> None:
    stray = Contact.objects.create(
        email="stray@x.example", is_escalation_contact=True, created_at=timezone.now()
    )
    nobodys = Contact.objects.create(email="other@x.example", created_at=timezone.now())
    ticket = ticket_of(house, by=nobodys)

    assert signed_in(stray).get(address(ticket)).status_code == 404


@pytest.mark.parametrize(
    "action", ["answer", "details", "escalate", "solved", "reopen", "mute", "nonsense"]
)
def test_nobody_acts_on_a_ticket_that_is_not_theirs(house: House, action: str) -> None:
    ticket = ticket_of(house)
    events = Event.objects.filter(ticket=ticket).count()

    answer = press(signed_in(house.juergen), ticket, action, text="x", reason="x", muted="1")

    assert answer.status_code == 404
    assert Event.objects.filter(ticket=ticket).count() == events


def test_who_is_not_signed_in_is_shown_where_to(client: Client, house: House) -> None:
    ticket = ticket_of(house)

    for answer in (client.get(address(ticket)), press(client, ticket, "answer", text="Hello")):
        assert answer.headers["Location"] == "/portal/sign-in/"
    assert Message.objects.filter(ticket=ticket).count() == 1


def test_nothing_internal_and_nothing_unverified_is_shown(house: House) -> None:
    ticket = ticket_of(house, assignee=house.anna)
    now = timezone.now()
    conversation.note(ticket_id=ticket.pk, text="Customer is difficult.", now=now, by=house.anna)
    house.answer(ticket, "I am not Dana.", now=now, unverified=True)
    house.answer(ticket, "Out of office.", now=now, automatic=True)
    house.reply(ticket, now=now)

    page = words(signed_in(house.dana).get(address(ticket)))

    assert "We are looking into it." in page
    for hidden in ("difficult", "not Dana", "Out of office"):
        assert hidden not in page


def test_the_stage_and_the_promised_time_stand_in_their_zone(house: House) -> None:
    ticket = ticket_of(house, assignee=house.anna, impact=1, urgency=1)
    house.escalate(ticket, now=timezone.now())

    page = words(signed_in(house.dana).get(address(ticket)))

    assert "Escalated to Tier 2, Integrations" in page
    assert "You hear from us by" in page
    assert "(Oslo, UTC+" in page
    assert "502 from the gateway" not in page, "what staff say among themselves"


def test_everything_is_in_their_language_and_can_be_in_another(house: House) -> None:
    ticket = ticket_of(house, by=house.juergen)
    juergen = signed_in(house.juergen)

    assert '<html lang="de">' in html(juergen.get(address(ticket)))
    juergen.post("/portal/language/", {"language": "en"})
    assert "We have your request" in words(juergen.get(address(ticket)))
    juergen.post("/portal/language/", {"language": "xx"})
    assert juergen.get("/portal/").status_code == 200
    house.juergen.refresh_from_db()
    assert house.juergen.language == "en", "letters follow"


def test_long_lists_have_pages(house: House) -> None:
    for number in range(27):
        ticket_of(house, subject=f"Ticket number {number}")
    dana = signed_in(house.dana)

    first = html(dana.get("/portal/"))
    assert "Ticket number 26" in first
    assert "Ticket number 0<" not in first
    oldest_shown = Ticket.objects.order_by("-pk")[24].pk
    assert "Ticket number 0<" in html(dana.get(f"/portal/?before={oldest_shown}"))
    for strange in ("x", "-1", "9" * 40, "²", "\x00"):
        assert dana.get("/portal/", {"before": strange}).status_code == 200


def test_long_conversations_have_pages(house: House) -> None:
    ticket = ticket_of(house)
    for number in range(35):
        house.answer(ticket, f"Line {number} of it.", now=timezone.now())
    dana = signed_in(house.dana)

    page = html(dana.get(address(ticket)))
    assert "Line 34 of it." in page
    assert "Every call fails" not in page
    before = Message.objects.filter(ticket=ticket).order_by("-pk")[29].pk
    assert "Every call fails" in html(dana.get(f"{address(ticket)}?before={before}"))


def test_pages_take_the_same_queries_however_much_there_is(house: House) -> None:
    ticket = ticket_of(house)
    dana = signed_in(house.dana)
    few = [len(queries(dana, path)) for path in ("/portal/", address(ticket))]
    for number in range(10):
        house.answer(ticket, f"Line {number} of it.", now=timezone.now())
        ticket_of(house, subject=f"Ticket number {number}")

    assert [len(queries(dana, path)) for path in ("/portal/", address(ticket))] == few


# What is done


def test_an_answer_is_on_the_ticket_and_waits_for_a_reply(house: House) -> None:
    ticket = ticket_of(house, assignee=house.anna)
    house.reply(ticket, now=timezone.now(), status="waiting_on_customer")

    sent = press(
        signed_in(house.dana), ticket, "answer", text="Here it is.", attachments=upload("x.log")
    )

    assert sent.headers["Location"] == address(ticket)
    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN
    assert ticket.waiting_since is not None
    page = words(as_(house.anna).get(ticket.get_absolute_url()))
    assert "Here it is." in page
    assert "x.log" in page


def test_an_empty_answer_comes_back_with_the_reason(house: House) -> None:
    ticket = ticket_of(house)

    page = press(signed_in(house.dana), ticket, "answer", text=" ")

    assert page.status_code == 422
    assert 'id="id_answer_text_error"' in html(page)


def test_an_answer_sent_twice_is_one_message(house: House) -> None:
    ticket = ticket_of(house)
    dana = signed_in(house.dana)
    sent = form(html(dana.get(address(ticket))), "/answer/")

    press(dana, ticket, "answer", text="Here it is.", **sent)
    press(dana, ticket, "answer", text="Here it is.", **sent)

    assert Message.objects.filter(ticket=ticket, text="Here it is.").count() == 1


def test_an_answer_to_a_closed_ticket_becomes_a_new_one(house: House) -> None:
    ticket = ticket_of(house, assignee=house.anna)
    resolved(house, ticket)
    dana = signed_in(house.dana)
    press(dana, ticket, "solved")

    sent = press(dana, ticket, "answer", text="It is back.")

    new = Ticket.objects.get(continues=ticket)
    assert sent.headers["Location"] == address(new)


def test_details_that_are_missing_can_be_given(house: House) -> None:
    ticket = ticket_of(house, text="It does not work.", assignee=house.anna)
    house.status(ticket, "waiting_on_customer", now=timezone.now())
    dana = signed_in(house.dana)
    assert "What would help us" in words(dana.get(address(ticket)))

    press(dana, ticket, "details", **{"detail-key-id": "my own key", "detail-else": "x"})

    detail = Detail.objects.get(ticket=ticket)
    assert (detail.key, detail.value) == ("key-id", "my own key")
    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN
    assert "What would help us" not in words(dana.get(address(ticket)))
    assert "API key ID: my own key" in words(as_(house.anna).get(ticket.get_absolute_url()))


def test_no_detail_at_all_is_refused(house: House) -> None:
    ticket = ticket_of(house, text="It does not work.")

    page = press(signed_in(house.dana), ticket, "details", **{"detail-key-id": " "})

    assert page.status_code == 422
    assert "Fill in at least one of them." in words(page)


def test_asking_to_escalate_says_what_happens_and_reaches_the_rules(house: House) -> None:
    ticket = ticket_of(house, assignee=house.anna)
    dana = signed_in(house.dana)
    assert "A team lead is asked to look at it at once." in words(dana.get(address(ticket)))

    press(dana, ticket, "escalate", reason="Our payroll runs tonight.")

    ticket.refresh_from_db()
    assert ticket.asked_to_escalate_at is not None
    assert Event.objects.get(ticket=ticket, kind="escalation_asked").contact == house.dana
    page = words(as_(house.anna).get(ticket.get_absolute_url()))
    assert "asked to escalate" in page
    assert "Our payroll runs tonight." in page


def test_asking_to_escalate_is_for_once_a_day(house: House) -> None:
    ticket = ticket_of(house)
    dana = signed_in(house.dana)
    press(dana, ticket, "escalate", reason="Our payroll runs tonight.")
    asked_at = Ticket.objects.get(pk=ticket.pk).asked_to_escalate_at

    again = press(dana, ticket, "escalate", reason="And now?")

    assert again.status_code == 422
    assert Ticket.objects.get(pk=ticket.pk).asked_to_escalate_at == asked_at
    assert not Message.objects.filter(text="And now?").exists()
    assert "And now?" in words(again), "the words are not lost"


def test_a_reason_is_needed_to_ask(house: House) -> None:
    ticket = ticket_of(house)

    page = press(signed_in(house.dana), ticket, "escalate", reason="")

    assert 'id="id_escalate_reason_error"' in html(page)


def test_the_customer_confirms_and_the_ticket_is_closed(house: House) -> None:
    ticket = ticket_of(house, assignee=house.anna)
    resolved(house, ticket)
    dana = signed_in(house.dana)
    page = words(dana.get(address(ticket)))
    assert "The pool was refilled." in page

    press(dana, ticket, "solved")

    ticket.refresh_from_db()
    assert ticket.status == Status.CLOSED
    assert "confirmed that it is solved" in words(as_(house.anna).get(ticket.get_absolute_url()))
    assert "Yes, it is solved" not in words(dana.get(address(ticket)))


def test_what_is_not_resolved_cannot_be_confirmed_or_reopened(house: House) -> None:
    ticket = ticket_of(house)
    dana = signed_in(house.dana)

    assert press(dana, ticket, "solved").status_code == 422
    assert press(dana, ticket, "reopen", text="Still broken.").status_code == 422
    assert not Message.objects.filter(text="Still broken.").exists()


@pytest.mark.parametrize("said", ["Still 502 here.", "Thanks!"])
def test_a_resolved_ticket_is_opened_again_with_the_same_people(house: House, said: str) -> None:
    ticket = ticket_of(house, assignee=house.anna)
    resolved(house, ticket)

    press(signed_in(house.dana), ticket, "reopen", text=said)

    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN
    assert ticket.assignee == house.anna
    assert ticket.waiting_since is not None


def test_past_the_window_nothing_is_reopened(house: House) -> None:
    ticket = ticket_of(house, assignee=house.anna)
    resolved(house, ticket)
    Ticket.objects.filter(pk=ticket.pk).update(reopen_until=timezone.now())
    dana = signed_in(house.dana)

    assert "something is still wrong" not in words(dana.get(address(ticket)))
    assert press(dana, ticket, "reopen", text="Still broken.").status_code == 422
    ticket.refresh_from_db()
    assert ticket.status == Status.RESOLVED


def test_muted_letters_are_who_has_it_and_how_it_goes_and_never_a_time(house: House) -> None:
    ticket = ticket_of(house, assignee=house.anna, impact=1, urgency=1)
    dana = signed_in(house.dana)
    press(dana, ticket, "mute", muted="1")

    escalation = house.escalate(ticket, now=timezone.now())
    lifecycle.accept(
        escalation_id=escalation.pk,
        first_step="tracing a call",
        now=timezone.now(),
        by=house.priya,
    )

    assert "escalated" in letters_of(ticket)
    assert "accepted" not in letters_of(ticket)

    def update(next_word_by: datetime | None = None) -> None:
        updates.update(
            ticket_id=ticket.pk,
            headline="cause found",
            text="An empty pool.",
            next_word_by=next_word_by,
            now=timezone.now(),
            by=house.anna,
        )

    update()
    assert "update" not in letters_of(ticket)
    update(timezone.now() + timedelta(hours=5))
    assert "update" in letters_of(ticket), "it brings a time"
    press(dana, ticket, "mute", muted="")
    assert not Ticket.objects.get(pk=ticket.pk).muted


def test_only_who_gets_the_letters_mutes_them(house: House) -> None:
    ticket = ticket_of(house)
    ola = signed_in(escalation_contact(house))

    assert "You get every letter" not in words(ola.get(address(ticket)))
    assert press(ola, ticket, "mute", muted="1").status_code == 422
    assert not Ticket.objects.get(pk=ticket.pk).muted


def test_a_reply_after_a_portal_answer_stays_in_the_thread(house: House) -> None:
    ticket = ticket_of(house)
    press(signed_in(house.dana), ticket, "answer", text="Here it is.")

    house.reply(ticket, now=timezone.now())

    reply = OutgoingEmail.objects.get(kind="reply")
    assert reply.thread_subject == f"Re: {ticket.subject}"


# Files


def test_files_are_handed_out_to_be_kept_and_never_opened_here(house: House) -> None:
    ticket = ticket_of(house)
    dana = signed_in(house.dana)
    evil = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    press(dana, ticket, "answer", text="See the file.", attachments=upload("evil.svg", evil))
    stored = Message.objects.get(text="See the file.").attachments.get()

    answer = dana.get(f"{address(ticket)}files/{stored.pk}/")

    assert b"".join(answer.streaming_content) == evil  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="evil.svg"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_nobody_gets_a_file_that_is_not_theirs_or_internal(house: House) -> None:
    ticket, other = ticket_of(house), ticket_of(house, by=house.juergen)
    dana, juergen = signed_in(house.dana), signed_in(house.juergen)
    press(dana, ticket, "answer", text="See the file.", attachments=upload("a.log"))
    stored = Message.objects.get(text="See the file.").attachments.get()

    assert juergen.get(f"{address(ticket)}files/{stored.pk}/").status_code == 404
    assert juergen.get(f"{address(other)}files/{stored.pk}/").status_code == 404
    Message.objects.filter(text="See the file.").update(internal=True)
    assert dana.get(f"{address(ticket)}files/{stored.pk}/").status_code == 404
