"""What must be so after every fault, and the situation the faults strike in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from desk.selfcheck import running
from escalation.models import Escalation, Promise
from escalation.tasks import database_clock
from notifications.models import OutgoingEmail
from tests.house import House
from tests.processes import Installation
from tests.selfcheck.reports import found
from tickets.models import Ticket

TWO_INTERVALS = timedelta(seconds=1)
"""Of an ``Installation``'s engine, which looks twice a second."""

BUSY = timedelta(seconds=4)
"""What a machine that runs other tests may add; it lies far below the shipped two intervals."""


@transaction.atomic
def unanswered(house: House, count: int) -> list[int]:
    """P1 tickets that have waited for an hour, and that nobody has looked at yet.

    They come at once, or an engine at work would have looked at some before they are overdue.
    """
    since = timezone.now() - timedelta(hours=1)
    already = Ticket.objects.count()
    made = [
        house.ticket(
            f"POST /v2/invoices returns 502, case {number}",
            now=since,
            impact=1,
            urgency=1,
            by=house.contact(f"Caller{number} Reyes", house.norvik),
        ).pk
        for number in range(already, already + count)
    ]
    Ticket.objects.filter(pk__in=made).update(review_at=since)
    return made


def all_escalated(made: Collection[int]) -> Callable[[], bool]:
    """Something to wait for: as many escalations as tickets were made."""
    return lambda: Escalation.objects.count() == len(made)


def escalated_once_each(made: Collection[int]) -> None:
    """Escalations = distinct keys = expected; promise and letter once each; nothing overdue."""
    escalations = list(Escalation.objects.all())
    assert len(escalations) == len({escalation.key for escalation in escalations}) == len(made)
    assert Counter(escalation.ticket_id for escalation in escalations) == dict.fromkeys(made, 1)
    assert Counter(Promise.objects.values_list("ticket", flat=True)) == dict.fromkeys(made, 1)
    letters = OutgoingEmail.objects.filter(kind="escalated")
    assert Counter(letters.values_list("about", flat=True)) == {f"ticket:{pk}": 1 for pk in made}
    every_decision_is_explained()
    nothing_overdue()
    every_promise_is_kept()


def every_promise_is_kept(*, but: Collection[str] = ()) -> None:
    """``selfcheck`` names nothing; but letters wait where a test starts no worker for them."""
    names = [name for name in running.names() if name not in {"letter-due", *but}]
    named = found(running.run(now=database_clock(), only=names))
    assert not named, named


def every_decision_is_explained() -> None:
    """What a rule escalated says by which reasons."""
    by_rule = Escalation.objects.filter(trigger="rule")
    unexplained = by_rule.filter(Q(decision=None) | Q(decision__reasons=[]))
    assert not list(unexplained.values_list("ticket", flat=True))


def nothing_overdue(*, now: datetime | None = None) -> None:
    """No ticket has waited for longer than two intervals, and none was set aside.

    ``now`` is the engine's last look, where a test has the clock: nothing due by then waits at all.
    """
    assert not list(Ticket.objects.exclude(review_error="").values_list("pk", "review_error"))
    since = timezone.now() - TWO_INTERVALS - BUSY if now is None else now
    assert not list(Ticket.objects.filter(review_at__lt=since).values_list("pk", "review_at"))


def received_once_or_under_one_message_id(installation: Installation) -> None:
    """Every letter arrived; one that arrived twice did so under one Message-ID."""
    arrived_once_or_under_one_message_id(
        [str(letter["Message-ID"]) for letter in installation.mailbox.letters]
    )


def arrived_once_or_under_one_message_id(message_ids: Collection[str]) -> None:
    """The same of whatever server kept these; nothing may come twice that was never uncertain."""
    arrived = Counter(message_ids)
    told = OutgoingEmail.objects.exclude(state__in=("failed", "withdrawn"))
    rows = {mail.message_id: mail for mail in told}
    assert set(arrived) == set(rows)
    for message_id, times in arrived.items():
        assert times <= 1 + rows[message_id].leases_lost, rows[message_id]


def all_sent() -> bool:
    """Whether every letter has left, but those that another one took in."""
    return not OutgoingEmail.objects.exclude(state__in=("sent", "withdrawn")).exists()


STOPS_BATCHES = "LOCK TABLE escalation_promise IN SHARE MODE"
"""Whoever does so has every batch of the engine stop: after its escalations, before its promises."""


@contextmanager
def batches_stopped() -> Iterator[None]:
    """Meanwhile every batch of the engine stops in the middle."""
    barrier = connection.copy()
    barrier.set_autocommit(False)
    try:
        with barrier.cursor() as cursor:
            cursor.execute(STOPS_BATCHES)
        yield
    finally:
        barrier.close()


def in_mid_batch() -> bool:
    """Whether a batch stands where it was stopped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND relation = 'escalation_promise'::regclass"
        )
        [waiting] = cursor.fetchone()
    return bool(waiting)
