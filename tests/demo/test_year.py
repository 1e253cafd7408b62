"""The demo's year of tickets that are over: as if the desk had been in use all the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F, Sum
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from desk.selfcheck import running
from escalation import review
from escalation.models import (
    Clock,
    ClockRun,
    Decision,
    Escalation,
    Handoff,
    Promise,
    Review,
    Step,
)
from escalation.models.clock import ClockKind, ClockState
from escalation.models.escalation import OPEN, HandoffOutcome
from escalation.models.promise import LIVE, PromiseState
from helpdesk.demo import company, people, year
from notifications.models import Notification, OutgoingEmail
from staff.models import User
from tests.demo.test_demo import TUESDAY, load
from tests.pages.desk import words
from tests.selfcheck.reports import found
from tickets.models import Event, Message, Ticket
from tickets.models.ticket import Status

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PLAYED = range(year.OLDEST_OF_THE_DEMO, company.NEWEST + 1)


@pytest.fixture(scope="module")
def now(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[datetime]:
    """The whole demo, loaded once on a Tuesday."""
    files = tmp_path_factory.mktemp("files")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=files), transaction.atomic():
        load(TUESDAY, files, past=year.TICKETS)
        # Once, or every test would have all of it checked at its end.
        connection.check_constraints()
        yield TUESDAY
        transaction.set_rollback(True)


def past() -> Any:
    return Ticket.objects.exclude(pk__in=PLAYED)


def test_two_thousand_tickets_were_closed_in_the_year_before(now: datetime) -> None:
    assert past().count() == 2_000
    assert set(past().values_list("status", flat=True)) == {Status.CLOSED}
    opened = past().order_by("created_at")
    assert opened.first().created_at > now - timedelta(days=400)
    assert opened.last().created_at < Ticket.objects.get(pk=PLAYED[0]).created_at
    assert not past().filter(closed_at__gte=now).exists()


def test_the_newest_stand_right_below_the_demos_own_and_the_oldest_keep_old_numbers(
    now: datetime,
) -> None:
    numbers = list(past().order_by("created_at", "pk").values_list("pk", flat=True))
    old, new = numbers[: -len(year.numbers())], numbers[-len(year.numbers()) :]
    assert new == list(range(1, PLAYED[0]))
    assert old == sorted(old)
    assert all(year.is_old_number(number) for number in old)
    first = past().get(pk=old[0])
    assert str(old[0]) == f"{first.created_at:%y%m}001"
    assert not any(year.is_old_number(number) for number in range(1, 1_100))


def test_nobody_at_a_customer_finds_an_older_ticket_above_a_newer_one(now: datetime) -> None:
    for key in ("requester", "organization"):
        seen: dict[int, datetime] = {}
        shown = Ticket.objects.order_by("-pk")
        if key == "organization":
            # An escalation contact sees the organization's.
            shown = shown.filter(organization__contacts__is_escalation_contact=True).distinct()
        for who, at in shown.values_list(key, "created_at"):
            assert at <= seen.get(who, at)
            seen[who] = at


def test_every_clock_has_used_what_its_runs_say_and_those_what_its_calendar_says(
    now: datetime,
) -> None:
    clocks = list(
        Clock.objects.filter(ticket__in=past())
        .annotate(ran=Sum("runs__worked"))
        .select_related("calendar_version")
    )
    assert len(clocks) > 3_500
    for clock in clocks:
        assert clock.consumed == clock.ran
        assert clock.state in (ClockState.MET, ClockState.DROPPED)
        assert (clock.due_at, clock.running_since) == (None, None)
        assert clock.ended_at is not None
        assert (clock.breached_at is not None) == (clock.consumed >= clock.budget), clock
        assert clock.warned_at is None or clock.warned_at <= clock.ended_at
    for run in ClockRun.objects.filter(clock__ticket__in=past()).select_related(
        "clock__calendar_version"
    )[:800]:
        assert run.worked == run.clock.time.between(run.started_at, run.ended_at)


def test_all_that_went_up_has_come_to_an_end(now: datetime) -> None:
    went_up = Escalation.objects.filter(ticket__in=past())
    assert not went_up.filter(state__in=OPEN).exists()
    assert not went_up.exclude(hops=F("hops")).exists()
    for escalation in went_up.prefetch_related("handoffs"):
        hops = list(escalation.handoffs.all())
        assert [hop.number for hop in hops] == list(range(1, escalation.hops + 1))
        assert escalation.ended_at is not None
        for hop in hops:
            assert hop.outcome != HandoffOutcome.PENDING
            assert hop.outcome_at is not None
            assert escalation.opened_at <= hop.offered_at < hop.outcome_at <= escalation.ended_at
    assert not Promise.objects.filter(ticket__in=past(), state__in=LIVE).exists()
    assert not past().filter(held=True).exists()
    assert not past().exclude(review_at=None).exists()
    assert not past().exclude(waiting_since=None).exists()


def test_promises_were_kept_by_a_word_in_time_and_broken_without(now: datetime) -> None:
    for promise in Promise.objects.filter(ticket__in=past()).select_related("ticket"):
        said = [
            *Message.objects.filter(ticket=promise.ticket_id, kind="reply").values_list(
                "created_at", flat=True
            ),
            *Event.objects.filter(ticket=promise.ticket_id, kind="resolved").values_list(
                "at", flat=True
            ),
        ]
        in_time = [at for at in said if promise.made_at < at <= promise.told]
        if promise.state == PromiseState.KEPT:
            assert promise.ended_at == min(in_time)
        elif promise.state == PromiseState.BROKEN:
            assert in_time == []
            assert promise.broken_at == promise.told
        else:
            assert promise.state == PromiseState.REPLACED
            assert promise.replaced_by.made_at == promise.ended_at
            assert promise.replaced_by.made_at < promise.told


def test_what_happened_is_told_in_its_order_and_nothing_before_or_after_its_time(
    now: datetime,
) -> None:
    edges = {pk: (opened, closed) for pk, opened, closed in past().values_list(
        "pk", "created_at", "closed_at")}  # fmt: skip
    for ticket_id, kind, at in Event.objects.filter(ticket__in=past()).values_list(
        "ticket", "kind", "at"
    ):
        opened, closed = edges[ticket_id]
        assert opened <= at < now
        assert at <= closed or kind == "escalation_reviewed", (ticket_id, kind)
    for ticket_id, at in Message.objects.filter(ticket__in=past()).values_list(
        "ticket", "created_at"
    ):
        opened, closed = edges[ticket_id]
        assert opened <= at <= closed
    status: dict[int, str] = {}
    for ticket_id, data in (
        Event.objects.filter(ticket__in=past(), kind="status_changed")
        .order_by("at", "pk")
        .values_list("ticket", "data")
    ):
        assert data["from"] == status.get(ticket_id, "new")
        status[ticket_id] = data["to"]
    assert Counter(status.values()) == {"closed": 2_000}


def rows() -> dict[str, list[Any]]:
    """Everything the engine might touch, by its values."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in (Clock, ClockRun, Escalation, Handoff, Step, Promise, Decision, Event)
    }


