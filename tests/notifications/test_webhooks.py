"""What happens to tickets is told to webhooks: signed, in order, again until it arrives."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from desk.eventwords import _WORDS, SILENT
from notifications import webhookdelivery, webhooks
from notifications.eventtypes import BY_KIND, EVENT_TYPES, KEPT_INSIDE, covers
from notifications.models import (
    DeliveryState,
    Notification,
    Preset,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WhyOff,
)
from notifications.webhookdelivery import SCHEDULE, send_due
from notifications.webhooks import Wish
from staff.models import Team, User
from tests.house import START, House, told
from tests.notifications.hookreceiver import Answer, Receiver, receiving
from tickets import timeline, triage
from tickets.models import Event, Ticket
from tickets.timeline import Entry


def hook(
    house: House,
    receiver: Receiver,
    *events: str,
    by: User | None = None,
    **wish: Any,
) -> Webhook:
    """Sam lets a program hear of tickets and escalations, unless told otherwise."""
    return webhooks.make(
        wish=Wish(
            **{
                "name": f"Program {Webhook.objects.count()}",
                "url": receiver.url,
                "preset": Preset.STANDARD,
                "language": "en",
                "events": events or ("ticket.*", "escalation.*", "promise.*"),
                "team": None,
                "private_too": False,
                **wish,
            }
        ),
        now=START,
        by=by or house.sam,
    )


def send(now: datetime) -> dict[str, int]:
    return dict(send_due(clock=lambda: now))


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def test_a_program_learns_of_an_escalation_and_can_prove_who_told_it(
    house: House, receiver: Receiver
) -> None:
    webhook = hook(house, receiver, "escalation.opened")
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    send(timezone.now())
    [call] = receiver.calls
    told = call.proves(webhook.key)
    assert told == call.json
    assert told["type"] == "escalation.opened"
    assert datetime.fromisoformat(told["timestamp"]) == START
    assert told["data"]["ticket"] == {
        "id": ticket.pk,
        "reference": ticket.reference,
        "subject": ticket.subject,
        "status": "new",
        "priority": "P3",
        "team": {"id": house.emea.pk, "name": "Frontline EMEA"},
        "assignee": {"id": house.anna.pk, "name": "Anna Keller"},
        "organization": {"id": house.norvik.pk, "name": "Norvik Logistics"},
        "url": ticket.address,
        "api_url": ticket.address.replace("/tickets/", "/api/v1/tickets/"),
    }
    assert told["data"]["by"] == {"kind": "staff", "id": house.anna.pk, "name": "Anna Keller"}
    assert told["data"]["values"]["team"] == house.integrations.pk
    assert call.headers["content-type"] == "application/json"
    assert only().state == DeliveryState.DELIVERED


def test_nothing_anybody_wrote_but_the_subject_leaves_the_house(
    house: House, receiver: Receiver
) -> None:
    hook(house, receiver, *(f"{each.family}.*" for each in EVENT_TYPES))
    ticket = house.ticket(text="Our passphrase is Zanzibar, key_4f2a91.", assignee=house.anna)
    house.escalate(ticket, ask="Zanzibar again", tried="Zanzibar")
    house.reply(ticket, now=START)
    house.answer(ticket, "Zanzibar!", now=START)
    bodies = list(WebhookDelivery.objects.values_list("body", flat=True))
    assert len(bodies) >= 8
    assert not any("Zanzibar" in body or "key_4f2a91" in body for body in bodies)
    assert not any("dana@" in body for body in bodies)


def test_an_altered_body_or_an_altered_id_is_not_ours(house: House, receiver: Receiver) -> None:
    webhook = hook(house, receiver, "ticket.opened")
    house.ticket()
    send(timezone.now())
    [call] = receiver.calls
    proof = standardwebhooks.Webhook(webhook.key)
    for body, headers in (
        (call.body.replace("P3", "P1"), call.headers),
        (call.body, {**call.headers, "webhook-id": "msg_other"}),
        (
            call.body,
            {**call.headers, "webhook-timestamp": str(int(timezone.now().timestamp()) + 9)},
        ),
    ):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            proof.verify(body, dict(headers))


def test_both_keys_sign_for_a_day_while_one_replaces_the_other(
    house: House, receiver: Receiver
) -> None:
    webhook = hook(house, receiver, "ticket.opened")
    old, now = webhook.key, timezone.now()
    new = webhooks.rotate(webhook_id=webhook.pk, now=now - timedelta(hours=23)).key
    assert new != old
    house.ticket()
    send(now)
    [call] = receiver.calls
    assert call.proves(old)
    assert call.proves(new)
    assert len(call.headers["webhook-signature"].split(" ")) == 2

    Webhook.objects.update(previous_key_until=now - timedelta(seconds=1))
    house.ticket()
    send(now)
    late = receiver.calls[-1]
    assert late.proves(new)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        late.proves(old)


def test_what_is_not_taken_is_sent_again_under_its_id_by_the_schedule_and_then_given_up(
    house: House, receiver: Receiver
) -> None:
    webhook = hook(house, receiver, "ticket.opened", by=house.marco)
    receiver.answers = lambda _call: Answer(status=500, body=b"out of order")
    house.ticket()
    now, waits = START, []
    for _attempt in range(len(SCHEDULE)):
        assert send(now) == {"queued": 1}
        assert send(now) == {}, "not before it is due"
        again = only().next_at
        assert again is not None
        waits.append(again - now)
        now = again
    for wait, planned in zip(waits, SCHEDULE, strict=True):
        assert planned <= wait <= planned * 1.2
    assert timedelta(days=3) < now - START < timedelta(days=4)
    assert told(house.marco) == []
    assert send(now) == {"failed": 1}
    assert only().state == DeliveryState.FAILED
    assert send(now + timedelta(days=9)) == {}
    assert len(receiver.calls) == len(SCHEDULE) + 1
    assert {(call.id, call.body) for call in receiver.calls} == {(only().message_id, only().body)}
    attempts = WebhookAttempt.objects.filter(delivery=only())
    assert [(each.status, each.said) for each in attempts] == [(500, "out of order")] * 10
    # Who made it learns of it.
    assert told(house.marco) == ["staff_webhook_failed"]
    notice = Notification.objects.of(house.marco).get()
    assert notice.variables["name"] == webhook.name
    assert "500 out of order" in str(notice.variables["error"])


def test_a_receiver_that_is_back_gets_what_waited(house: House, receiver: Receiver) -> None:
    webhook = hook(house, receiver, "ticket.opened")
    receiver.answers = lambda _call: Answer(status=502)
    house.ticket()
    send(START)
    webhook.refresh_from_db()
    assert webhook.failing_since == START
    receiver.answers = lambda _call: Answer(status=200)
    assert send(START + timedelta(seconds=10)) == {"delivered": 1}
    assert Webhook.objects.get().failing_since is None
    assert (only().attempts, only().last_status, only().last_error) == (2, 200, "")


@pytest.mark.parametrize("asked", ["7200", "Tue, 24 Nov 2026 11:00:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_time_is_given_it(
    house: House, receiver: Receiver, status: int, asked: str
) -> None:
    hook(house, receiver, "ticket.opened")
    receiver.answers = lambda _call: Answer(status=status, headers={"Retry-After": asked})
    house.ticket()
    send(START)
    assert only().next_at == START + timedelta(hours=2)


@pytest.mark.parametrize("asked", ["-5", "1e9", "soon", "Tue, 24 Nov 2020 11:00:00 GMT", "9" * 400])
def test_an_odd_retry_after_delays_nothing_beyond_a_day(
    house: House, receiver: Receiver, asked: str
) -> None:
    hook(house, receiver, "ticket.opened")
    receiver.answers = lambda _call: Answer(status=503, headers={"Retry-After": asked})
    house.ticket()
    send(START)
    again = only().next_at
    assert again is not None
    assert START + timedelta(seconds=5) <= again <= START + timedelta(days=1)


def test_a_receiver_that_is_gone_is_left_alone_and_its_maker_told(
    house: House, receiver: Receiver
) -> None:
    webhook = hook(house, receiver, "ticket.opened", by=house.grace)
    receiver.answers = lambda _call: Answer(status=410)
    house.ticket()
    later = house.ticket(now=START + timedelta(minutes=1))
    send(START)
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.disabled_why) == (False, WhyOff.GONE)
    assert told(house.grace) == ["staff_webhook_off"]
    assert {each.state for each in WebhookDelivery.objects.all()} == {"failed", "withdrawn"}
    house.reply(later, now=START + timedelta(minutes=2))
    house.ticket(now=START + timedelta(minutes=3))
    assert WebhookDelivery.objects.count() == 2
    send(START + timedelta(days=1))
    assert len(receiver.calls) == 1


def test_after_five_days_of_nothing_but_failures_a_webhook_is_turned_off(
    house: House, receiver: Receiver
) -> None:
    webhook = hook(house, receiver, "ticket.opened")
    receiver.answers = lambda _call: Answer(status=500)
    house.ticket()
    send(START)
    WebhookDelivery.objects.update(state=DeliveryState.WITHDRAWN, next_at=None)
    house.ticket(now=START + timedelta(days=4))
    send(START + timedelta(days=4))
    webhook.refresh_from_db()
    assert webhook.is_active
    send(START + timedelta(days=5, hours=1))
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.disabled_why) == (False, WhyOff.FAILING)
    assert told(house.sam) == ["staff_webhook_off"]
    webhooks.turn_on(webhook_id=webhook.pk)
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.failing_since) == (True, None)


def test_one_that_hangs_holds_up_nobody_else(house: House, receiver: Receiver) -> None:
    with receiving() as hung:
        hung.answers = lambda _call: Answer(after=2.5)
        hook(house, hung, "ticket.opened")
        hook(house, receiver, "ticket.opened")
        for _each in range(12):
            house.ticket()
        arrived: list[float] = []
        began = timezone.now()

        def note(_call: object) -> Answer:
            arrived.append((timezone.now() - began).total_seconds())
            return Answer()

        receiver.answers = note
        send(START)
        assert len(arrived) == 12
        assert max(arrived) < 2.5


def test_messages_about_one_ticket_arrive_in_their_order(house: House, receiver: Receiver) -> None:
    hook(house, receiver, "ticket.*", "message.*")
    receiver.answers = lambda _call: Answer(after=0.02)
    first, second = house.ticket(), house.ticket()
    for minute in range(1, 5):
        for ticket in (first, second):
            house.answer(ticket, f"Number {minute}", now=START + timedelta(minutes=minute))
    send(START + timedelta(hours=1))
    for ticket in (first, second):
        of_ticket = [
            call.json for call in receiver.calls if call.json["data"]["ticket"]["id"] == ticket.pk
        ]
        queued = WebhookDelivery.objects.filter(about=ticket.about).order_by("pk")
        assert of_ticket == [json.loads(each.body) for each in queued]
        assert [each["timestamp"] for each in of_ticket] == sorted(
            each["timestamp"] for each in of_ticket
        )


def test_a_message_whose_worker_was_lost_is_sent_again_under_its_id(
    house: House, receiver: Receiver
) -> None:
    hook(house, receiver, "ticket.opened")
    house.ticket()
    [taken] = webhookdelivery.claim(now=START, room=9, flying=(), lease=webhookdelivery.LEASE)
    # Nobody else has it meanwhile.
    assert send(START + timedelta(seconds=59)) == {}
    assert send(START + timedelta(seconds=61)) == {"delivered": 1}
    [call] = receiver.calls
    assert call.id == taken.message_id
    # And what the lost one still says counts no more.
    late = webhookdelivery.Outcome(status=500)
    assert webhookdelivery.settle(delivery=taken, outcome=late, now=START) == "lost"
    assert only().state == DeliveryState.DELIVERED


def test_a_message_can_be_sent_again_and_keeps_its_id(house: House, receiver: Receiver) -> None:
    webhook = hook(house, receiver, "ticket.opened")
    house.ticket()
    assert webhooks.resend(delivery_id=only().pk, now=START) is False, "it waits anyway"
    send(START)
    assert webhooks.resend(delivery_id=only().pk, now=START + timedelta(hours=1)) is True
    send(START + timedelta(hours=1))
    assert [call.id for call in receiver.calls] == [only().message_id] * 2
    assert only().attempts == 2
    webhooks.turn_off(webhook_id=webhook.pk, why=WhyOff.HAND, now=START)
    assert webhooks.resend(delivery_id=only().pk, now=START) is False


def test_a_test_message_goes_out_whatever_one_is_subscribed_to(
    house: House, receiver: Receiver
) -> None:
    webhook = hook(house, receiver, "clock.breached")
    webhooks.ping(webhook=webhook, now=START, by=house.sam)
    send(timezone.now())
    [call] = receiver.calls
    assert call.proves(webhook.key)["type"] == "ping"


def test_what_did_not_happen_is_not_told(house: House, receiver: Receiver) -> None:
    hook(house, receiver)
    with transaction.atomic():
        house.ticket()
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()


class TestWhoHearsOfWhat:
    def test_a_private_teams_tickets_are_told_only_to_webhooks_that_name_it(
        self, house: House, receiver: Receiver
    ) -> None:
        security = house.team("security", "Secret matters", 2, is_private=True)
        rosa = house.person("Rosa Prado", security, role="lead")
        general = hook(house, receiver)
        emeas = hook(house, receiver, team=house.emea)
        theirs = hook(house, receiver, team=security, by=rosa)
        everything = hook(house, receiver, private_too=True)
        ticket = house.ticket()
        WebhookDelivery.objects.all().delete()
        triage.move(ticket_id=ticket.pk, team_id=security.pk, now=START, by=house.sam)
        triage.assign(ticket_id=ticket.pk, assignee_id=rosa.pk, now=START, by=rosa)
        heard = set(WebhookDelivery.objects.values_list("webhook", "event_type"))
        assert heard == {
            (webhook.pk, event)
            for webhook in (theirs, everything)
            for event in ("ticket.moved", "ticket.assigned")
        }
        triage.move(ticket_id=ticket.pk, team_id=house.emea.pk, now=START, by=house.sam)
        moved = WebhookDelivery.objects.filter(event_type="ticket.moved").order_by("-pk")[:3]
        assert {each.webhook for each in moved} == {general, emeas, everything}

    def test_a_lead_can_neither_name_a_private_team_of_others_nor_hear_of_all(
        self, house: House, receiver: Receiver
    ) -> None:
        security = house.team("security", "Secret matters", 2, is_private=True)
        for wish in ({"team": security}, {"private_too": True}):
            with pytest.raises(webhooks.NotSaved):
                hook(house, receiver, by=house.marco, **wish)
        for by in (house.marco, house.helen):
            with pytest.raises(webhooks.NotSaved):
                hook(house, receiver, by=by, private_too=True)
        assert not Webhook.objects.exists()

    def test_whoever_may_not_see_a_team_does_not_see_its_webhooks(
        self, house: House, receiver: Receiver
    ) -> None:
        security = house.team("security", "Secret matters", 2, is_private=True)
        rosa = house.person("Rosa Prado", security, role="lead")
        general = hook(house, receiver)
        theirs = hook(house, receiver, team=security)
        everything = hook(house, receiver, private_too=True)
        seen = {
            user: set(Webhook.objects.visible_to(user)) for user in (house.marco, rosa, house.sam)
        }
        assert seen == {
            house.marco: {general},
            rosa: {general, theirs},
            house.sam: {general, theirs, everything},
        }


class TestCost:
    def test_without_webhooks_recording_costs_one_query_more_and_no_row(self, house: House) -> None:
        ticket = house.ticket()
        entries = [Entry(ticket_id=ticket.pk, kind="noted", at=START) for _each in range(200)]
        with CaptureQueriesContext(connection) as captured:
            timeline.record_many(entries=entries, ring=False)
        said = [query["sql"] for query in captured.captured_queries]
        # Keys, events; and whether anybody hears of them.
        assert len(said) == 3
        assert sum("webhook" in sql for sql in said) == 1

    def test_with_webhooks_it_costs_as_much_for_two_hundred_tickets_as_for_one(
        self, house: House, receiver: Receiver
    ) -> None:
        hook(house, receiver)
        hook(house, receiver)
        tickets = [house.ticket() for _each in range(20)]
        counts = []
        for chosen in (tickets[:1], tickets):
            entries = [
                Entry(ticket_id=each.pk, kind="escalated", at=START, data={"team": house.emea.pk})
                for each in chosen
                for _again in range(10)
            ]
            with CaptureQueriesContext(connection) as captured:
                timeline.record_many(entries=entries, ring=False)
            counts.append(len(captured.captured_queries))
        assert counts == [7, 7]


EVENTS = st.lists(st.sampled_from([*BY_KIND, *KEPT_INSIDE, "unheard_of"]), max_size=6)
SUBSCRIPTIONS = st.lists(
    st.sampled_from(
        [*(each.name for each in EVENT_TYPES), "ticket.*", "escalation.*", "promise.*"]
    ),
    min_size=1,
    max_size=5,
)


@trying(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    happened=st.lists(st.tuples(st.integers(0, 2), EVENTS), max_size=4),
    wanted=st.lists(
        st.tuples(SUBSCRIPTIONS, st.sampled_from([None, 0, 1, 2]), st.booleans(), st.booleans()),
        max_size=4,
    ),
)
def test_there_is_one_row_for_each_event_and_each_webhook_that_hears_of_it(
    house: House,
    receiver: Receiver,
    happened: list[tuple[int, list[str]]],
    wanted: list[tuple[list[str], int | None, bool, bool]],
) -> None:
    Webhook.objects.all().delete()
    WebhookDelivery.objects.all().delete()
    security, _made = Team.objects.get_or_create(
        slug="security",
        defaults={
            "name": "Secret matters",
            "tier": house.tiers[1],
            "calendar": house.always,
            "is_private": True,
        },
    )
    teams = [house.emea, house.integrations, security]
    for subscribed, team, private_too, active in wanted:
        webhook = hook(
            house,
            receiver,
            *subscribed,
            team=None if team is None else teams[team],
            private_too=private_too and team is None,
        )
        if not active:
            webhooks.turn_off(webhook_id=webhook.pk, why=WhyOff.HAND, now=START)
    tickets = [house.ticket() for _team in teams]
    for ticket, team_of in zip(tickets, teams, strict=True):
        Ticket.objects.filter(pk=ticket.pk).update(team=team_of)
    WebhookDelivery.objects.all().delete()
    last = Event.objects.latest("pk").pk
    for place, kinds in happened:
        timeline.record_many(
            entries=[Entry(ticket_id=tickets[place].pk, kind=kind, at=START) for kind in kinds]
        )
    expected = sorted(
        (f"event:{event.pk}:{webhook.pk}", BY_KIND[event.kind].name)
        for event in Event.objects.filter(pk__gt=last)
        for webhook in Webhook.objects.filter(is_active=True)
        if event.kind in BY_KIND
        and covers(webhook.events, BY_KIND[event.kind].name)
        and (
            webhook.team_id == teams[tickets.index(event.ticket)].pk
            if webhook.team_id
            else webhook.private_too or not teams[tickets.index(event.ticket)].is_private
        )
    )
    assert sorted(WebhookDelivery.objects.values_list("dedupe_key", "event_type")) == expected


def test_every_kind_of_event_has_a_public_name_or_is_kept_inside_on_purpose() -> None:
    on_timelines = {*_WORDS, *SILENT}
    of_mail = {"mail.failing", "mail.recovered"}
    assert on_timelines == (set(BY_KIND) - of_mail) | KEPT_INSIDE
    assert not set(BY_KIND) & KEPT_INSIDE
    assert len({each.name for each in EVENT_TYPES}) == len(EVENT_TYPES)


def test_a_log_is_forgotten_after_a_month_but_for_what_still_waits(
    house: House, receiver: Receiver
) -> None:
    webhook = hook(house, receiver, "ticket.opened")
    house.ticket()
    send(START)
    waiting = house.ticket()
    house.ticket(now=START + timedelta(days=20))
    webhooks.turn_off(webhook_id=webhook.pk, why=WhyOff.HAND, now=START)
    WebhookDelivery.objects.filter(about=waiting.about).update(state="queued", next_at=START)
    webhookdelivery.prune(now=START + timedelta(days=29))
    assert WebhookDelivery.objects.count() == 3
    webhookdelivery.prune(now=START + timedelta(days=31))
    assert WebhookDelivery.objects.count() == 2
    assert not WebhookAttempt.objects.exists()
