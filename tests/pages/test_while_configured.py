"""Pages that are read in the very moment in which somebody configures something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from escalation import lifecycle
from tests.house import ALWAYS, House
from tests.pages.acting import ago, as_
from tests.pages.desk import words

pytestmark = pytest.mark.django_db


class JustBefore:
    """Does something right before the database is first asked about a table."""

    def __init__(self, table: str, do: Callable[[], object]) -> None:
        self.table = table
        self.do: Callable[[], object] | None = do

    def __call__(self, execute: Callable[..., Any], sql: str, *asked: Any) -> Any:
        if self.do is not None and f'FROM "{self.table}"' in sql:
            do, self.do = self.do, None
            do()
        return execute(sql, *asked)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/desk/?view=all_open", "Offered to Tier 3"),
        ("/escalations/", "Night watch"),
        ("/tickets/HD-{}/", "Offered to Night watch"),
    ],
)
def test_a_team_that_was_made_a_moment_ago_is_known_on_every_page(
    house: House, address: str, said: str
) -> None:
    ticket = house.ticket(assignee=house.anna, now=ago(minutes=9))
    escalation = house.escalate(ticket, now=ago(minutes=5))

    def hand_it_to_a_new_team() -> None:
        nights = house.team("nights", "Night watch", 3, calendar=house.calendar("nights", ALWAYS))
        lifecycle.hand_on(
            escalation_id=escalation.pk, team_id=nights.pk, now=timezone.now(), by=house.grace
        )

    meanwhile = JustBefore("escalation_handoff", hand_it_to_a_new_team)
    with connection.execute_wrapper(meanwhile):
        answer = as_(house.grace).get(address.format(ticket.pk))

    assert meanwhile.do is None, "it happened while the page was being read"
    assert answer.status_code == 200
    assert said in words(answer)
