"""What production writes down of its work: lines that a program reads, with ids and without texts."""

from __future__ import annotations

import json
import re
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from urllib.request import build_opener

import pytest
from django.db import connection
from django.utils import timezone

from escalation.models import Escalation
from notifications.models import MailState, OutgoingEmail
from staff import apitokens
from tests.faults.after import unanswered
from tests.house import House
from tests.processes import Installation, eventually
from tests.runtime.composed import GIVEN, Deployment
from tickets.models import Ticket

PASSWORD = "correct-horse-battery-9"
#: Nothing of this may stand in a log, whatever door it came in by.
WORDS = {
    "subject": "zebrasubject",
    "text": "zebratext",
    "mail": "zebramail",
    "note": "zebranote",
    "search": "zebrasearch",
    "query": "zebraquery",
    "path": "zebrapath",
    "agent": "zebraagent",
    "referer": "zebrareferer",
    "form": "zebraform",
    "refusal": "zebrarefusal",
    "poison": "zebrapoison",
}
PORTAL_KEY = "zebraportalkey2345abcdefgh"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

MAIL = f"""From: Dana Reyes <dana@norvik.example>
To: support@help.example
Subject: {WORDS["mail"]} is down
Message-ID: <{WORDS["mail"]}@norvik.example>
Date: Tue, 24 Nov 2026 10:12:00 +0100
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{WORDS["mail"]} fails since this morning.
""".encode()


def lines_of(text: str) -> list[dict[str, Any]]:
    """Every line, which must be an object with a time, a level and a name."""
    found = []
    for line in text.splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            pytest.fail(f"no JSON: {line[:300]}")
        assert {"timestamp", "level", "event", "logger"} <= set(one), line
        found.append(one)
    return found


def asked(url: str, **headers: str) -> tuple[int, str]:
    """The status of a request with these headers, and the id it was answered with."""
    opener = build_opener()
    opener.addheaders = [(name.replace("_", "-"), value) for name, value in headers.items()]
    try:
        with opener.open(url, timeout=30) as answer:
            return answer.status, answer.headers["X-Request-ID"]
    except urllib.error.HTTPError as error:
        return error.code, error.headers["X-Request-ID"]


