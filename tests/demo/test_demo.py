"""The demo: a desk that is alive, whenever it is opened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from escalation import endings, review, withdrawing
from escalation.explanation import explain_ticket
from escalation.models import Decision, Escalation, PolicyVersion, Promise, Review
from escalation.models.clock import Clock
from escalation.models.escalation import HandoffOutcome, State
from escalation.models.promise import PromiseState
from helpdesk.demo import calendars, company, people
from helpdesk.management.commands.setup import load_all_defaults
from notifications import delivery
from notifications.models import DeliveryEvent, MailState, Notification, OutgoingEmail
from staff.businesstime import compiled
from staff.models import User
from tickets import intake
from tickets.gathering import gathered
from tickets.intake import Incoming
from tickets.models import Contact, Event, Message, Ticket
from tickets.models.ticket import Channel, Status
from training.models import Enrollment, ProcedureVersion

pytestmark = pytest.mark.django_db

TUESDAY = datetime(2026, 11, 24, 10, 0, 7, 250_000, tzinfo=UTC)

#: The first of those that are played; what stands below happened in the year before.
OLDEST = 1019


def load(moment: datetime, files: Path, *, past: int = 0) -> None:
    """Load the demo into an installation that is set up and empty, without the year before."""
    with override_settings(MEDIA_ROOT=files):
        load_all_defaults(now=moment)
        company.load(now=moment, past=past)


@pytest.fixture(scope="module")
def now(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[datetime]:
    """The demo, loaded once on a Tuesday; what a test does to it is undone after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        load(TUESDAY, tmp_path_factory.mktemp("files"))
        yield TUESDAY
        transaction.set_rollback(True)


def ticket(number: int) -> Ticket:
    return Ticket.objects.get(pk=number)


def escalation(number: int, kind: str = "functional") -> Escalation:
    return Escalation.objects.get(ticket_id=number, kind=kind)


def person(key: str) -> User:
    return User.objects.get(email=people.PEOPLE[key].email)


def promise(number: int) -> Promise:
    """The newest time the customer was told."""
    return Promise.objects.filter(ticket_id=number).latest("number")


def letters(number: int) -> list[str]:
    """The kinds of letters the customer got, in their order."""
    asked = ticket(number)
    return list(
        OutgoingEmail.objects.filter(about=asked.about, to_address=asked.requester.email)
        .order_by("queued_at", "pk")
        .values_list("kind", flat=True)
    )


def test_hd_1042_is_a_p1_that_nobody_has_answered(now: datetime) -> None:
    waiting = ticket(1042)
    assert (waiting.status, waiting.priority_label) == (Status.NEW, "P1")
    assert waiting.waiting_since == now + timedelta(seconds=45) - timedelta(minutes=15)
    assert waiting.organization is not None
    assert waiting.organization.customer_id == "NOR-4471"
    assert gathered(waiting).percent == 75
    assert waiting.messages.get(kind="customer").attachments.get().name == "trace.har"
    assert letters(1042) == ["received"]
    assert waiting.review_at == now + timedelta(seconds=45)


def test_hd_1042_says_in_advance_when_and_why_it_goes_to_integrations(now: datetime) -> None:
    told = explain_ticket(ticket=ticket(1042), now=now)
    first = told.rules[0]
    assert first.rule.key == "p1-unanswered"
    assert not first.holds
    assert first.matches_from == now + timedelta(seconds=45)
    assert "Integrations" in told.goes_to["p1-unanswered"]


def test_hd_1042_is_escalated_by_rule_after_45_seconds(now: datetime) -> None:
    review.sweep(clock=lambda: now + timedelta(seconds=44))
    assert not Escalation.objects.filter(ticket=1042).exists()

    fired = now + timedelta(seconds=46)
    review.sweep(clock=lambda: fired)
    delivery.send_due(clock=lambda: fired, capture=True)

    escalated = escalation(1042)
    offer = escalated.handoffs.get()
    assert (escalated.state, escalated.rule_key) == (State.OFFERED, "p1-unanswered")
    assert offer.to_team.slug == "integrations"
    assert Decision.objects.filter(escalation=escalated).exists()
    assert promise(1042).due_at is not None
    assert letters(1042) == ["received", "escalated"]
    notice = OutgoingEmail.objects.get(about="ticket:1042", kind="escalated")
    assert "Integrations" in notice.text
    assert "Oslo" in notice.text
    assert "API key ID" in notice.text
    priya = User.objects.get(email="priya@brightquay.example")
    assert Notification.objects.of(priya).filter(kind="staff_offer", about="ticket:1042").exists()


