"""A 0.1.0 that was stopped in the middle of its work is upgraded, and its work goes on.

What tests/upgrade/ asks of the data is asked here of the whole installation: production's
processes, a mail server, and work that stood between two states when the old version went.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from escalation.models import Escalation, Handoff, Promise, Step
from notifications.models import OutgoingEmail
from staff.models import User
from tests.drills.cast import program
from tests.drills.production import WORKERS, Production
from tests.drills.proxy import Proxy
from tests.drills.servers import TcpServers, seen_by_the_test
from tests.faults.after import every_promise_is_kept
from tests.processes import eventually
from tickets.models import FollowUp, Ticket

pytestmark = pytest.mark.slow

DUMP = Path(__file__).parent.parent / "upgrade/0.1.0.sql.gz"

#: As if 0.1.0 had been stopped 70 minutes ago: every moment moves by as much, whatever table has it.
SEVENTY_MINUTES_AGO = """
DO $$
DECLARE
    passed interval := now() - interval '70 minutes' - (SELECT max(queued_at) FROM notifications_outgoingemail);
    which record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR which IN
        SELECT table_name AS name, string_agg(format('%1$I = %1$I + $1', column_name), ', ') AS moved
        FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
            AND data_type = 'timestamp with time zone'
        GROUP BY table_name
    LOOP
        EXECUTE format('UPDATE %I SET %s', which.name, which.moved) USING passed;
    END LOOP;
END $$;
"""

#: What a worker that is stopped leaves of four letters to customers, oldest first.
IN_FLIGHT = """
WITH letter AS (
    SELECT id, row_number() OVER (ORDER BY id) AS number FROM notifications_outgoingemail
    WHERE kind = 'received' ORDER BY id LIMIT 4
)
UPDATE notifications_outgoingemail AS mail SET
    sent_at = NULL,
    state = CASE WHEN number IN (1, 4) THEN 'queued' ELSE 'sending' END,
    next_attempt_at = CASE number
        WHEN 1 THEN now() - interval '65 minutes' WHEN 4 THEN now() + interval '1 day'
    END,
    not_before = CASE WHEN number = 4 THEN now() + interval '1 day' END,
    attempts = CASE WHEN number = 3 THEN 1 ELSE 0 END,
    lease_token = CASE WHEN number IN (2, 3) THEN gen_random_uuid() END,
    lease_until = CASE WHEN number IN (2, 3) THEN now() - interval '60 minutes' END,
    begun_at = CASE WHEN number = 3 THEN now() - interval '62 minutes' END
