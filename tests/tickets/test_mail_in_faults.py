"""Mail in when something fails: the mail, the reader, the database, the door."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import override_settings

from tests.atonce import at_once
from tests.mail import mail
from tests.servers import Servers
from tickets.inbound import reader
from tickets.inbound.ingest import Outcome, ingest, ingest_all, replay
from tickets.inbound.parsing import Unreadable
from tickets.inbound.storing import Arriving, NotAccepted, store
from tickets.models import InboundEmail, Message, Ticket
from tickets.models.mailin import InboundOutcome

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
#: The sanitiser needs a second or so for it, and does not notice how deep it is.
SLOW_HTML = (
    b"<b>" * 100 + b"<object>" + b"</b>" * 100 + b"<i>" * 100 + b"</object>" + b"</i>" * 100
) * 200
SLOW = (
    b"From: dana@northwind.example\nSubject: Slow\nContent-Type: text/html\n\nSlow words "
    + SLOW_HTML
)


@pytest.fixture
def poisoned_messages() -> Iterator[None]:
    """A database that refuses every message, as a full disk or a bad migration would."""
    refuse("tickets_message", "true")
    yield
    heal()


@pytest.fixture
def poisoned_subject() -> None:
    """A database that refuses one ticket."""
    refuse("tickets_ticket", "NEW.subject LIKE 'Poison%'")


@pytest.fixture
def refused_source() -> None:
    """A database that refuses to keep one mail."""
    refuse("tickets_inboundemail", "NEW.source = '3'")


def refuse(table: str, when: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no room'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT ON {table}"
            f" FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse()"
        )


def numbered(number: int, subject: str = "Fault") -> bytes:
    """One of many mails of one customer."""
    return (
        f"From: dana@northwind.example\nSubject: {subject} {number}\n"
        f"Message-ID: <{number}@northwind.example>\n\nIt stops at record {number}.\n"
    ).encode()


def heal() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS refuse() CASCADE")


@pytest.mark.django_db
def test_a_mail_that_takes_too_long_is_quarantined_and_the_next_goes_on() -> None:
    with override_settings(HELPDESK_MAIL_LIMITS={"deadline": 0.3}):
        slow = ingest(raw=SLOW, source="slow", now=NOW)
        after = ingest(raw=mail("plain"), source="plain", now=NOW)

    assert slow.outcome == "quarantined"
    assert "takes more than 0.3 s" in slow.reason
    assert after.outcome == "created"


@pytest.mark.django_db
def test_a_mail_that_takes_too_much_memory_is_quarantined_and_the_next_goes_on() -> None:
    large = b"From: dana@northwind.example\n\n" + b"x" * 24_000_000
    with override_settings(HELPDESK_MAIL_LIMITS={"memory": 250_000_000}):
        outcome = ingest(raw=large, source="large", now=NOW)
        after = ingest(raw=mail("plain"), source="plain", now=NOW)

    assert outcome.outcome == "quarantined"
    assert "memory" in outcome.reason
    assert after.outcome == "created"


@pytest.mark.django_db
def test_in_a_heap_each_mail_stands_for_itself(poisoned_subject: None) -> None:
    heap = [
        Arriving(raw=mail("plain"), source="first"),
        Arriving(raw=SLOW, source="slow"),
        Arriving(raw=mail("random_bytes"), source="noise"),
        Arriving(raw=numbered(1, "Poison"), source="poison"),
        Arriving(raw=mail("plain") + b"x" * 2_000_000, source="giant"),
        Arriving(raw=mail("plain"), source="first again"),
        Arriving(raw=mail("plain") + b"!", source="its twin"),
        *(Arriving(raw=numbered(number), source=str(number)) for number in range(2, 30)),
    ]

    with override_settings(HELPDESK_MAIL_LIMITS={"deadline": 0.5, "accepted": 2_000_000}):
        became = {mail.source: what for mail, what in ingest_all(mails=heap, clock=lambda: NOW)}

    assert list(became) == [mail.source for mail in heap]
    assert isinstance(became.pop("giant"), NotAccepted)
    outcomes = {source: what.outcome for source, what in became.items()}  # type: ignore[union-attr]
    assert [outcomes.pop(source) for source in ("slow", "noise", "poison", "first again")] == [
        "quarantined",
        "quarantined",
        "quarantined",
        "duplicate",
    ]
    assert set(outcomes.values()) == {"created"}
    twins = InboundEmail.objects.filter(same_id_as_another=True)
    assert set(twins.values_list("source", flat=True)) == {"first", "its twin"}
    assert Ticket.objects.count() == 30


@pytest.mark.django_db
def test_a_heap_that_cannot_be_stored_at_once_is_stored_one_by_one(refused_source: None) -> None:
    heap = [Arriving(raw=numbered(number), source=str(number)) for number in range(5)]

    became = [what for _mail, what in ingest_all(mails=heap, clock=lambda: NOW)]

    assert [isinstance(what, DatabaseError) for what in became] == [
        False,
        False,
        False,
        True,
        False,
    ]
    assert Ticket.objects.count() == 4


@pytest.mark.django_db
def test_who_does_not_come_to_the_end_of_a_heap_disturbs_nobody_after_them() -> None:
    heap = [Arriving(raw=numbered(number), source=str(number)) for number in range(5)]
    with closing(ingest_all(mails=heap, clock=lambda: NOW)) as taken:
        next(taken)

    became = [what for _mail, what in ingest_all(mails=heap, clock=lambda: NOW)]

    assert [what.outcome for what in became if isinstance(what, Outcome)] == [
        "duplicate",
        *["created"] * 4,
    ]
    subjects = Ticket.objects.order_by("pk").values_list("subject", flat=True)
    assert list(subjects) == [f"Fault {number}" for number in range(5)]


@pytest.mark.django_db
def test_a_reader_that_was_killed_is_replaced() -> None:
    ingest(raw=mail("plain"), source="plain", now=NOW)
    child = reader._process._child
    assert child is not None
    child.kill()
    child.wait()

    assert ingest(raw=mail("no_message_id"), source="next", now=NOW).outcome == "created"


@pytest.mark.django_db
def test_a_quarantined_mail_can_be_tried_again() -> None:
    with override_settings(HELPDESK_MAIL_LIMITS={"deadline": 0.2}):
        ingest(raw=SLOW, source="slow", now=NOW)
    said = StringIO()

    with override_settings(HELPDESK_MAIL_LIMITS={"deadline": 60}):
        call_command("replay_quarantine", stdout=said)

    (line,) = [json.loads(line) for line in said.getvalue().splitlines()]
    assert (line["source"], line["outcome"]) == ("slow", "created")
    kept = InboundEmail.objects.get()
    assert (kept.outcome, kept.attempts) == ("created", 2)
    assert kept.message is not None
    assert kept.message.text.startswith("Slow words")


@pytest.mark.django_db
def test_what_is_no_mail_stays_quarantined_however_often_it_is_tried() -> None:
    first = ingest(raw=mail("random_bytes"), source="noise", now=NOW)

    again = replay(inbound_id=first.inbound_id, now=NOW + timedelta(days=1))

    assert again.outcome == "quarantined"
    assert InboundEmail.objects.get().attempts == 2


@pytest.mark.django_db
def test_a_mail_the_database_refuses_to_file_is_kept_and_filed_later(
    poisoned_messages: None,
) -> None:
    first = ingest(raw=mail("plain"), source="plain", now=NOW)
    assert first.outcome == "quarantined"
    assert not Ticket.objects.exists()
    heal()

    assert replay(inbound_id=first.inbound_id, now=NOW).outcome == "created"


@pytest.mark.django_db
def test_a_mail_whose_reader_died_after_storing_is_taken_up_again() -> None:
    store(
        mails=[
            Arriving(raw=mail("plain"), source="x"),
            Arriving(raw=mail("nul_bytes"), source="y"),
        ],
        now=NOW,
    )

    handed_over_again = ingest(raw=mail("plain"), source="x", now=NOW)
    call_command("replay_quarantine", stdout=StringIO())

    assert handed_over_again.outcome == "created"
    assert set(InboundEmail.objects.values_list("outcome", flat=True)) == {InboundOutcome.CREATED}
    assert Message.objects.count() == 2


@pytest.mark.django_db
def test_a_large_mail_is_kept_unread_and_a_giant_one_is_refused() -> None:
    with override_settings(HELPDESK_MAIL_LIMITS={"raw": 2_000, "accepted": 4_000}):
        large = ingest(raw=mail("plain") + b"x" * 2_000, source="large", now=NOW)
        with pytest.raises(NotAccepted):
            ingest(raw=mail("plain") + b"x" * 4_000, source="giant", now=NOW)

    assert large.outcome == "quarantined"
    assert "up to 2000 are read" in large.reason
    assert InboundEmail.objects.count() == 1


def test_unknown_limits_are_refused() -> None:
    with (
        override_settings(HELPDESK_MAIL_LIMITS={"patience": 1}),
        pytest.raises(ValueError, match="patience"),
    ):
        reader.limits()


def test_html_is_made_harmless_within_its_deadline_or_not_at_all() -> None:
    with override_settings(HELPDESK_MAIL_LIMITS={"deadline": 0.3}), pytest.raises(Unreadable):
        reader.read_safe_html(SLOW)
    with pytest.raises(Unreadable, match="nested"):
        reader.read_safe_html(mail("html_nested_tags"))


@pytest.mark.django_db(transaction=True)
def test_the_same_mail_five_times_at_once_is_one_message() -> None:
    def deliver() -> str:
        return ingest(raw=mail("plain"), source="x", now=NOW).outcome

    outcomes = at_once(*[deliver] * 5)

    assert sorted(outcomes) == ["created", *["duplicate"] * 4]
    assert Message.objects.count() == InboundEmail.objects.count() == Ticket.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_five_mails_of_somebody_new_at_once_make_one_contact() -> None:
    def deliver(number: int) -> str:
        raw = mail("no_message_id") + b"%d" % number
        return ingest(raw=raw, source="x", now=NOW).outcome

    outcomes = at_once(*(partial(deliver, number) for number in range(5)))

    assert outcomes == ["created"] * 5
    assert len(set(Ticket.objects.values_list("requester", flat=True))) == 1


@pytest.mark.django_db
def test_a_file_that_is_not_there_says_try_again_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(mail("plain"))
    said, complained = StringIO(), StringIO()

    with pytest.raises(CommandError) as error:
        call_command(
            "ingest_email",
            str(tmp_path / "none.eml"),
            str(tmp_path / "one.eml"),
            stdout=said,
            stderr=complained,
        )

    assert error.value.returncode == 75
    assert json.loads(said.getvalue())["outcome"] == "created"
    assert "none.eml" in complained.getvalue()


@pytest.mark.django_db
def test_an_mbox_is_taken_apart(tmp_path: Path) -> None:
    envelope = b"From dana@northwind.example Tue Nov 24 09:00:00 2026\n"
    box = tmp_path / "old.mbox"
    box.write_bytes(b"\n".join(envelope + mail(name) for name in ("plain", "date_is_nonsense")))
    said = StringIO()

    call_command("ingest_email", str(box), stdout=said)

    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [line["outcome"] for line in lines] == ["created", "created"]
    assert lines[0]["source"].endswith("old.mbox#0")


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_pipes_a_mail_in_and_learns_when_to_try_again(servers: Servers) -> None:
    def pipe(database_url: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "manage.py", "ingest_email", "--mailbox", "support", "-"],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": database_url},
            input=mail("eight_bit_headers"),
            capture_output=True,
            timeout=60,
        )

    server = servers.database_url.rpartition("/")[0]
    taken = pipe(f"{server}/{connection.settings_dict['NAME']}")
    refused = pipe(f"{server}/no_such_database")

    line = json.loads(taken.stdout)
    assert taken.returncode == 0, taken.stderr
    assert (line["source"], line["outcome"]) == ("-", "created")
    assert InboundEmail.objects.get().mailbox == "support"
    assert Ticket.objects.get().subject == "Grüße"
    assert (refused.returncode, refused.stdout) == (75, b"")