def test_nobody_accepting_reminds_after_two_minutes_tells_the_lead_and_goes_to_platform(
    now: datetime,
) -> None:
    fired = now + timedelta(seconds=46)
    for after in (0, 121, 302, 603):
        moment = fired + timedelta(seconds=after)
        review.sweep(clock=lambda moment=moment: moment)  # type: ignore[misc]
    first, second = escalation(1042).handoffs.order_by("number")
    assert [step.action for step in first.steps.order_by("number")] == [
        "remind",
        "lead",
        "backup_team",
    ]
    assert first.steps.get(action="lead").user == User.objects.get(email="grace@brightquay.example")
    assert first.outcome == HandoffOutcome.HANDED_ON
    assert second.to_team.slug == "platform"


def test_hd_1041_is_new(now: datetime) -> None:
    new = ticket(1041)
    assert (new.status, new.assignee) == (Status.NEW, None)
    assert letters(1041) == ["received"]


def test_hd_1040_waits_for_the_key_id_that_was_asked_for(now: datetime) -> None:
    asked = ticket(1040)
    assert asked.status == Status.WAITING
    assert gathered(asked).asked == {"signing_key_id"}
    assert gathered(asked).percent == 75
    assert letters(1040) == ["received", "detail_needed"]


def test_hd_1039_is_complete_and_not_escalated(now: datetime) -> None:
    complete = ticket(1039)
    assert complete.status == Status.OPEN
    assert gathered(complete).percent == 100
    assert len(gathered(complete).required) == 3
    assert complete.waiting_since is None
    assert not complete.escalations.exists()


def test_hd_1038_is_offered_to_platform_and_was_reminded_once(now: datetime) -> None:
    offered = escalation(1038)
    offer = offered.handoffs.get()
    assert offered.state == State.OFFERED
    assert offer.to_team.slug == "platform"
    assert [step.action for step in offer.steps.all()] == ["remind"]
    assert offer.accept_by > now
    assert promise(1038).state == PromiseState.OPEN


def test_hd_1037_is_accepted_with_its_promise_due_in_half_an_hour(now: datetime) -> None:
    accepted = escalation(1037)
    assert accepted.state == State.ACCEPTED
    assert accepted.owner == User.objects.get(email="priya@brightquay.example")
    told = promise(1037)
    assert told.state == PromiseState.OPEN
    assert timedelta(minutes=28) <= told.told - now <= timedelta(minutes=34)
    assert letters(1037) == ["received", "reply", "escalated", "accepted"]


def test_hd_1036_bounced_so_that_its_customer_was_not_told(now: datetime) -> None:
    offered = escalation(1036)
    assert offered.state == State.OFFERED
    assert promise(1036).is_untold
    bounced = DeliveryEvent.objects.get()
    assert (bounced.kind, bounced.status, bounced.email.kind) == ("bounced", "5.1.1", "escalated")
    reminder = ticket(1036).follow_ups.get(kind="not_told")
    assert reminder.is_open
    assert reminder.fired_at is not None
    assert timedelta() <= reminder.fired_at - bounced.at <= timedelta(minutes=15)
    told = Notification.objects.of(person("anna"))
    assert told.filter(kind="staff_follow_up", about="ticket:1036").exists()


def test_norviks_escalation_contact_is_written_to_in_the_requesters_place(now: datetime) -> None:
    instead = OutgoingEmail.objects.get(about="ticket:1036", to_address="ola.berg@norvik.example")
    assert instead.kind == "escalated"
    assert "Hello Ola" in instead.text or "Ola," in instead.text


