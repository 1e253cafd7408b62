"""The web form: anybody's request is taken in, and nobody's mailbox is filled by it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from notifications.models import OutgoingEmail
from tests.house import House
from tests.pages.acting import EVIL, as_, form
from tests.pages.desk import Markup, html, words
from tests.portal.doors import deliver, fill_in, letters_to, link_in, signed_in, upload
from tickets import conversation
from tickets.models import Attachment, Contact, Detail, Message, Ticket
from tickets.models.ticket import Status

pytestmark = pytest.mark.django_db
STRANGER = "mia@elsewhere.example"


def kinds_to(address: str) -> list[str]:
    return [mail.kind for mail in letters_to(address)]


def confirm(client: Client, address: str) -> None:
    """Press the button behind the newest letter of verification."""
    letter = next(mail for mail in reversed(letters_to(address)) if mail.kind == "verify_address")
    assert client.post(link_in(letter.text, "/new/confirm/")).status_code == 200


def test_a_form_asks_for_what_its_category_needs_in_the_visitors_language(
    client: Client, house: House
) -> None:
    assert "API integration" in words(client.get("/new/"))
    assert "API key ID" in words(client.get("/new/?category=api"))

    german = client.get("/new/?category=api", headers={"Accept-Language": "de"})

    assert "API-Schlüssel-ID" in words(german)
    assert '<html lang="de">' in html(german)
    assert "API key ID" not in words(client.get("/new/?category=other"))


def test_a_request_becomes_a_ticket_with_the_details_that_were_filled_in(
    client: Client, house: House
) -> None:
    sent = fill_in(
        client,
        **{"detail-key-id": "key_4f2a91", "attachments": [upload("a.log"), upload("b.log")]},
    )

    assert sent.status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.category, ticket.channel) == (house.dana, house.api, "web")
    assert Detail.objects.get(ticket=ticket).value == "key_4f2a91"
    assert Attachment.objects.filter(message__ticket=ticket).count() == 2
    assert "502" in words(as_(house.anna).get(ticket.get_absolute_url()))


def test_agents_see_a_stranger_s_ticket_at_once_and_that_letters_wait(
    client: Client, house: House
) -> None:
    fill_in(client, email=STRANGER)
    ticket = Ticket.objects.get()

    page = words(as_(house.anna).get(ticket.get_absolute_url()))

    assert "address not verified" in page
    assert "Every call fails since 09:10." in page


def test_a_stranger_gets_the_letter_of_verification_and_nothing_else(
    client: Client, house: House
) -> None:
    fill_in(client, email=STRANGER)
    ticket = Ticket.objects.get()
    house.sweep(timezone.now())
    conversation.reply(
        ticket_id=ticket.pk,
        text="We look into it.",
        status=Status.OPEN,
        now=timezone.now(),
        by=house.anna,
    )
    deliver()

    assert kinds_to(STRANGER) == ["verify_address"]
    assert "withheld" in words(as_(house.anna).get("/mail/"))


def test_the_letter_of_verification_repeats_nothing_that_was_written(
    client: Client, house: House
) -> None:
    fill_in(client, email=STRANGER, name="BUY GOLD", subject="BUY GOLD", text="BUY GOLD")
    deliver()

    [letter] = letters_to(STRANGER)
    assert "GOLD" not in f"{letter.subject}{letter.text}{letter.html}{letter.to_name}"


def test_looking_at_the_link_verifies_nothing_and_pressing_the_button_does(
    client: Client, house: House
) -> None:
    fill_in(client, email=STRANGER)
    house.sweep(timezone.now())
    deliver()
    path = link_in(letters_to(STRANGER)[0].text, "/new/confirm/")

    assert "Yes, that was me" in words(client.get(path))
    deliver()
    assert kinds_to(STRANGER) == ["verify_address"]

    assert "Your address is confirmed" in words(client.post(path))
    deliver()
    assert kinds_to(STRANGER) == ["verify_address", "received"]
    assert "address not verified" not in words(
        as_(house.anna).get(Ticket.objects.get().get_absolute_url())
    )


def test_of_the_letters_that_waited_only_those_go_that_are_still_true(
    client: Client, house: House
) -> None:
    fill_in(client, email=STRANGER)
    ticket = Ticket.objects.get()
    house.sweep(timezone.now())
    conversation.reply(
        ticket_id=ticket.pk,
        text="It was the gateway.",
        status=Status.OPEN,
        now=timezone.now(),
        by=house.anna,
    )
    deliver()

    confirm(client, STRANGER)
    deliver()

    # "A colleague will reply by …" is over: a colleague has.
    assert kinds_to(STRANGER) == ["verify_address", "reply"]
    assert OutgoingEmail.objects.get(kind="received").state == "withdrawn"


def test_once_verified_later_letters_go_at_once(client: Client, house: House) -> None:
    fill_in(client, email=STRANGER)
    deliver()
    confirm(client, STRANGER)
    fill_in(client, email=STRANGER, subject="Another thing")
    house.sweep(timezone.now())
    deliver()

    assert kinds_to(STRANGER).count("verify_address") == 1
    assert kinds_to(STRANGER).count("received") == 2


def test_who_wrote_by_authenticated_mail_is_verified_already(client: Client, house: House) -> None:
    house.ticket(sender_verdict="pass")

    fill_in(client)
    house.sweep(timezone.now())
    deliver()

    assert "verify_address" not in kinds_to(house.dana.email)
    assert "received" in kinds_to(house.dana.email)


def test_mail_that_is_authenticated_later_lets_the_letters_go(client: Client, house: House) -> None:
    fill_in(client)
    house.sweep(timezone.now())
    house.ticket("By mail", sender_verdict="pass", now=timezone.now())
    deliver()

    assert "received" in kinds_to(house.dana.email)


def test_who_only_wrote_by_mail_without_a_verdict_is_answered_there_and_not_here(
    client: Client, house: House
) -> None:
    by_mail = house.ticket(now=timezone.now())
    fill_in(client)
    house.sweep(timezone.now())
    deliver()

    welcomed = [mail.about for mail in letters_to(house.dana.email) if mail.kind == "received"]
    assert welcomed == [by_mail.about]


def test_a_thousand_forms_send_at_most_three_letters(client: Client, house: House) -> None:
    for number in range(1000):
        fill_in(
            client,
            email=STRANGER.upper() if number % 2 else STRANGER,
            subject=f"Free money {number}",
            REMOTE_ADDR="x",
        )
        if number % 100 == 0:
            # Whatever the cache forgets, the letters are counted where they are kept.
            cache.clear()
    house.sweep(timezone.now())
    deliver()

    letters = letters_to(STRANGER)
    assert 1 <= len(letters) <= 3
    assert {mail.kind for mail in letters} == {"verify_address"}
    assert not any("money" in mail.text for mail in letters)


def test_after_an_hour_a_letter_of_verification_can_be_sent_again(
    client: Client, house: House
) -> None:
    for number in range(5):
        fill_in(client, email=STRANGER, subject=f"Number {number}")
    OutgoingEmail.objects.update(queued_at=timezone.now() - timedelta(minutes=61))

    fill_in(client, email=STRANGER, subject="Once more")
    deliver()

    assert len(letters_to(STRANGER)) == 4


def test_too_many_forms_are_refused_and_the_words_stay(client: Client, house: House) -> None:
    for number in range(10):
        assert fill_in(client, subject=f"Number {number}").status_code == 302

    refused = fill_in(client, text="These words took an hour.")

    assert refused.status_code == 429
    assert "try again in an hour" in words(refused)
    assert "These words took an hour." in words(refused)
    assert Ticket.objects.count() == 10
    # Others are not kept out by it.
    assert fill_in(client, email="ola@norvik.example").status_code == 302


def test_one_place_cannot_write_in_everybodys_name(client: Client, house: House) -> None:
    answers = [
        fill_in(client, email=f"somebody{number}@elsewhere.example").status_code
        for number in range(31)
    ]

    assert answers == [302] * 30 + [429]
    elsewhere = Client(REMOTE_ADDR="203.0.113.7")
    assert fill_in(elsewhere, email="mia@elsewhere.example").status_code == 302


def test_behind_a_proxy_the_visitors_own_word_is_not_believed(
    client: Client, house: House, settings: object
) -> None:
    settings.HELPDESK_PROXIES = 1  # type: ignore[attr-defined]
    for number in range(30):
        client.post(
            "/new/",
            {"category": "other", **_said(number)},
            headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7"},
        )

    refused = client.post(
        "/new/",
        {"category": "other", **_said(31)},
        headers={"X-Forwarded-For": "198.51.100.99, 203.0.113.7"},
    )

    assert refused.status_code == 429


def _said(number: int) -> dict[str, str]:
    return {"name": "M", "email": f"m{number}@elsewhere.example", "subject": "s", "text": "t"}


def test_what_no_person_sees_stays_empty_or_nothing_happens(client: Client, house: House) -> None:
    answer = fill_in(client, website="https://spam.example")

    assert answer.status_code == 302
    assert not Ticket.objects.exists()


def test_a_form_sent_twice_is_one_ticket(client: Client, house: House) -> None:
    sent = form(html(client.get("/new/?category=api")), "/new/")

    assert fill_in(client, **sent).status_code == 302
    assert fill_in(client, **sent).status_code == 302

    assert Ticket.objects.count() == 1


def test_the_answer_is_the_same_whether_or_not_an_address_is_known(
    client: Client, house: House
) -> None:
    house.ticket(sender_verdict="pass")

    known, unknown = (
        fill_in(client, email=email) for email in (house.dana.email, "nobody@elsewhere.example")
    )

    assert known.headers["Location"] == unknown.headers["Location"]


def test_a_customer_id_is_kept_as_a_claim_and_opens_nothing(client: Client, house: House) -> None:
    fill_in(client, email=STRANGER, customer_id="NOR-4471")

    ticket = Ticket.objects.get()
    assert ticket.organization is None
    assert Detail.objects.get(ticket=ticket, key="customer_id").value == "NOR-4471"


def test_an_address_at_an_organizations_domain_is_theirs(client: Client, house: House) -> None:
    fill_in(client, email="ola@norvik.example", name="Ola Berg")

    assert Ticket.objects.get().organization == house.norvik
    assert Contact.objects.get(email="ola@norvik.example").zone == "Europe/Oslo"


def test_nobody_renames_a_known_contact(client: Client, house: House) -> None:
    fill_in(client, name="Somebody Else")

    house.dana.refresh_from_db()
    assert house.dana.name == "Dana Reyes"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": ""}, "email"),
        ({"subject": " "}, "subject"),
        ({"text": ""}, "text"),
        ({"text": "x" * 50_001}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"name": ""}, "name"),
        ({"subject": "x" * 301}, "subject"),
    ],
)
def test_what_cannot_be_read_comes_back_with_the_reason_at_its_field(
    client: Client, house: House, wrong: dict[str, str], field: str
) -> None:
    page = fill_in(client, **{"text": "These words stay.", **wrong})

    assert page.status_code == 422
    assert f'id="id_{field}_error"' in html(page)
    assert "These words stay." in words(page) or "text" in wrong
    assert not Ticket.objects.exists()


def test_files_are_limited_as_in_mail(client: Client, house: House, settings: object) -> None:
    settings.HELPDESK_MAIL_LIMITS = {"raw": 1000, "parts": 2}  # type: ignore[attr-defined]

    large = fill_in(client, attachments=[upload("a", b"x" * 600), upload("b", b"x" * 600)])
    many = fill_in(client, attachments=[upload("a"), upload("b"), upload("c")])
    flood = fill_in(client, text="x" * 1_200_000)

    assert (large.status_code, many.status_code, flood.status_code) == (422, 422, 413)
    assert not Message.objects.exists()


def test_a_file_keeps_no_way_out_of_its_folder(client: Client, house: House) -> None:
    fill_in(client, attachments=[upload("../../etc/passwd")])

    stored = Attachment.objects.get()
    assert stored.name == "passwd"
    assert "passwd" not in str(stored.file.name)


def test_the_form_needs_no_script_and_its_token(client: Client, house: House) -> None:
    page = html(client.get("/new/?category=api"))

    fields = [carried.get("name") for tag, carried in Markup(page).elements if tag == "input"]
    assert "csrfmiddlewaretoken" in fields
    assert fill_in(Client(enforce_csrf_checks=True)).status_code == 403
    assert not Ticket.objects.exists()


def test_what_somebody_wrote_is_text_and_no_markup(client: Client, house: House) -> None:
    page = fill_in(client, subject=EVIL, email="wrong")

    assert "<img" not in html(page)
    fill_in(client, subject=EVIL, text=EVIL, name=EVIL)
    shown = signed_in(house.dana).get(f"/portal/{Ticket.objects.get().reference}/")
    assert "<img" not in html(shown)
    assert "alert(2)</script>" not in html(shown)


def test_looking_at_the_form_changes_nothing(client: Client, house: House) -> None:
    for path in ("/new/", "/new/?category=api", "/new/?category=\x00", "/new/sent/"):
        assert client.get(path).status_code == 200

    assert not Ticket.objects.exists()