def test_the_engine_has_nothing_to_add(now: datetime) -> None:
    ids = list(past().order_by("pk").values_list("pk", flat=True))[::4]
    before = rows(), OutgoingEmail.objects.count(), Notification.objects.count()
    Ticket.objects.filter(pk__in=ids).update(review_at=now)
    later = now + timedelta(seconds=1)
    assert review.sweep(clock=lambda: later) == len(ids)
    assert not Ticket.objects.exclude(review_error="").exists()
    assert not Ticket.objects.filter(pk__in=ids).exclude(review_at=None).exists()
    assert (rows(), OutgoingEmail.objects.count(), Notification.objects.count()) == before


def test_every_promise_is_kept_by_all_of_it(now: datetime) -> None:
    assert found(running.run(now=now, deep=True)) == {}


def test_shares_are_those_of_a_desk_that_is_run_well(now: datetime) -> None:
    def share(of: Any, **having: Any) -> float:
        return 100 * float(of.filter(**having).count()) / float(of.count())

    first = Clock.objects.filter(ticket__in=past(), kind=ClockKind.FIRST_RESPONSE)
    assert 3 < share(first, breached_at__isnull=False) < 15
    resolution = Clock.objects.filter(ticket__in=past(), kind=ClockKind.RESOLUTION)
    assert 4 < share(resolution, breached_at__isnull=False) < 20
    accepted = Clock.objects.filter(ticket__in=past(), kind=ClockKind.ACCEPTANCE)
    assert 2 < share(accepted, breached_at__isnull=False) < 25
    assert 12 < share(past(), escalations__isnull=False) < 25
    assert 3 < share(past(), reopened_count__gt=0) < 12
    promised = Promise.objects.filter(ticket__in=past()).exclude(state=PromiseState.REPLACED)
    assert 75 < share(promised, state=PromiseState.KEPT) < 97
    went_up = Escalation.objects.filter(ticket__in=past())
    assert 5 < share(went_up, trigger="rule") < 40
    assert went_up.filter(trigger="customer").exists()
    assert 15 < 100 * Review.objects.filter(escalation__in=went_up).count() / went_up.count() < 50
    assert 10 < share(Review.objects.all(), avoidable=True) < 50
    outcomes = set(Handoff.objects.filter(escalation__in=went_up).values_list("outcome", flat=True))
    assert outcomes == set(HandoffOutcome.values) - {HandoffOutcome.PENDING}
    assert set(past().values_list("category__slug", flat=True)) == year.ABOUT.keys()


def test_its_pages_read_like_any_other(now: datetime) -> None:
    client = Client()
    client.force_login(
        User.objects.get(email=people.PEOPLE["marco"].email),
        "django.contrib.auth.backends.ModelBackend",
    )
    for escalation in Escalation.objects.filter(
        ticket__in=past(), review__isnull=False
    ).select_related("ticket")[:3]:
        page = words(client.get(escalation.ticket.get_absolute_url()))
        assert escalation.ticket.subject in page
        assert "Earlier escalations" in page
        assert "$" not in escalation.ticket.messages.earliest("pk").text


def test_it_is_the_same_year_whenever_it_is_told(now: datetime) -> None:
    """Subjects, people and outcomes are drawn anew from the same seed; only the dates move."""
    subjects = Counter(past().values_list("subject", flat=True))
    assert subjects.most_common(1)[0][1] < 250
    assert len(subjects) >= 20