def test_hd_1035_was_declined_since_the_key_id_is_missing(now: datetime) -> None:
    declined = escalation(1035)
    offer = declined.handoffs.get()
    assert declined.state == State.RETURNED
    assert offer.outcome == HandoffOutcome.DECLINED
    assert offer.missing == ["api_key_id"]
    assert ticket(1035).status == Status.WAITING
    assert promise(1035).state == PromiseState.SUSPENDED
    assert letters(1035)[-1] == "detail_needed"


def test_hd_1034_was_accepted_and_sent_back(now: datetime) -> None:
    back = escalation(1034)
    assert back.state == State.RETURNED
    assert back.handoffs.get().outcome == HandoffOutcome.SENT_BACK
    assert promise(1034).state == PromiseState.KEPT


def test_hd_1033_is_on_hold_with_a_follow_up_to_come(now: datetime) -> None:
    held = ticket(1033)
    assert held.status == Status.ON_HOLD
    assert held.follow_ups.get(kind="by_hand").due_at > now


def test_hd_1032_has_a_promise_that_broke_40_minutes_ago(now: datetime) -> None:
    assert escalation(1032).state == State.ACCEPTED
    broken = promise(1032)
    assert broken.state == PromiseState.BROKEN
    assert broken.broken_at is not None
    assert timedelta(minutes=37) <= now - broken.broken_at <= timedelta(minutes=43)
    marco = User.objects.get(email="marco@brightquay.example")
    told = Notification.objects.of(marco)
    assert told.filter(kind="staff_promise_warning", about="ticket:1032").exists()


def test_hd_1031_is_with_tier_2_and_with_helen_side_by_side(now: datetime) -> None:
    asked, experts = ticket(1031), escalation(1031)
    assert (experts.state, experts.owner) == (State.ACCEPTED, person("priya"))
    assert experts.handoffs.get().to_team.slug == "integrations"
    above = escalation(1031, "hierarchical")
    assert (above.state, above.owner) == (State.ACCEPTED, person("helen"))
    assert (asked.status, asked.held) == (Status.WAITING, True)


def test_hd_1030_was_handed_on_twice(now: datetime) -> None:
    handed = escalation(1030)
    assert [hop.to_team.slug for hop in handed.handoffs.order_by("number")] == [
        "integrations",
        "platform",
        "integrations",
    ]
    assert handed.state == State.ACCEPTED
    assert promise(1030).state == PromiseState.OPEN


def test_hd_1024_was_promised_anew_once(now: datetime) -> None:
    told = promise(1024)
    assert (told.state, told.slips) == (PromiseState.OPEN, 1)
    assert told.told > now
    assert letters(1024).count("new_expected_time") == 1


def test_hd_1023_is_resolved_and_its_reader_is_written_to_in_german(now: datetime) -> None:
    assert ticket(1023).status == Status.RESOLVED
    assert letters(1023) == [
        "received",
        "reply",
        "escalated",
        "accepted",
        "update",
        "resolved",
    ]
    resolved = OutgoingEmail.objects.get(about="ticket:1023", kind="resolved")
    assert resolved.language == "de"
    assert "Jürgen" in resolved.text
    assert "Bitte prüfen" in resolved.text or "bitte prüfen" in resolved.text.lower()
    for letter in OutgoingEmail.objects.filter(to_address="juergen.adler@steinbach.example"):
        assert letter.language == "de"
        assert "Reply to this email" not in letter.text


def test_hd_1022_was_reopened_by_its_customer(now: datetime) -> None:
    again = ticket(1022)
    assert (again.status, again.reopened_count) == (Status.OPEN, 1)
    assert again.waiting_since is not None


def test_hd_1021_stays_resolved_after_thanks(now: datetime) -> None:
    assert ticket(1021).status == Status.RESOLVED
    assert Message.objects.filter(ticket=1021, thanks=True).count() == 1


def test_hd_1020_is_closed_and_reviewed_as_avoidable(now: datetime) -> None:
    assert ticket(1020).status == Status.CLOSED
    assert letters(1020)[-1] == "closed"
    said = Review.objects.get(escalation=escalation(1020))
    assert (said.avoidable, said.user) == (True, person("marco"))


def test_hd_1019_is_snoozed(now: datetime) -> None:
    hidden = ticket(1019).snoozes.get()
    assert hidden.woken_at is None
    assert hidden.until > now
    assert ticket(1019).status == Status.ON_HOLD


