"""One ticket in five hundred cannot be reviewed: the others do not wait for it."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from escalation.models import Escalation, Step
from notifications.models import Notification
from tests.faults.after import escalated_once_each, unanswered
from tests.house import House, after
from tests.processes import Installation, eventually
from tickets.models import Ticket

pytestmark = pytest.mark.slow

TICKETS = 500


def test_one_poison_ticket_in_five_hundred_delays_none_of_the_others(
    installation: Installation,
) -> None:
    house = House()
    made = unanswered(house, TICKETS)
    poison = Ticket.objects.get(pk=made[TICKETS // 2])
    # Escalated already, with a path that no version of ours would write.
    escalation = house.escalate(poison, now=after(minutes=-90))
    whole = escalation.handoffs.get().path
    _write_path(poison, [{"action": "remind", "after": "soon"}] * 3)

    installation.start("run_engine")
    eventually(lambda: Escalation.objects.count() == TICKETS, what="all the others")
    poison.refresh_from_db()
    assert poison.review_error.startswith("DurationError")
    assert Notification.objects.of(house.sam).filter(kind="admin_poison_ticket").exists()
    assert list(Ticket.objects.exclude(review_error="")) == [poison]
    assert not Step.objects.filter(handoff__escalation=escalation).exists()

    # Mended, it is looked at as if nothing had been.
    _write_path(poison, whole)
    Ticket.objects.filter(pk=poison.pk).update(review_at=after(minutes=-90))
    eventually(lambda: not Ticket.objects.exclude(review_error="").exists(), what="its review")
    escalated_once_each(made)


def _write_path(ticket: Ticket, path: list[dict[str, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE escalation_handoff SET path = %s WHERE escalation_id IN"
            " (SELECT id FROM escalation_escalation WHERE ticket_id = %s)",
            [json.dumps(path), ticket.pk],
        )
