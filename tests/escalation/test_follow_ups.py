"""Follow-ups: by policy and by hand; whom they remind, how often, and when they stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from escalation import lifecycle, returning
from escalation.models.escalation import ReturnReason
from notifications.models import MailState, Notification, OutgoingEmail
from notifications.noticeboard import shown
from staff.models import Team, User
from tests.house import START, House, after, told
from tickets import followups, triage
from tickets.errors import Refused
from tickets.models import Event, FollowUp, Ticket
from tickets.models.followup import FollowUpKind

REMINDED = "staff_follow_up"


def by_hand(house: House, ticket: Ticket, **options: Any) -> FollowUp:
    asked: dict[str, Any] = {
        "kind": FollowUpKind.BY_HAND,
        "key": f"{ticket.reference}:call",
        "due_at": after(hours=2),
        "text": "Call Dana back",
        **options,
    }
    return followups.add(ticket_id=ticket.pk, now=START, by=house.anna, **asked)


def reminders(user: User) -> list[str]:
    """What somebody was reminded of, in words."""
    notices = Notification.objects.of(user).filter(kind=REMINDED).order_by("pk")
    return [
        notice.text for notice in shown(notifications=list(notices), reader=user, now=after(days=9))
    ]


# By policy


def test_every_four_business_hours_the_assignee_is_to_check_the_progress(house: House) -> None:
    Team.objects.filter(pk=house.emea.pk).update(calendar=house.office)
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    [follow_up] = ticket.follow_ups.all()
    assert (follow_up.kind, follow_up.due_at, follow_up.every) == (
        FollowUpKind.PROGRESS,
        after(hours=4),
        "4h",
    )
    house.run(since=START, until=after(hours=23), every=timedelta(minutes=30))
    assert _times(house.anna) == [
        after(hours=4),
        datetime(2026, 11, 24, 17, 0, tzinfo=UTC),
    ], "13:00, and 17:00 UTC, when Berlin closes"
    assert "Check the progress of the escalation" in reminders(house.anna)[0]


def _times(user: User) -> list[datetime]:
    return list(
        Notification.objects.of(user)
        .filter(kind=REMINDED)
        .order_by("at")
        .values_list("at", flat=True)
    )


def test_a_repeated_one_fires_once_after_an_outage_and_counts_what_was_missed(
    house: House,
) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    house.sweep(START)
    house.sweep(after(hours=17))
    house.sweep(after(hours=17, minutes=1))
    follow_up = ticket.follow_ups.get()
    assert (follow_up.fired_count, follow_up.missed_count) == (1, 3), "8, 12 and 16 h are missed"
    assert follow_up.due_at == after(hours=20)
    assert told(house.anna, kind=REMINDED) == [REMINDED]


# By hand


def test_a_reminder_by_hand_comes_once_in_the_words_of_who_wrote_it(house: House) -> None:
    ticket = house.ticket(assignee=house.ben)
    by_hand(house, ticket)
    house.sweep(after(hours=1, minutes=59))
    assert reminders(house.ben) == []
    house.run(since=after(hours=2), until=after(hours=9), every=timedelta(minutes=30))
    [text] = reminders(house.ben)
    assert "Call Dana back" in text
    assert Event.objects.filter(ticket=ticket, kind="follow_up_fired").count() == 1


def test_it_can_be_somebody_elses(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    by_hand(house, ticket, user_id=house.marco.pk)
    house.sweep(after(hours=2))
    assert told(house.marco, kind=REMINDED) == [REMINDED]
    assert told(house.anna, kind=REMINDED) == []


def test_it_can_repeat(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    by_hand(house, ticket, every="2h wall")
    house.run(since=START, until=after(hours=7), every=timedelta(minutes=30))
    assert _times(house.anna) == [after(hours=2), after(hours=4), after(hours=6)]


def test_the_engine_looks_at_it_when_it_is_due(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    by_hand(house, ticket, due_at=after(minutes=30))
    house.sweep(after(minutes=1))
    ticket.refresh_from_db()
    assert ticket.review_at == after(minutes=30)


@pytest.mark.parametrize(
    ("options", "field"),
    [({"due_at": START}, "due_at"), ({"every": "often"}, "every"), ({"every": "0s"}, "every")],
)
def test_it_lies_ahead_and_repeats_sensibly(
    house: House, options: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        by_hand(house, house.ticket(assignee=house.anna), **options)
    assert refused.value.field == field
    assert not FollowUp.objects.exists()


def test_the_same_key_is_owed_once(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    assert by_hand(house, ticket) == by_hand(house, ticket, text="Again")
    assert FollowUp.objects.get().text == "Call Dana back"


# Whom it reaches


def test_in_an_absence_the_backup_is_reminded(house: House) -> None:
    house.away(house.anna, backup=house.ben)
    by_hand(house, house.ticket(assignee=house.anna))
    house.sweep(after(hours=2))
    assert told(house.ben, kind=REMINDED) == [REMINDED]
    assert told(house.anna, kind=REMINDED) == []


def test_with_no_backup_or_no_assignee_the_teams_lead_is(house: House) -> None:
    house.away(house.anna)
    by_hand(house, house.ticket(assignee=house.anna))
    by_hand(house, house.ticket(), key="another")
    house.sweep(after(hours=2))
    assert told(house.marco, kind=REMINDED) == [REMINDED, REMINDED]


def test_a_new_assignee_takes_the_reminders_over(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    by_hand(house, ticket)
    triage.assign(ticket_id=ticket.pk, assignee_id=house.ben.pk, now=after(hours=1), by=house.anna)
    house.sweep(after(hours=2))
    assert told(house.ben, kind=REMINDED) == [REMINDED]


# When it stops


def test_what_is_done_never_fires(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    follow_up = by_hand(house, ticket)
    followups.complete(followup_id=follow_up.pk, now=after(hours=1), by=house.ben)
    followups.complete(followup_id=follow_up.pk, now=after(hours=1, minutes=5), by=house.anna)
    house.sweep(after(hours=3))
    assert told(house.anna, kind=REMINDED) == []
    follow_up.refresh_from_db()
    assert (follow_up.done_at, follow_up.done_by) == (after(hours=1), house.ben)


def test_a_repeated_one_stops_once_it_is_done(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    follow_up = by_hand(house, ticket, every="1h wall")
    house.run(since=START, until=after(hours=3), every=timedelta(minutes=30))
    followups.complete(followup_id=follow_up.pk, now=after(hours=3), by=house.anna)
    house.run(since=after(hours=3), until=after(hours=9), every=timedelta(minutes=30))
    assert len(_times(house.anna)) == 2


def test_what_is_no_longer_needed_never_fires_and_cannot_be_done(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    escalation = house.escalate(ticket)
    lifecycle.accept(escalation_id=escalation.pk, now=after(hours=1), by=house.priya)
    lifecycle.resolve(
        escalation_id=escalation.pk, outcome="Found.", now=after(hours=2), by=house.priya
    )
    progress = ticket.follow_ups.get(kind=FollowUpKind.PROGRESS)
    assert progress.dropped_at == after(hours=2)
    house.run(since=after(hours=2), until=after(hours=5), every=timedelta(minutes=30))
    assert not any("Check the progress" in text for text in reminders(house.anna))
    with pytest.raises(Refused):
        followups.complete(followup_id=progress.pk, now=after(hours=3), by=house.anna)


def test_a_reminder_still_in_the_outbox_is_taken_back_with_its_follow_up(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    escalation = house.escalate(ticket)
    house.sweep(after(hours=4))
    lifecycle.accept(escalation_id=escalation.pk, now=after(hours=4), by=house.priya)
    mail = OutgoingEmail.objects.get(to_address=house.anna.email, kind=REMINDED)
    assert mail.state == MailState.QUEUED
    lifecycle.resolve(
        escalation_id=escalation.pk, outcome="Found.", now=after(hours=5), by=house.priya
    )
    mail.refresh_from_db()
    assert mail.state == MailState.WITHDRAWN


def test_what_came_back_stands_on_the_assignees_list_until_it_is_offered_again(
    house: House,
) -> None:
    ticket = house.ticket(assignee=house.anna)
    escalation = house.escalate(ticket)
    returning.decline(
        escalation_id=escalation.pk,
        reason_code=ReturnReason.WRONG_TEAM,
        now=after(minutes=10),
        by=house.priya,
    )
    mine, leads = ticket.follow_ups.filter(kind=FollowUpKind.RETURNED).order_by("due_at")
    assert (mine.user, mine.due_at) == (None, after(minutes=10))
    assert (leads.user, leads.due_at) == (house.marco, after(hours=2, minutes=10))
    house.sweep(after(minutes=10))
    assert told(house.anna, kind=REMINDED) == [], "the notice has said so already"
    lifecycle.offer_again(
        escalation_id=escalation.pk, team_id=house.platform.pk, now=after(hours=1), by=house.anna
    )
    assert not ticket.follow_ups.filter(
        kind=FollowUpKind.RETURNED, dropped_at__isnull=True
    ).exists()
