"""``seed_demo --again``: the same desk with fresh times, whatever was tried on it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from escalation.models import PolicyVersion
from helpdesk.demo import company, people, policy
from notifications.models import Notification, OutgoingEmail
from staff.models import Absence, Team, User
from tests.demo import test_demo
from tests.demo.test_demo import TUESDAY, load
from tickets import intake
from tickets.intake import Incoming
from tickets.models import Attachment, Contact, Event, InboundEmail, Message, Ticket
from tickets.models.ticket import Channel

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

FRIDAY = TUESDAY + timedelta(days=17, hours=3)
PAST = 12


@dataclass(frozen=True)
class Meanwhile:
    """What was on the desk when the demo was played again."""

    files: Path
    trace: str
    tried: tuple[int, ...]


@pytest.fixture(scope="module")
def meanwhile(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Meanwhile]:
    """The demo of a Tuesday, tried out and in part reconfigured, and played again on a Friday."""
    files = tmp_path_factory.mktemp("files")
    with django_db_blocker.unblock(), transaction.atomic():
        load(TUESDAY, files, past=PAST)
        trace = str(Attachment.objects.get(name="trace.har").file.name)
        tried = writes("dana.reyes@norvik.example"), writes("new.colleague@norvik.example")
        InboundEmail.objects.create(
            mailbox="support@brightquay.example",
            raw=b"From: dana.reyes@norvik.example\r\n\r\nHello",
            size=44,
            sha256=b"\0" * 32,
            source="stdin",
            received_at=TUESDAY,
            ticket=tried[0],
        )
        Team.objects.filter(slug="integrations").update(name="Integrations and partners")
        publish({**policy.body(), "rules": rules()[:3]})
        with override_settings(MEDIA_ROOT=files):
            made = company.load(now=FRIDAY, past=PAST, again=True)
        assert made == len(company.STORIES) + PAST
        yield Meanwhile(files, trace, tuple(ticket.pk for ticket in tried))
        transaction.set_rollback(True)


def writes(email: str) -> Ticket:
    contact, _new = Contact.objects.get_or_create(
        email=email, defaults={"name": "Somebody", "created_at": TUESDAY}
    )
    return intake.open_ticket(
        contact=contact,
        subject="Just trying",
        incoming=Incoming(text="Hello", channel=Channel.MAIL),
        now=TUESDAY,
    ).ticket


def rules() -> list[object]:
    found = policy.body()["rules"]
    assert isinstance(found, list)
    return found


def publish(body: dict[str, object]) -> None:
    last = PolicyVersion.objects.latest("number")
    PolicyVersion.objects.create(
        policy=last.policy,
        number=last.number + 1,
        body=body,
        created_at=FRIDAY,
        published_at=(last.published_at or TUESDAY) + timedelta(hours=1),
    )


@pytest.mark.parametrize(
    "holds",
    [
        test_demo.test_hd_1042_is_a_p1_that_nobody_has_answered,
        test_demo.test_hd_1032_has_a_promise_that_broke_40_minutes_ago,
        test_demo.test_hd_1036_bounced_so_that_its_customer_was_not_told,
        test_demo.test_hd_1019_is_snoozed,
        test_demo.test_there_is_one_of_each_letter_with_plausible_times,
        test_demo.test_the_higher_a_number_the_later_it_was_opened,
        test_demo.test_nothing_lies_in_the_future_and_nothing_is_overdue,
        test_demo.test_only_what_is_meant_to_be_late_is_late,
        test_demo.test_the_next_ticket_is_hd_1043,
    ],
)
def test_it_is_the_same_desk_at_another_time(
    meanwhile: Meanwhile, holds: Callable[[datetime], None]
) -> None:
    holds(FRIDAY)


def test_what_the_demos_customers_asked_meanwhile_has_gone(meanwhile: Meanwhile) -> None:
    assert not Ticket.objects.filter(pk__in=meanwhile.tried).exists()
    assert Ticket.objects.count() == len(company.STORIES) + PAST
    assert not InboundEmail.objects.exists()


def test_files_go_once_it_is_done_and_only_then(meanwhile: Meanwhile) -> None:
    fresh = str(Attachment.objects.get().file.name)
    assert fresh != meanwhile.trace
    assert (meanwhile.files / fresh).exists()
    assert (meanwhile.files / meanwhile.trace).exists(), "nothing has been committed here"


def test_configuration_that_was_changed_stays(meanwhile: Meanwhile) -> None:
    assert Team.objects.get(slug="integrations").name == "Integrations and partners"


def test_a_policy_of_an_earlier_demo_was_renewed(meanwhile: Meanwhile) -> None:
    assert PolicyVersion.objects.in_force().body == policy.body()


def test_a_policy_that_people_made_stays_in_force(meanwhile: Meanwhile) -> None:
    changed = {**policy.body(), "clock_warning": "60%"}
    publish(changed)
    policy.load(now=FRIDAY + timedelta(days=1))
    assert PolicyVersion.objects.in_force().body == changed


def test_the_one_away_is_away_then_unless_somebody_ended_it(meanwhile: Meanwhile) -> None:
    mei = User.objects.get(email=people.PEOPLE["mei"].email)
    absence = Absence.objects.get(user=mei)
    assert absence.starts_at < FRIDAY < absence.ends_at
    ended = FRIDAY - timedelta(days=2)
    Absence.objects.update(ends_at=ended)
    users = {key: User.objects.get(email=each.email) for key, each in people.PEOPLE.items()}
    people.renew_absence(users=users, now=FRIDAY + timedelta(days=1))
    assert Absence.objects.get(user=mei).ends_at == ended


def test_anybody_elses_ticket_is_in_the_way_and_nothing_is_removed(meanwhile: Meanwhile) -> None:
    real = writes("someone@real-customer.test")

    def counts() -> list[int]:
        return [
            model._default_manager.count()
            for model in (Ticket, Message, Event, Attachment, OutgoingEmail, Notification)
        ]

    before = counts()
    with pytest.raises(CommandError, match=real.reference):
        call_command("seed_demo", again=True, past=PAST, stdout=StringIO())
    assert counts() == before
