"""Mail out, against a real SMTP server that behaves well and badly."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.message import EmailMessage
from time import monotonic
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import connection
from pytest_django import Settings

from notifications import delivery, leases, outbox
from notifications.models import MailState, Notification, OutgoingEmail
from notifications.outbox import Letter
from notifications.templates import load_defaults
from staff.models import Role, User
from tests.notifications.letters import ABOUT, NOW, letter
from tests.notifications.mailserver import DROP, MailServer, mute, running

SOON = timedelta(minutes=2)


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with running(MailServer()) as found:
        uses(settings, found.port)
        yield found


@pytest.fixture
def texts(db: None) -> None:
    load_defaults(now=NOW)


def uses(settings: Settings, port: int, *, timeout: float = 5.0) -> None:
    """Point the mail worker at a server on this port."""
    settings.EMAIL_BACKEND = "notifications.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_TIMEOUT = timeout
    settings.HELPDESK_CAPTURE_MAIL = False


def queue(*letters: Letter, now: datetime = NOW) -> list[OutgoingEmail]:
    return outbox.queue(letters=list(letters) or [letter()], now=now)


def send(now: datetime = NOW, **options: Any) -> Counter[str]:
    """What one ring of the mail worker does at this moment."""
    return delivery.send_due(clock=lambda: now, **options)


def the_mail(key: str = "escalated:1") -> OutgoingEmail:
    return OutgoingEmail.objects.get(dedupe_key=key)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


# --- What arrives


def test_a_letter_arrives_once_and_is_kept_as_it_was_sent(texts: None, server: MailServer) -> None:
    queue()

    assert send() == {MailState.SENT: 1}
    assert send(NOW + timedelta(days=1)) == {}

    (message,) = server.received
    mail = the_mail()
    assert (mail.state, mail.sent_at, mail.attempts) == (MailState.SENT, NOW, 1)
    assert message["Subject"] == mail.subject
    assert part(message, "plain") == mail.text
    assert part(message, "html") == mail.html
    assert server.envelopes == [("support@brightquay.example", ["dana@norvik.example"])]
    assert message["To"] == "Dana Reyes <dana@norvik.example>"
    assert message["Reply-To"] == "reply+1042@brightquay.example"
    assert message["Message-ID"] == mail.message_id


def test_a_letter_is_text_and_the_same_in_html(texts: None, server: MailServer) -> None:
    queue(letter(variables={"note": "Line 1 <script>alert(1)</script> & more"}))

    send()

    (message,) = server.received
    assert message.get_content_type() == "multipart/alternative"
    assert [inner.get_content_type() for inner in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert "Line 1 <script>alert(1)</script> & more" in part(message, "plain")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in part(message, "html")
    assert "<script" not in part(message, "html")
    assert 'src="http' not in part(message, "html")


def test_a_german_reader_gets_german_and_their_own_clock(texts: None, server: MailServer) -> None:
    queue(
        letter(
            to_address="juergen@steinbach.example",
            to_name="Jürgen Adler",
            language="de",
            zone="Europe/Berlin",
            variables={"name": "Jürgen"},
        )
    )

    send()

    (message,) = server.received
    assert message["Subject"] == (
        "[HD-1042] Jetzt bei Tier 2: Antwort bis Di 24. Nov., 14:00 (Berlin, UTC+1)"
    )
    assert part(message, "plain").startswith("Guten Tag Jürgen,")
    assert 'lang="de"' in part(message, "html")
    assert "Jürgen Adler" in str(message["To"])


def test_the_same_moment_is_told_in_each_readers_zone(texts: None, server: MailServer) -> None:
    queue(letter("a"), letter("b", zone="America/Sao_Paulo"), letter("c", zone="Mars/Olympus"))

    send()

    subjects = [str(message["Subject"]) for message in server.received]
    assert "14:00 (Oslo, UTC+1)" in subjects[0]
    assert "10:00 (São Paulo, UTC-3)" in subjects[1]
    assert "13:00" in subjects[2]


def test_an_answer_stays_in_the_readers_thread(texts: None, server: MailServer) -> None:
    queue(
        letter(
            in_reply_to="<2@norvik.example>",
            references=("<1@norvik.example>",),
            thread_subject="Re: Invoices fail",
        )
    )

    send()

    (message,) = server.received
    assert message["Subject"] == "Re: Invoices fail"
    assert message["In-Reply-To"] == "<2@norvik.example>"
    assert message["References"] == "<1@norvik.example> <2@norvik.example>"


def test_what_no_person_wrote_says_so(texts: None, server: MailServer) -> None:
    queue(letter("by-system"), letter("by-anna", automatic=False))

    send()

    automatic, by_hand = server.received
    assert automatic["Auto-Submitted"] == "auto-generated"
    assert automatic["X-Auto-Response-Suppress"] == "AutoReply, DR, RN, NRN"
    assert automatic["X-Helpdesk-Loop"] == "brightquay.example"
    for name in ("Auto-Submitted", "X-Auto-Response-Suppress", "X-Helpdesk-Loop"):
        assert by_hand[name] is None


def test_several_letters_share_one_connection(texts: None, server: MailServer) -> None:
    queue(*(letter(f"l:{number}") for number in range(5)))

    assert send(batch=2) == {MailState.SENT: 5}

    assert server.connections == 1


# --- What somebody might smuggle in


def test_names_and_subjects_cannot_add_headers_or_recipients(
    texts: None, server: MailServer
) -> None:
    evil = 'Dana"\r\nBcc: evil@attacker.example\r\n\r\n<b>'
    queue(
        letter(
            "a",
            to_name=evil,
            thread_subject=f"Re: {evil}",
            in_reply_to=f"<1@norvik.example>{evil}",
            variables={"name": evil, "note": evil},
        )
    )

    assert send() == {MailState.SENT: 1}

    (message,) = server.received
    assert server.envelopes[0][1] == ["dana@norvik.example"]
    assert message["Bcc"] is None
    assert len(message.get_all("Subject", [])) == 1
    assert "\n" not in str(message["Subject"])


@pytest.mark.parametrize(
    "fields",
    [
        {"to_address": "dana@norvik.example\r\nRCPT TO:<evil@attacker.example>"},
        {"to_address": "dana@norvik.example, evil@attacker.example"},
        {"reply_to": "us@brightquay.example\r\nBcc: evil@attacker.example"},
    ],
)
def test_an_address_that_is_none_fails_alone(
    texts: None, server: MailServer, fields: dict[str, str]
) -> None:
    queue(letter("bad", **fields), letter("good"))

    tally = send()

    assert tally[MailState.FAILED] == 1
    assert the_mail("bad").last_error
    assert the_mail("good").state == MailState.SENT
    assert [recipients for _sender, recipients in server.envelopes] == [["dana@norvik.example"]]


# --- What a server may answer


def test_a_temporary_refusal_is_tried_again_later_and_later(
    texts: None, server: MailServer
) -> None:
    queue()
    server.to_rcpt = lambda _address: "451 4.7.1 greylisted, come back"
    waits, now = [], NOW
    for _attempt in range(4):
        assert send(now) == {MailState.QUEUED: 1}
        mail = the_mail()
        assert mail.next_attempt_at is not None
        assert "451" in mail.last_error
        assert send(mail.next_attempt_at - timedelta(seconds=1)) == {}
        waits.append(mail.next_attempt_at - now)
        now = mail.next_attempt_at

    for wait, expected in zip(waits, (30, 60, 120, 240), strict=True):
        assert 0.8 * expected <= wait.total_seconds() <= 1.2 * expected
    server.to_rcpt = lambda _address: "250 OK"
    assert send(now) == {MailState.SENT: 1}
    assert (the_mail().attempts, the_mail().last_error) == (5, "")


def test_a_temporary_refusal_of_one_holds_up_nobody_else(texts: None, server: MailServer) -> None:
    queue(letter("a", to_address="full@norvik.example"), letter("b"))
    server.to_rcpt = lambda address: "452 full" if address.startswith("full") else "250 OK"

    assert send() == {MailState.QUEUED: 1, MailState.SENT: 1}


def test_a_final_refusal_is_final_and_the_leads_are_told(texts: None, server: MailServer) -> None:
    marco = User.objects.create_user("marco@brightquay.example", name="Marco", role=Role.LEAD)
    User.objects.create_user("anna@brightquay.example", name="Anna")
    queue()
    server.to_rcpt = lambda address: (
        "550 5.1.1 no such mailbox" if address.startswith("dana") else "250 OK"
    )

    send()

    mail = the_mail()
    assert (mail.state, mail.next_attempt_at) == (MailState.FAILED, None)
    assert mail.last_error == "550 5.1.1 no such mailbox"
    told = Notification.objects.get()
    assert (told.readers, told.kind, told.about) == ([marco.pk], "staff_mail_failed", ABOUT)
    send(NOW + timedelta(days=1))
    assert [recipients for _sender, recipients in server.envelopes] == [[marco.email]]
    assert "no such mailbox" in part(server.received[0], "plain")
    assert Notification.objects.count() == 1


def test_a_refusal_of_the_message_itself_is_final_too(texts: None, server: MailServer) -> None:
    queue()
    server.to_data = lambda _number: "554 5.7.1 looks like spam"

    assert send() == {MailState.FAILED: 1}
    assert "554" in the_mail().last_error


def test_a_notice_that_fails_is_not_told_of_again(texts: None, server: MailServer) -> None:
    User.objects.create_user("marco@brightquay.example", name="Marco", role=Role.LEAD)
    queue()
    server.to_rcpt = lambda _address: "550 nobody here"

    for day in range(3):
        send(NOW + timedelta(days=day))

    assert Notification.objects.count() == 1
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {MailState.FAILED}


def test_what_nobody_takes_in_for_three_days_is_given_up_and_told(
    texts: None, server: MailServer
) -> None:
    User.objects.create_user("sam@brightquay.example", name="Sam", role=Role.ADMIN)
    queue()
    server.to_rcpt = lambda _address: "451 later"

    assert send(NOW + timedelta(hours=73)) == {MailState.QUEUED: 1}
    assert send(NOW + timedelta(hours=75))[MailState.FAILED] == 1
    assert Notification.objects.get().kind == "staff_mail_failed"


# --- What nobody knows


def test_a_letter_whose_answer_was_lost_is_sent_once_more_under_its_message_id(
    texts: None, server: MailServer
) -> None:
    queue()
    server.to_data = lambda number: DROP if number == 1 else "250 OK"

    assert send() == {MailState.UNCERTAIN: 1}
    mail = the_mail()
    assert (mail.state, mail.leases_lost) == (MailState.UNCERTAIN, 1)
    assert mail.next_attempt_at is not None
    assert send(NOW) == {}

    assert send(NOW + SOON) == {MailState.SENT: 1}
    assert server.message_ids == [mail.message_id, mail.message_id]
    assert part(server.received[0], "plain") == part(server.received[1], "plain")


def test_a_letter_whose_answer_is_lost_twice_waits_for_a_person(
    texts: None, server: MailServer
) -> None:
    queue()
    server.to_data = lambda _number: DROP

    send()
    send(NOW + SOON)

    mail = the_mail()
    assert (mail.state, mail.leases_lost) == (MailState.UNCERTAIN, 2)
    assert mail.next_attempt_at is None
    assert mail.is_settled
    assert send(NOW + timedelta(days=1)) == {}
    assert server.message_ids == [mail.message_id] * 2


def test_a_lost_answer_holds_up_no_other_letter(texts: None, server: MailServer) -> None:
    queue(letter("a"), letter("b"), letter("c"))
    server.to_data = lambda number: DROP if number == 1 else "250 OK"

    assert send() == {MailState.UNCERTAIN: 1, MailState.SENT: 2}


def begun_and_lost(now: datetime) -> None:
    """A worker takes what is due, begins to send it, and is never heard of again."""
    mails = outbox.claim(now=now, limit=20, lease=timedelta(minutes=2))
    OutgoingEmail.objects.filter(pk__in=[mail.pk for mail in mails]).update(begun_at=now)


def test_a_letter_of_a_worker_lost_while_sending_is_sent_once_more_and_then_left(
    texts: None, server: MailServer
) -> None:
    queue()
    begun_and_lost(NOW)
    assert send(NOW + timedelta(seconds=119)) == {}

    begun_and_lost_at = NOW + timedelta(minutes=3)
    assert leases.expire(now=begun_and_lost_at) == 1
    assert the_mail().state == MailState.UNCERTAIN
    begun_and_lost(begun_and_lost_at)

    send(begun_and_lost_at + timedelta(minutes=3))

    mail = the_mail()
    assert (mail.state, mail.leases_lost, mail.next_attempt_at) == (MailState.UNCERTAIN, 2, None)
    assert server.received == []


def test_a_letter_of_a_lost_worker_arrives_by_the_next_one(texts: None, server: MailServer) -> None:
    queue()
    begun_and_lost(NOW)

    assert send(NOW + timedelta(minutes=3)) == {MailState.SENT: 1}
    assert server.message_ids == [the_mail().message_id]


def test_a_letter_that_was_claimed_and_never_begun_is_as_if_nothing_had_been(
    texts: None, server: MailServer
) -> None:
    queue()
    outbox.claim(now=NOW, limit=20, lease=timedelta(minutes=2))

    assert send(NOW + timedelta(minutes=3)) == {MailState.SENT: 1}

    assert (the_mail().leases_lost, the_mail().attempts) == (0, 1)


# --- A server that is away


def test_letters_wait_while_the_server_is_away(texts: None, settings: Settings) -> None:
    server = MailServer()
    uses(settings, server.port)
    queue(*(letter(f"l:{number}") for number in range(4)))

    tally = send()

    # Two tried and met nobody; for the others it was not worth trying.
    assert tally == {MailState.QUEUED: 2}
    attempts = OutgoingEmail.objects.order_by("pk").values_list("state", "attempts")
    assert list(attempts) == [("queued", 1), ("queued", 1), ("queued", 0), ("queued", 0)]
    with running(server):
        assert send(NOW + SOON) == {MailState.SENT: 4}


def test_a_server_that_says_nothing_holds_a_worker_no_longer_than_its_timeout(
    texts: None, settings: Settings
) -> None:
    queue(*(letter(f"l:{number}") for number in range(30)))
    with mute() as port:
        uses(settings, port, timeout=0.3)
        began = monotonic()
        tally = send()

    assert monotonic() - began < 5
    assert tally == {MailState.QUEUED: 2}
    assert OutgoingEmail.objects.filter(state=MailState.QUEUED).count() == 30


def test_a_run_ends_when_its_slice_is_over(texts: None, server: MailServer) -> None:
    queue(*(letter(f"l:{number}") for number in range(10)))
    now = NOW

    def clock() -> datetime:
        return now

    def takes_long(_message: EmailMessage) -> None:
        nonlocal now
        now += timedelta(seconds=12)

    server.before_answer = takes_long
    tally = delivery.send_due(clock=clock, slice_=timedelta(seconds=30))

    assert tally == {MailState.SENT: 3}
    assert OutgoingEmail.objects.filter(state=MailState.QUEUED, attempts=0).count() == 7


# --- By the group


def test_letters_are_begun_and_marked_by_the_group(
    texts: None,
    server: MailServer,
    django_assert_max_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for moment in ("MOMENT", "LONGEST_MOMENT"):  # whatever else this machine is doing
        monkeypatch.setattr(delivery, moment, 60.0)
    queue(*(letter(f"l:{number}", about=f"ticket:{number + 1}") for number in range(50)))

    with django_assert_max_num_queries(50):
        assert send() == {MailState.SENT: 50}

    assert len(set(server.message_ids)) == 50
    sent = OutgoingEmail.objects.values_list("state", "attempts", "lease_token")
    assert set(sent) == {(MailState.SENT, 1, None)}


def test_who_is_not_reached_in_a_moment_waits_as_if_nothing_had_been(
    texts: None, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "LONGEST_MOMENT", 0.0)
    queue(*(letter(f"l:{number}") for number in range(12)))

    assert send() == {MailState.SENT: 12}

    assert len(server.message_ids) == len(set(server.message_ids)) == 12
    assert set(OutgoingEmail.objects.values_list("attempts", "leases_lost")) == {(1, 0)}


def test_a_worker_out_of_time_marks_what_was_taken_and_gives_back_the_rest(
    texts: None, server: MailServer
) -> None:
    queue(*(letter(f"l:{number}") for number in range(20)))
    time_is_up = False

    def clock() -> datetime:
        nonlocal time_is_up
        if len(server.received) == 5 and not time_is_up:
            time_is_up = True
            raise SoftTimeLimitExceeded
        return NOW

    with pytest.raises(SoftTimeLimitExceeded):
        delivery.send_due(clock=clock)

    mails = OutgoingEmail.objects.order_by("pk").values_list("state", "attempts", "begun_at")
    assert list(mails) == [(MailState.SENT, 1, NOW)] * 5 + [(MailState.QUEUED, 0, None)] * 15
    assert send() == {MailState.SENT: 15}
    assert len(server.message_ids) == len(set(server.message_ids)) == 20


# --- Workers and withdrawals at the same time


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_every_letter_once(server: MailServer) -> None:
    load_defaults(now=NOW)
    queue(*(letter(f"l:{number}") for number in range(30)))

    def work(_number: int) -> int:
        try:
            return send(batch=4)[MailState.SENT]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        sent = sum(pool.map(work, range(2)))

    assert sent == 30
    assert len(server.message_ids) == 30
    assert len(set(server.message_ids)) == 30


@pytest.mark.django_db(transaction=True)
def test_a_letter_withdrawn_while_the_one_before_it_is_sent_is_not_sent(
    server: MailServer,
) -> None:
    load_defaults(now=NOW)
    queue(letter("first"), letter("second", about="ticket:7"))

    def withdraw(_message: EmailMessage) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_withdraw_and_leave, "ticket:7").result(timeout=10)

    server.before_answer = withdraw

    assert send() == {MailState.SENT: 1}
    assert the_mail("second").state == MailState.WITHDRAWN
    assert server.message_ids == [the_mail("first").message_id]


def _withdraw_and_leave(about: str) -> None:
    try:
        outbox.withdraw(about=about, now=NOW)
    finally:
        connection.close()


# --- Without a server


def test_without_a_mail_server_letters_are_captured_and_can_be_read(
    texts: None, server: MailServer, settings: Settings
) -> None:
    settings.HELPDESK_CAPTURE_MAIL = True
    queue()

    assert send() == {MailState.CAPTURED: 1}

    mail = the_mail()
    assert (mail.state, mail.sent_at, mail.is_settled) == (MailState.CAPTURED, NOW, True)
    assert mail.subject.startswith("[HD-1042] With Tier 2: reply expected by")
    assert "escalated to Tier 2, Integrations" in mail.text
    assert mail.html
    assert server.connections == 0


@pytest.mark.parametrize(
    ("address", "backend"),
    [
        ("smtp+tls://u:p@mail.example:587", "notifications.smtp.EmailBackend"),
        ("smtp://127.0.0.1:25", "notifications.smtp.EmailBackend"),
        ("", "django.core.mail.backends.console.EmailBackend"),
    ],
)
def test_a_mail_server_named_by_address_is_spoken_to_by_our_backend(
    address: str, backend: str
) -> None:
    asked = subprocess.run(
        [
            sys.executable,
            "-c",
            "from django.conf import settings as s; print(s.EMAIL_BACKEND, s.EMAIL_TIMEOUT)",
        ],
        env={**os.environ, "EMAIL_URL": address},
        capture_output=True,
        text=True,
        check=True,
    )

    assert asked.stdout.split() == [backend, "20.0"]
