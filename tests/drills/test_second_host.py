"""A second machine with workers shares the work; when the first one is lost, it goes on alone."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing

import pytest
from aiosmtpd.smtp import Envelope
from django.db import connection

from escalation.models import Escalation
from notifications.models import OutgoingEmail
from tests.drills.afterwards import all_letters_out, do_not_wait, every_letter_arrived_once
from tests.drills.cast import ready
from tests.drills.production import Host, Production
from tests.faults.after import (
    all_escalated,
    arrived_once_or_under_one_message_id,
    escalated_once_each,
    unanswered,
)
from tests.processes import eventually

pytestmark = pytest.mark.slow

#: Sessions say in their name whose they are; what each did is written down beside it.
WRITE_DOWN = """
CREATE TABLE done_by (host text, what text);
CREATE FUNCTION write_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO done_by VALUES (current_setting('application_name'), TG_ARGV[0]);
    RETURN NULL;
END $$;
CREATE TRIGGER write_down AFTER INSERT ON escalation_escalation
    FOR EACH ROW EXECUTE FUNCTION write_down('escalated');
CREATE TRIGGER write_down AFTER UPDATE OF state ON notifications_outgoingemail
    FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION write_down('sent');
"""


def test_a_second_host_shares_the_work_and_goes_on_alone_when_the_first_is_lost(
    production: Production,
) -> None:
    house = ready()
    mailbox = production.mailbox
    with connection.cursor() as cursor:
        cursor.execute(WRITE_DOWN)
    # As short as what is asked afterwards expects; and a lease can be waited for.
    production.settings |= {"HELPDESK_ENGINE_INTERVAL": "0.5", "HELPDESK_MAIL_LEASE": "10"}
    first, second = _host(production, "one"), _host(production, "two")
    # A letter takes its time, so that there is something to share.
    mailbox.answers = _slowly
    for host in (first, second):
        # Two beats do no harm.
        host.start("engine", "mail", "beat")
    for host in (first, second):
        host.all_ready("engine", "mail")

    made: list[int] = []

    def both_worked() -> bool:
        made.extend(unanswered(house, 20))
        eventually(all_escalated(made), what="every escalation")
        done = _done()
        return all(
            done[host.name, what] for host in (first, second) for what in ("escalated", "sent")
        )

    eventually(both_worked, what="work of both", seconds=120)
    eventually(all_letters_out, what="every letter")
    escalated_once_each(made)
    every_letter_arrived_once(mailbox)

    # The first machine loses its power in the middle of letters.
    already = len(mailbox.letters)
    made.extend(unanswered(house, 40))
    eventually(lambda: len(mailbox.letters) > already + 10, what="the first of the letters")
    first.lost()
    assert not all_letters_out(), "lost too late to prove anything"
    before = _done()
    mailbox.answers = lambda _envelope: ""
    made.extend(unanswered(house, 20))
    eventually(all_escalated(made), what="every escalation by the second host alone")

    def the_rest_went_out() -> bool:
        do_not_wait()
        return all_letters_out()

    eventually(the_rest_went_out, what="every letter by the second host alone", seconds=90)
    after = _done()
    assert {host for (host, what) in after - before if what == "sent"} == {"two"}
    escalated_once_each(made)
    arrived_once_or_under_one_message_id([str(one["Message-ID"]) for one in mailbox.letters])
    doubtful = OutgoingEmail.objects.exclude(leases_lost=0)
    # What the first host had begun: a moment's letters for each of its two children.
    assert doubtful.count() <= 50
    assert Escalation.objects.count() == len(made)
    second.stop(*second.running)


def _host(production: Production, name: str) -> Host:
    """A machine whose sessions in PostgreSQL bear its name."""
    host = production.host(name)
    host.settings = {
        **production.settings,
        "DATABASE_URL": f"{production.database_url}?application_name={name}",
    }
    return host


def _done() -> Counter[tuple[str, str]]:
    with closing(connection.cursor()) as cursor:
        cursor.execute("SELECT host, what, count(*) FROM done_by GROUP BY 1, 2")
        return Counter({(host, what): count for host, what, count in cursor.fetchall()})


def _slowly(_envelope: Envelope) -> str:
    time.sleep(0.05)
    return ""