def test_a_ticket_reopened_twice_goes_to_the_lead(now: datetime) -> None:
    for days in (1, 2):
        moment = now + timedelta(days=days)
        if days == 2:
            endings.resolve(
                ticket_id=1022,
                outcome="Sent again",
                now=moment - timedelta(minutes=5),
                by=person("carla"),
            )
            intake.append_message(
                ticket_id=1022,
                contact=ticket(1022).requester,
                incoming=Incoming(text="No code again. What is wrong?", channel=Channel.MAIL),
                now=moment,
            )
        review.sweep(clock=lambda moment=moment: moment)  # type: ignore[misc]
        assert ticket(1022).reopened_count == days
        assert Escalation.objects.filter(ticket=1022, rule_key="reopened-twice").count() == days - 1
    above = escalation(1022, "hierarchical")
    assert above.handoffs.get().to_user == person("marco")
    assert above.nature == "reopened"


def test_a_customer_who_asks_to_escalate_reaches_the_lead_once_a_day(now: datetime) -> None:
    def ask_and_look(hours: float) -> int:
        moment = now + timedelta(hours=hours)
        Ticket.objects.filter(pk=1041).update(asked_to_escalate_at=moment, review_at=moment)
        review.sweep(clock=lambda: moment)
        return Escalation.objects.filter(ticket=1041, rule_key="customer-asks").count()

    assert ask_and_look(1) == 1
    first = escalation(1041, "hierarchical")
    assert (first.trigger, first.handoffs.get().to_user) == ("customer", person("marco"))
    withdrawing.de_escalate(
        escalation_id=first.pk,
        reason="Answered on the phone.",
        now=now + timedelta(hours=2),
        by=person("marco"),
    )
    assert ask_and_look(5) == 1
    assert ask_and_look(26) == 2


def test_there_is_one_of_each_letter_with_plausible_times(now: datetime) -> None:
    customers = OutgoingEmail.objects.filter(
        to_address__in=Contact.objects.values_list("email", flat=True)
    )
    assert set(customers.values_list("kind", flat=True)) == {
        "received",
        "detail_needed",
        "escalated",
        "accepted",
        "update",
        "new_expected_time",
        "resolved",
        "closed",
        "reply",
    }
    for letter in OutgoingEmail.objects.all():
        assert letter.state == MailState.CAPTURED, letter
        assert letter.subject
        assert "{" not in letter.text
        assert letter.sent_at is not None
        assert letter.queued_at <= letter.sent_at <= letter.queued_at + timedelta(seconds=15)
        assert letter.sent_at <= now


def test_the_higher_a_number_the_later_it_was_opened(now: datetime) -> None:
    opened = list(Ticket.objects.order_by("pk").values_list("created_at", flat=True))
    assert opened == sorted(opened)
    assert Ticket.objects.filter(pk__gte=OLDEST).count() == len(company.STORIES) == 19


def test_nothing_lies_in_the_future_and_nothing_is_overdue(now: datetime) -> None:
    assert not Event.objects.filter(at__gt=now).exists()
    assert not Message.objects.filter(created_at__gt=now).exists()
    assert not Ticket.objects.filter(review_at__lte=now).exists()
    assert not Ticket.objects.exclude(review_error="").exists()
    events = Event.objects.count()
    assert review.sweep(clock=lambda: now + timedelta(seconds=1)) == 0
    assert Event.objects.count() == events


def test_only_what_is_meant_to_be_late_is_late(now: datetime) -> None:
    late = Clock.objects.filter(breached_at__isnull=False, ticket__gte=OLDEST).exclude(
        kind="acceptance"
    )
    assert set(late.values_list("ticket", "kind")) == {(1032, "resolution")}
    assert set(
        Promise.objects.filter(state=PromiseState.BROKEN, ticket__gte=OLDEST).values_list(
            "ticket", flat=True
        )
    ) == {1032}
    assert not Escalation.objects.filter(trigger="rule", ticket__gte=OLDEST).exists()


def test_the_day_after_goes_by_without_a_failure(now: datetime) -> None:
    for hours in (1, 4, 9, 20, 50):
        review.sweep(clock=lambda hours=hours: now + timedelta(hours=hours))  # type: ignore[misc]
    assert not Ticket.objects.exclude(review_error="").exists()


