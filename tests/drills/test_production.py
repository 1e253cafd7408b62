"""Everything as in production: a mail comes in over the pipe, and letters go out by SMTP."""

from __future__ import annotations

import json

import pytest

from notifications.models import OutgoingEmail
from tests.drills.cast import PASSWORD, program, ready
from tests.drills.production import ADDRESS, WORKERS, Production
from tests.drills.proxy import Browser, Proxy
from tests.processes import eventually, text_of

pytestmark = pytest.mark.slow

ASKED = b"""From: Dana Reyes <dana@norvik.example>
To: support@help.example
Subject: POST /v2/invoices returns 502
Message-ID: <first@norvik.example>
Date: Tue, 24 Nov 2026 10:12:00 +0100
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Since 09:10 every POST /v2/invoices fails with 502, for all our tenants. Our key is key_4f2a91.
"""


def test_a_mail_comes_in_is_escalated_and_its_customer_told_by_the_services_of_compose(
    production: Production,
) -> None:
    house = ready()
    host, mailbox = production.host(), production.mailbox
    host.start("web", *WORKERS, "beat")
    host.all_ready("web", *WORKERS)

    # Whoever watches it hears that it is up, and that it can work.
    assert host.answer("web", "/healthz") == (200, "ok\n")
    status, said = host.answer("web", "/readyz")
    assert (status, json.loads(said)["state"]) == (200, "ok"), said

    # A mail server calls the command, and the customer hears that the mail is here.
    outcome = json.loads(
        host.manage("ingest_email", "--mailbox", "support@help.example", stdin=ASKED)
    )
    assert outcome["outcome"] == "created"
    reference = outcome["ticket"]
    received = mailbox.waits_for("dana@norvik.example", "We have your request")
    assert reference in str(received["Subject"])
    assert str(received["Message-ID"]).endswith("@help.example>")

    # Anna signs in behind the proxy and sees it; a program of hers escalates it.
    proxy = Proxy([host.port("web")])
    anna = Browser(proxy)
    assert house.anna.email in anna.sign_in(house.anna.email, PASSWORD).text
    page = anna.get(f"/tickets/{reference}/")
    assert "key_4f2a91" in page.text
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")
    escalated = program(proxy, house.anna).post(
        f"/tickets/{reference}/escalations/",
        {"tried": "Repeated the call: 502.", "ask": "Why does the gateway refuse it?"},
        **{"Idempotency-Key": "once"},
    )
    assert escalated.status == 201, escalated.text

    # The customer is told by whom and by when; the receiver is told, too.
    told = mailbox.waits_for("dana@norvik.example", "With Tier 2")
    assert "has been escalated to Tier 2, Integrations" in text_of(told)
    promise = program(proxy, house.anna).get(f"/tickets/{reference}/promises/").json
    assert "UTC" in text_of(told) or "CET" in text_of(told), (text_of(told), promise)
    assert f"{ADDRESS}/s/" in text_of(told)
    mailbox.waits_for("priya@brightquay.example", reference)
    eventually(
        lambda: not OutgoingEmail.objects.exclude(state__in=("sent", "withdrawn")).exists(),
        what="every letter sent",
    )
    ids = [str(letter["Message-ID"]) for letter in mailbox.letters]
    assert len(ids) == len(set(ids))

    # Nothing that was promised is broken, and nobody was refused anything.
    checked = json.loads(host.manage("selfcheck", "--json"))
    assert checked, checked
    assert set(proxy.answers) <= {200, 201, 302}
    host.stop(*host.running)
