"""The clock jumps ahead and back, and the night is an hour longer or shorter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from escalation.models import Escalation, Step
from notifications.models import Notification, OutgoingEmail
from tests.faults.after import nothing_overdue
from tests.house import START, House, after, handoff_of, letters_of, steps_of, told
from tickets.models import Ticket

MINUTE = timedelta(minutes=1)
SIX_HOURS = timedelta(hours=6)


def fired(escalation: Escalation) -> list[tuple[int, datetime]]:
    steps = Step.objects.filter(handoff__escalation=escalation)
    return list(steps.order_by("handoff__number", "number").values_list("number", "fired_at"))


def kept(ticket: Ticket) -> tuple[int, int, int, int]:
    """How much there is that must never be there twice."""
    return (
        Escalation.objects.filter(ticket=ticket).count(),
        Step.objects.filter(handoff__escalation__ticket=ticket).count(),
        OutgoingEmail.objects.filter(about=ticket.about).count(),
        Notification.objects.filter(about=ticket.about).count(),
    )


@pytest.fixture
def offered(house: House) -> Escalation:
    """A P1 with Integrations, nobody accepting."""
    return house.escalate(house.ticket(impact=1, urgency=1, assignee=house.anna))


def test_a_clock_six_hours_fast_fires_one_step_and_not_the_whole_path(
    house: House, offered: Escalation
) -> None:
    house.sweep(START)
    house.sweep(START + SIX_HOURS)
    house.sweep(START + SIX_HOURS)
    assert steps_of(handoff_of(offered)) == [("remind", "")]


def test_a_clock_that_goes_back_six_hours_repeats_nothing_and_goes_on_when_time_has_come(
    house: House, offered: Escalation
) -> None:
    ticket = offered.ticket
    jump = START + SIX_HOURS
    house.sweep(START)
    house.sweep(jump)
    before = kept(ticket)

    # Set right again: the step that fired stays fired, the next one chains from when it did.
    house.run(since=after(minutes=1), until=after(minutes=60), every=5 * MINUTE)
    assert kept(ticket) == before
    house.run(since=jump, until=jump + timedelta(hours=1), every=MINUTE)

    numbers = [number for number, _at in fired(offered)]
    assert numbers[:3] == [1, 2, 3]
    assert len(fired(offered)) == len(set(fired(offered)))
    nothing_overdue(now=jump + timedelta(hours=1))


def test_whatever_people_do_while_the_engine_is_ahead_is_looked_at_once_the_clock_is_right(
    house: House,
) -> None:
    house.sweep(START + SIX_HOURS)
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    house.run(since=START, until=after(minutes=14), every=MINUTE)
    assert not Escalation.objects.exists()
    house.sweep(after(minutes=15))
    assert Escalation.objects.filter(ticket=ticket).count() == 1
    assert letters_of(ticket).count("escalated") == 1


@pytest.mark.parametrize("jumps", [(6, -6, 6), (-6, 6, -6), (6, 6, -6, -6)])
def test_jumps_to_and_fro_escalate_once_and_tell_once(house: House, jumps: tuple[int, ...]) -> None:
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    now = START
    for hours in jumps:
        house.run(since=now, until=now + 20 * MINUTE, every=5 * MINUTE)
        now += timedelta(hours=hours)
    house.run(since=START, until=START + SIX_HOURS * 3, every=30 * MINUTE)
    nothing_overdue(now=START + SIX_HOURS * 3)

    assert Escalation.objects.filter(ticket=ticket).count() == 1
    assert letters_of(ticket).count("escalated") == 1
    handoffs = Escalation.objects.get().handoffs.count()
    for person in (house.priya, house.mei, house.jonas):
        assert told(person, kind="staff_offer").count("staff_offer") <= handoffs


#: 03:00 becomes 02:00 in Berlin at 01:00 UTC; on the second, 02:00 becomes 03:00.
LONGER_NIGHT = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
SHORTER_NIGHT = datetime(2027, 3, 28, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("night", [LONGER_NIGHT, SHORTER_NIGHT], ids=["longer", "shorter"])
def test_in_a_night_that_changes_the_clocks_wall_time_is_time_that_passes(
    house: House, night: datetime
) -> None:
    since = night + 40 * MINUTE
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna, now=since)
    house.run(since=since, until=night + timedelta(hours=4), every=MINUTE)
    nothing_overdue(now=night + timedelta(hours=4))

    escalation = Escalation.objects.get(ticket=ticket)
    assert escalation.opened_at == since + 15 * MINUTE
    times = [at for _number, at in fired(escalation)]
    # Neither an hour without a step nor all of them at once.
    assert {later - earlier for earlier, later in pairwise(times)} <= {
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
    }
    assert times[0] - escalation.opened_at <= 15 * MINUTE


@pytest.mark.parametrize(
    ("friday", "monday"),
    [
        # 17:00 on Friday by one offset, 10:00 on Monday by the other: three hours of work.
        (datetime(2026, 10, 23, 15, 0, tzinfo=UTC), datetime(2026, 10, 26, 9, 0, tzinfo=UTC)),
        (datetime(2027, 3, 26, 16, 0, tzinfo=UTC), datetime(2027, 3, 29, 8, 0, tzinfo=UTC)),
    ],
    ids=["longer", "shorter"],
)
def test_over_a_week_end_that_changes_the_clocks_an_office_opens_by_its_own_clock(
    house: House, friday: datetime, monday: datetime
) -> None:
    ticket = house.ticket(by=house.juergen, assignee=house.anna, now=friday)
    house.sweep(friday)
    clock = ticket.clocks.get(kind="first_response")
    consumed = timedelta(hours=3)
    assert clock.due_at == monday + (clock.budget - consumed)