def test_again_adds_nothing(now: datetime) -> None:
    def counts() -> list[int]:
        return [
            model.objects.count()
            for model in (Ticket, Message, Event, OutgoingEmail, User, Contact, PolicyVersion)
        ]

    before = counts()
    said = StringIO()
    call_command("seed_demo", stdout=said)
    assert said.getvalue() == "nothing to add\n"
    assert counts() == before


def test_the_next_ticket_is_hd_1043(now: datetime) -> None:
    dana = Contact.objects.get(email="dana.reyes@norvik.example")
    message = intake.open_ticket(
        contact=dana,
        subject="One more",
        incoming=Incoming(text="Hello", channel=Channel.MAIL),
        now=now,
    )
    assert message.ticket.reference == "HD-1043"
    said = StringIO()
    call_command("seed_demo", stdout=said)
    assert said.getvalue() == "nothing to add\n"


def test_it_tells_how_to_sign_in(now: datetime) -> None:
    said = StringIO()
    call_command("seed_demo", sign_ins=True, stdout=said)
    *sign_ins, portal = said.getvalue().splitlines()
    assert [line.split()[1] for line in sign_ins] == ["admin", "lead", "agent", "receiver"]
    for line in sign_ins:
        _word, _role, email, password = line.split()
        assert User.objects.get(email=email).check_password(password)
    word, url = portal.split()
    assert word == "portal:"
    client, path = Client(), "/" + url.split("/", 3)[3]
    assert client.get(path).status_code == 200
    client.post(path)
    assert "HD-1042" in client.get("/portal/").content.decode()


def test_calendars_keep_their_countries_holidays(now: datetime) -> None:
    berlin, chicago, tokyo = (
        compiled(calendars.hours_of(slug, year=2026)) for slug in ("berlin", "chicago", "tokyo")
    )
    assert not berlin.is_open(datetime(2026, 12, 25, 12, tzinfo=UTC))
    assert not chicago.is_open(datetime(2026, 11, 26, 18, tzinfo=UTC))
    assert chicago.is_open(datetime(2026, 11, 25, 18, tzinfo=UTC))
    assert not tokyo.is_open(datetime(2026, 11, 23, 1, tzinfo=UTC))
    assert not tokyo.is_open(datetime(2026, 11, 24, 3, 30, tzinfo=UTC))


def test_the_one_away_is_not_asked(now: datetime) -> None:
    mei = User.objects.get(email=people.PEOPLE["mei"].email)
    assert not Notification.objects.of(mei).filter(kind="staff_offer").exists()


@override_settings(PRODUCTION=True)
def test_production_is_refused_without_saying_so(now: datetime) -> None:
    with pytest.raises(CommandError, match="--yes-in-production"):
        call_command("seed_demo", stdout=StringIO())
    call_command("seed_demo", yes_in_production=True, stdout=StringIO())


def test_tickets_of_ones_own_are_not_mixed_with_the_demo(now: datetime) -> None:
    Ticket.objects.filter(pk=1042).delete()
    with pytest.raises(CommandError, match="not the demo's"):
        call_command("seed_demo", stdout=StringIO())


def test_its_procedure_is_at_version_3_and_who_has_completed_it_differs(now: datetime) -> None:
    version = ProcedureVersion.objects.in_force(at=now).get()
    assert version.number == 3
    assert set(version.courses) == {"de", "en"}
    assert {step.key for step in version.course("en").steps} >= set(version.changed_steps)
    passed = set(version.completions.values_list("user__email", flat=True))
    assert {f"{key}@brightquay.example" for key in ("ben", "priya", "marco")} <= passed
    anna = Enrollment.objects.get(user__email="anna@brightquay.example", ended_at=None)
    assert (anna.version, anna.scope) == (version, ["gather", "notify"])
    late = Enrollment.objects.get(ended_at=None, due_at__lt=now)
    assert late.user.email == "dev@brightquay.example"
    assert version.attempts.filter(passed=False).count() == 1
    offered = Escalation.objects.open().values_list("procedure_version", flat=True)
    assert set(offered) == {version.pk}