class Log:
    def __init__(self, installation: Installation) -> None:
        self.folder = installation.folder

    def text(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def lines(self, name: str, **having: Any) -> list[dict[str, Any]]:
        return [
            line
            for line in lines_of(self.text(name))
            if all(line.get(key) == value for key, value in having.items())
        ]


@pytest.fixture
def log(installation: Installation) -> Log:
    return Log(installation)


@pytest.mark.slow
def test_work_leaves_lines_with_ids_and_no_texts_secrets_or_addresses(
    deployment: Deployment, installation: Installation, log: Log
) -> None:
    house = House()
    house.anna.set_password(PASSWORD)
    house.anna.save()
    _token, token = apitokens.make(
        user=house.anna,
        name="a program",
        scopes=["tickets:read", "tickets:write"],
        expires_at=timezone.now() + timedelta(days=1),
        now=timezone.now(),
    )
    bounced = house.contact("Bounce Reyes", house.norvik)
    installation.mailbox.answers = lambda envelope: (
        f"550 5.1.1 <{envelope.rcpt_tos[0]}> {WORDS['refusal']}"
        if bounced.email in envelope.rcpt_tos
        else ""
    )
    deployment.settings["ANYMAIL_WEBHOOK_SECRET"] = "anybody:zebrawebhook"
    deployment.start("prepare")
    assert installation.running.pop("prepare").wait(timeout=120) == 0, log.text("prepare")
    deployment.start("web", "engine", "mail", "webhooks", "beat")

    # A mail comes in by the pipe: standard output is the answer, standard error the log.
    taken = deployment.manage("ingest_email", "-", stdin=MAIL)
    reference = json.loads(taken.stdout)["ticket"]
    [mail] = [x for x in lines_of(taken.stderr.decode()) if x["event"] == "mail_taken_in"]
    assert (mail["ticket"], mail["outcome"]) == (reference, "created")

    # The engine escalates by itself, letters go out, one of them is refused.
    [late] = unanswered(house, 1)
    refused = house.ticket(
        WORDS["subject"], text=WORDS["text"], by=bounced, now=timezone.now() - timedelta(hours=1)
    )
    eventually(lambda: Escalation.objects.filter(ticket=late).exists(), what="its escalation")
    eventually(
        lambda: (
            OutgoingEmail.objects.filter(state=MailState.FAILED, to_address=bounced.email).exists()
            and OutgoingEmail.objects.filter(about=f"ticket:{late}", state=MailState.SENT).exists()
        ),
        what="a letter sent and one refused",
    )

    # Requests by every door, with something to hide in each part of them.
    anna = installation.visitor()
    anna.sign_in(house.anna.email, PASSWORD)
    anna.get(f"/tickets/{reference}/?{WORDS['query']}=1")
    ticket = Ticket.objects.get(pk=int(reference.removeprefix("HD-")))
    anna.post(f"/tickets/{reference}/note/", text=WORDS["note"], version=ticket.version)
    anna.get(f"/search/?q={WORDS['search']}")
    url = installation.url
    status, given = asked(
        f"{url}/portal/in/{PORTAL_KEY}/?next={WORDS['query']}",
        X_Request_ID="from-a-proxy-0001",
        User_Agent=WORDS["agent"],
        Referer=f"https://x.example/{WORDS['referer']}",
    )
    assert given == "from-a-proxy-0001"
    assert asked(f"{url}/{WORDS['path']}/")[0] == 404
    for malformed in (f"{WORDS['query']} with words", "x", "y" * 65, '{"a":1}'):
        assert UUID.fullmatch(asked(f"{url}/accounts/login/", X_Request_ID=malformed)[1])
    status, _id = asked(
        f"{url}/api/v1/tickets/{reference}/",
        Authorization=f"Bearer {token}",
        X_Request_ID="api-00000001",
    )
    assert status == 200
    assert asked(f"{url}/api/v1/tickets/", Authorization="Bearer hd_zebraforgedtoken")[0] == 401

    # What breaks says where, and repeats nothing: the database's own words quote the statement.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tickets_searchentry RENAME TO tickets_away")
    try:
        status, _id = asked(
            f"{url}/api/v1/tickets/?q={WORDS['search']}",
            Authorization=f"Bearer {token}",
            X_Request_ID="broken-00000001",
        )
        assert status == 500
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE tickets_away RENAME TO tickets_searchentry")
    with _poisoned():
        Ticket.objects.filter(pk=refused.pk).update(review_at=timezone.now() - timedelta(hours=1))
        eventually(
            lambda: Ticket.objects.get(pk=refused.pk).review_error,
            what="a ticket that is set aside",
        )
    names = list(installation.running)
    for name in ("web", "engine", "beat"):
        assert deployment.is_well(name), name
    installation.stop()
    assert not deployment.is_well("web")

    everything = {name: log.text(name) for name in names}
    everything |= {f"{name}.err": (log.folder / f"{name}.err").read_text() for name in names}
    everything["ingest_email"] = taken.stderr.decode()

    # Each line can be read, and names what it is about.
    page, *_again = log.lines(
        "web", event="request", route="/tickets/<str:reference>/", method="GET"
    )
    assert (page["ticket"], page["user_id"], page["status"]) == (reference, house.anna.pk, 200)
    assert UUID.fullmatch(page["request_id"])
    assert page["duration_ms"] > 0
    [noted] = log.lines("web", event="ticket_changed", kinds=["noted"])
    [request] = log.lines("web", event="request", request_id=noted["request_id"])
    assert noted["ticket"] == request["ticket"] == reference
    portal, *_redirected = log.lines("web", request_id="from-a-proxy-0001", event="request")
    assert portal["route"] == "/portal/in/<str:key>/"
    api, *_more = log.lines("web", request_id="api-00000001", event="request")
    assert (api["ticket"], api["user_id"]) == (reference, house.anna.pk)
    assert [one for one in log.lines("web", event="request", status=404) if "route" not in one]
    [failed] = log.lines("web", event="request_failed")
    assert failed["request_id"] == "broken-00000001"
    assert failed["exception"][0]["type"] == "django.db.utils.ProgrammingError"
    assert any("desk/api" in place for place in failed["exception"][0]["at"])
    assert "42P01" in failed["exception"][0]["said"]

    escalated = [
        one
        for one in log.lines("engine", task="escalation.tasks.sweep")
        if f"HD-{late}" in (one.get("ticket"), *one.get("tickets", ()))
        and "escalated" in one["kinds"]
    ]
    assert escalated
    assert UUID.fullmatch(escalated[0]["task_id"])
    for line in log.lines("engine"):
        assert line.keys().isdisjoint({"route", "user_id"}), "of a request that only rang"
    [aside, *_more] = log.lines("engine", event="ticket_set_aside")
    assert aside["ticket"] == refused.reference
    assert aside["exception"][0]["at"]
    sent = log.lines("mail", event="letter_settled", ticket=f"HD-{late}", state="sent")
    assert sent
    assert sent[0]["task"] == "notifications.tasks.send_due"
    [unsent] = log.lines("mail", event="letter_not_sent", ticket=refused.reference)
    assert (unsent["verdict"], unsent["status"]) == ("never", "5.1.1")

    for name, text in everything.items():
        for hidden in _never(house, token, installation):
            assert hidden not in text, f"{hidden} stands in the log of {name}"


@contextmanager
def _poisoned() -> Iterator[None]:
    """Meanwhile the database refuses what the review writes, quoting a text."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.review_error = '' AND NEW.subject = '{WORDS["subject"]}'
                   AND NEW.review_at IS DISTINCT FROM OLD.review_at
                   AND coalesce(NEW.review_at, now() + interval '1 hour') > now() THEN
                    RAISE EXCEPTION '{WORDS["poison"]} of dana@norvik.example';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON tickets_ticket
            FOR EACH ROW EXECUTE FUNCTION refuse()
            """
        )
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION refuse() CASCADE")


def _never(house: House, token: str, installation: Installation) -> Iterator[str]:
    yield from WORDS.values()
    yield from (PORTAL_KEY, PASSWORD, token, "hd_", "zebra", GIVEN["SECRET_KEY"])
    yield from (house.anna.email, house.dana.email, "norvik.example", "Dana", "Anna Keller")
    yield quote(house.anna.email)
