"""Who is late is reminded, and only who is late, is here, and has not completed it meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifications.models import MailState, Notification, OutgoingEmail
from staff.models import Role, User
from tests.house import START, House, after
from tests.training.test_learning import attempt, published, required
from training import enrolling, reminding
from training.models import Enrollment, EnrollmentEnd

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def told(user: User, kind: str = "staff_training_reminder") -> int:
    return Notification.objects.filter(kind=kind, readers__contains=[user.pk]).count()


def test_one_is_reminded_before_when_and_weekly_after_it_was_due(house: House) -> None:
    published()
    required(role=Role.AGENT, days=14)
    enrolling.enrol_everywhere(now=START)
    for day, times in ((10, 0), (11, 1), (12, 1), (14, 2), (20, 2), (21, 3), (28, 4), (60, 5)):
        reminding.remind(now=after(days=day))
        reminding.remind(now=after(days=day, minutes=5))
        assert told(house.anna) == times, f"day {day}"
    letter = OutgoingEmail.objects.filter(
        kind="staff_training_reminder", to_address=house.anna.email
    ).first()
    assert letter is not None
    assert (letter.zone, letter.language) == ("Europe/Berlin", "en")
    assert told(house.marco) == 0


def test_who_was_just_asked_needs_no_reminder_of_what_is_due_in_two_days(house: House) -> None:
    published()
    required(role=Role.AGENT, days=2)
    enrolling.enrol_everywhere(now=START)
    assert reminding.remind(now=after(minutes=5)) == 0
    reminding.remind(now=after(days=2))
    assert told(house.anna) == 1


def test_who_is_away_is_reminded_when_back_and_who_left_never(house: House) -> None:
    published()
    required(role=Role.AGENT, days=5)
    enrolling.enrol_everywhere(now=START)
    house.away(house.anna)
    User.objects.filter(pk=house.ben.pk).update(is_active=False)
    reminding.remind(now=after(days=6))
    assert (told(house.anna), told(house.ben), told(house.priya)) == (0, 0, 1)
    reminding.remind(now=after(days=10, hours=1))
    assert (told(house.anna), told(house.ben)) == (1, 0)


def test_leads_hear_once_and_together_of_who_is_late_for_a_week(house: House) -> None:
    published()
    required(role=Role.AGENT, days=5)
    enrolling.enrol_everywhere(now=START)
    for day in (5, 11, 12, 13, 20):
        reminding.remind(now=after(days=day))
    [notice] = Notification.objects.filter(
        kind="staff_training_overdue", readers__contains=[house.marco.pk]
    )
    assert notice.at == after(days=12)
    assert notice.variables["people"] == ["Anna Keller", "Ben Osei"]
    assert told(house.grace, "staff_training_overdue") == 1
    assert told(house.helen, "staff_training_overdue") == 0


def test_letters_that_are_no_longer_true_are_withdrawn(house: House) -> None:
    version = published()
    required(role=Role.AGENT, days=5)
    enrolling.enrol_everywhere(now=START)
    reminding.remind(now=after(days=5))
    letters = OutgoingEmail.objects.filter(about__startswith="enrollment:")
    assert letters.filter(to_address=house.anna.email, state=MailState.QUEUED).count() == 2
    attempt(house.anna, version, right=True, now=after(days=5, minutes=1))
    assert {each.state for each in letters.filter(to_address=house.anna.email)} == {
        MailState.WITHDRAWN
    }
    assert letters.filter(to_address=house.ben.email, state=MailState.QUEUED).count() == 2

    published(now=after(days=6))
    states = (
        letters.filter(to_address=house.ben.email).order_by("pk").values_list("state", flat=True)
    )
    assert list(states) == [MailState.WITHDRAWN, MailState.WITHDRAWN, MailState.QUEUED]


def test_of_a_lead_who_is_late_the_teams_other_leads_hear(house: House) -> None:
    published()
    required(role=Role.LEAD, days=1)
    house.emea.leads.add(house.helen)
    enrolling.enrol_everywhere(now=START)
    reminding.remind(now=after(days=9))
    notice = Notification.objects.get(
        kind="staff_training_overdue", readers__contains=[house.helen.pk]
    )
    assert "Marco Ruiz" in notice.variables["people"]


def test_a_lead_reminds_by_hand_once_a_day_and_only_who_is_overdue(house: House) -> None:
    version = published()
    required(role=Role.AGENT, days=5)
    enrolling.enrol_everywhere(now=START)
    people = User.objects.filter(teams=house.emea)
    assert reminding.remind_overdue(version=version, people=people, now=after(days=4)) == 0
    assert reminding.remind_overdue(version=version, people=people, now=after(days=5)) == 2
    assert reminding.remind_overdue(version=version, people=people, now=after(days=5.5)) == 0
    assert reminding.remind_overdue(version=version, people=people, now=after(days=6)) == 2
    assert (told(house.anna), told(house.priya)) == (2, 0)


def test_who_was_asked_by_hand_is_asked_for_the_next_version_and_whatever_requirements_go(
    house: House,
) -> None:
    version = published()
    requirement = required(role=Role.MANAGER, days=14)
    asked = enrolling.ask(
        procedure=version.procedure,
        user=house.helen,
        due_at=after(days=9),
        by=house.sam,
        now=START,
    )
    enrolling.enrol_everywhere(now=START)
    requirement.delete()
    second = published(now=after(days=1))
    again = Enrollment.objects.get(user=house.helen, version=second)
    assert (again.by_hand, again.asked_by, again.due_at) == (True, house.sam, after(days=9))
    asked.refresh_from_db()
    assert asked.end == EnrollmentEnd.SUPERSEDED
    assert Enrollment.objects.filter(version=second).count() == 1


def test_when_what_was_passed_before_expires_the_changed_steps_alone_are_not_enough(
    house: House,
) -> None:
    version = published(valid_days="20")
    required(role=Role.AGENT, days=14)
    attempt(house.anna, version, right=True, now=START)
    second = published(now=after(days=10), changed="[notify]")
    assert Enrollment.objects.get(user=house.anna, version=second).scope == ["notify"]
    enrolling.enrol_everywhere(now=START + timedelta(days=20))
    assert Enrollment.objects.get(user=house.anna, version=second).scope == []
