"""Everything is restarted in the middle of work, one after the other, and nobody notices."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from aiosmtpd.smtp import Envelope

from escalation.models import Escalation
from tests.drills.afterwards import all_letters_out, every_letter_arrived_once
from tests.drills.cast import PASSWORD, program, ready
from tests.drills.load import Load
from tests.drills.production import GONE_WITHIN, WORKERS, Host, Production
from tests.drills.proxy import Browser, Proxy
from tests.faults.after import every_promise_is_kept
from tests.processes import eventually
from tickets.models import Ticket

pytestmark = pytest.mark.slow

#: Whoever is urgent and waits for a second goes up, so that the engine and letters are at work.
AT_ONCE = """
rules:
  - key: p1-unanswered
    name: A P1 ticket has waited for a reply
    when:
      all:
        - {fact: priority, op: is, value: P1}
        - {fact: unanswered_for, op: at_least, value: 1s wall}
    to: [{category_tier: 2}, {next_tier: true}]
    nature: overdue
    urgency: high
"""


@pytest.mark.parametrize(
    ("rounds", "pause"),
    [(1, 0.8), pytest.param(5, 0.05, marks=pytest.mark.soak)],
    ids=["once", "again-and-again"],
)
def test_web_and_workers_are_restarted_in_mid_work_with_no_request_failing_and_no_letter_lost(
    production: Production, rounds: int, pause: float
) -> None:
    house = ready(AT_ONCE)
    # Two, that share a socket: it is closed when the last of them has closed it.
    production.settings["WEB_CONCURRENCY"] = "2"
    host, mailbox = production.host(), production.mailbox
    # A letter takes its time, so that whoever is stopped has one in hand.
    mailbox.answers = _slowly
    host.start("web", "web2", *WORKERS, "beat")
    host.all_ready("web", "web2", *WORKERS)
    proxy = Proxy([host.port("web"), host.port("web2")])
    readers = [Browser(proxy), Browser(proxy)]
    for reader in readers:
        reader.sign_in(house.anna.email, PASSWORD)

    load = Load()
    load.by_programs([program(proxy, house.anna) for _ in range(2)], pause=pause)
    load.by_readers(readers, email=house.anna.email, pause=pause)
    load.by_mail(host, pause=3.0)
    with load:
        eventually(lambda: len(load.opened) >= 5 and load.mailed and mailbox.letters, what="work")
        for _round in range(rounds):
            _restart_web(host, proxy)
            host.restart("beat", *WORKERS)
        before = len(load.opened)
        eventually(lambda: len(load.opened) >= before + 5, what="work that goes on")

    assert load.failures == []
    assert set(proxy.answers) <= {200, 201, 302}
    assert proxy.refused > 0, "the web server was not missed: nothing was proven"
    mailbox.answers = lambda _envelope: ""

    # What was answered for is there, once, and everything that follows from it has happened.
    opened = [Ticket.number_in(reference) for reference in load.opened]
    everything = [*opened, *(Ticket.number_in(reference) for reference in load.mailed)]
    assert Counter(Ticket.objects.values_list("pk", flat=True)) == Counter(everything)
    eventually(lambda: Escalation.objects.count() == len(opened), what="every escalation")
    eventually(all_letters_out, what="every letter")
    assert Counter(Escalation.objects.values_list("ticket", flat=True)) == Counter(opened)
    every_letter_arrived_once(mailbox)
    every_promise_is_kept()
    host.stop(*host.running)
    print(
        f"{load.requests} requests, {proxy.refused} asked elsewhere, {len(mailbox.letters)} letters"
    )
    print("gone after", [(name, round(seconds, 1)) for name, seconds in host.took])
    assert max(seconds for _name, seconds in host.took) < GONE_WITHIN


def _restart_web(host: Host, proxy: Proxy) -> None:
    """One after the other: there is always one that answers."""
    # Nobody told the proxy: it is refused, and asks the other one.
    host.restart("web")
    # It was told beforehand.
    proxy.drain(host.port("web2"))
    host.restart("web2")
    proxy.back(host.port("web2"))


def _slowly(_envelope: Envelope) -> str:
    time.sleep(0.05)
    return ""