FROM letter WHERE letter.id = mail.id;
"""


def test_a_release_that_was_stopped_in_mid_work_is_upgraded_and_its_work_goes_on_once(
    empty: Production, own_servers: TcpServers, django_db_blocker: DjangoDbBlocker
) -> None:
    name = empty.database_url.rpartition("/")[2]
    own_servers.execute(f"CREATE DATABASE {name}")
    for statements in (
        gzip.decompress(DUMP.read_bytes()).decode(),
        SEVENTY_MINUTES_AGO,
        IN_FLIGHT,
    ):
        own_servers.execute(statements, database=name)
    host, mailbox = empty.host(), empty.mailbox
    host.prepare()

    with django_db_blocker.unblock(), seen_by_the_test(empty.database_url):
        began = timezone.now()
        queued, claimed, begun, later = OutgoingEmail.objects.filter(kind="received").order_by(
            "pk"
        )[:4]
        offered = Handoff.objects.get(outcome="pending")
        assert [step.action for step in offered.steps.all()] == ["remind"]
        late, kept_in_time = _promise("HD-1037"), _promise("HD-1038")
        assert late.due_at is not None
        assert late.due_at < began
        assert kept_in_time.due_at is not None
        assert kept_in_time.due_at > began
        others = set(
            Promise.objects.filter(state="open", due_at__gt=began).values_list("pk", flat=True)
        )
        fired = dict(FollowUp.objects.values_list("pk", "fired_count"))
        due = set(_follow_ups_due(began).values_list("pk", flat=True))
        assert due

        host.start("web", *WORKERS, "beat")
        host.all_ready("web", *WORKERS)

        # The engine: what was owed while nothing ran is done, once, and nothing else.
        eventually(lambda: not Ticket.objects.due_for_review(began).exists(), what="every review")
        assert not Ticket.objects.exclude(review_error="").exists()
        assert [step.action for step in offered.steps.order_by("number")] == ["remind", "lead"]
        assert Step.objects.filter(fired_at__gte=began).count() == 1
        late.refresh_from_db()
        assert late.broken_at is not None
        assert {
            pk
            for pk, count in FollowUp.objects.values_list("pk", "fired_count")
            if count > fired.get(pk, 0)
        } >= due
        assert all(
            count <= fired[pk] + 1
            for pk, count in FollowUp.objects.filter(pk__in=fired).values_list("pk", "fired_count")
        )

        # Letters: each once; the one in doubt once more, under the name it had.
        def told() -> bool:
            OutgoingEmail.objects.filter(state="uncertain").update(next_attempt_at=began)
            waiting = OutgoingEmail.objects.filter(state__in=("queued", "sending", "uncertain"))
            return not waiting.exclude(pk=later.id).exists()

        eventually(told, what="every letter")
        arrived = Counter(str(letter["Message-ID"]) for letter in mailbox.letters)
        for mail, doubts in ((queued, 0), (claimed, 0), (begun, 1)):
            assert arrived[mail.message_id] == 1
            mail.refresh_from_db()
            assert (mail.state, mail.leases_lost) == ("sent", doubts)
        assert arrived[later.message_id] == 0
        assert OutgoingEmail.objects.filter(state="captured").count() == 108 - 4

        # People: a promise that is still open is kept by an update that a program sends for Anna.
        proxy = Proxy([host.port("web")])
        owner = User.objects.get(pk=Escalation.objects.get(ticket=1038).ticket.assignee_id or 0)
        anna = program(proxy, owner)
        updated = anna.post(
            "/tickets/HD-1038/update/",
            {
                "headline": "we are on it",
                "text": "The cause is found.",
                "next_step": "A fix today.",
            },
        )
        assert updated.status in (200, 201), updated.text
        eventually(lambda: _state(kept_in_time) == "kept", what="a promise that is kept")
        assert set(
            Promise.objects.filter(pk__in=others - {kept_in_time.id}).values_list(
                "state", flat=True
            )
        ) == {"open"}

        # Why everything was done is still known, of what the old version did, too.
        explained = json.loads(host.manage("explain", "HD-1037", "--json"))
        assert explained["ticket"] == "HD-1037"
        for number in Escalation.objects.values_list("ticket", flat=True):
            assert anna.get(f"/tickets/HD-{number}/explanation/").status == 200

        # Started anew, it finds nothing left to do.
        eventually(told, what="the letters of that")
        host.stop(*host.running)
        before = (Step.objects.count(), len(mailbox.letters), _state(late))
        host.start("engine", "mail", "beat")
        host.all_ready("engine", "mail")
        looked = timezone.now() + timedelta(seconds=6)
        eventually(lambda: timezone.now() > looked, what="another look")
        assert (Step.objects.count(), len(mailbox.letters), _state(late)) == before
        assert max(Counter(str(one["Message-ID"]) for one in mailbox.letters).values()) == 1
        # The dump has no files; and business hours did not move with all other moments.
        every_promise_is_kept(but={"file-there", "clock-due", "clock-worked", "next-look"})
        host.stop(*host.running)


def _follow_ups_due(now: datetime) -> QuerySet[FollowUp]:
    """Those of which nobody has been reminded since they came due."""
    waiting = FollowUp.objects.filter(done_at=None, dropped_at=None, due_at__lte=now)
    return waiting.filter(Q(fired_at=None) | Q(fired_at__lt=F("due_at")))


def _promise(reference: str) -> Promise:
    return Promise.objects.get(ticket=Ticket.number_in(reference), state="open")


def _state(promise: Promise) -> str:
    return Promise.objects.values_list("state", flat=True).get(pk=promise.pk)
