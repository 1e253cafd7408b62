"""The webhooks' pages: leads have things told to programs and channels, and see what was."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from notifications.models import DeliveryState, Preset, Webhook, WebhookDelivery
from notifications.webhookdelivery import send_due
from tests.house import START, House
from tests.notifications.hookreceiver import Answer, Receiver, receiving
from tests.notifications.test_webhooks import hook
from tests.pages.acting import EVIL, as_, fields_in_error, has_no_markup_of, queries
from tests.pages.desk import html, words

ALL = "/settings/webhooks/"
NEW = "/settings/webhooks/new/"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.HELPDESK_OUTGOING_ALLOW = ["127.0.0.0/8"]
    settings.HELPDESK_OUTGOING_HTTP = True
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def marco(house: House) -> Client:
    return as_(house.marco)


def wish(receiver: Receiver, **fields: object) -> dict[str, object]:
    return {
        "name": "Billing",
        "preset": "standard",
        "url": receiver.url,
        "language": "en",
        "team": "",
        "events": ["ticket.*", "escalation.opened"],
        **fields,
    }


def send() -> None:
    send_due(clock=timezone.now)


def test_a_lead_makes_a_webhook_and_is_shown_its_key_this_once(
    house: House, marco: Client, receiver: Receiver
) -> None:
    assert marco.get(NEW).status_code == 200
    made = marco.post(NEW, wish(receiver), follow=True)
    webhook = Webhook.objects.get()
    assert webhook.key in html(made)
    assert webhook.key not in html(marco.get(webhook.get_absolute_url()))
    assert (webhook.created_by, webhook.events) == (house.marco, ["ticket.*", "escalation.opened"])
    assert "Billing" in words(marco.get(ALL))
    # Nobody else is shown it either.
    assert webhook.key not in html(as_(house.sam).get(webhook.get_absolute_url()))


def test_a_test_message_goes_out_and_its_page_says_what_became_of_it(
    house: House, marco: Client, receiver: Receiver
) -> None:
    webhook = hook(house, receiver)
    receiver.answers = lambda _call: Answer(status=503, body=f"{EVIL} later".encode())
    page = marco.post(f"{webhook.get_absolute_url()}ping/", follow=True)
    assert "A test message is on its way." in words(page)
    send()
    delivery = WebhookDelivery.objects.get()
    address = f"{webhook.get_absolute_url()}messages/{delivery.pk}/"
    page = marco.get(address)
    has_no_markup_of(page)
    assert "503" in words(page)
    assert "Next attempt" in words(page)
    assert '"type": "ping"' in words(page)
    has_no_markup_of(marco.get(webhook.get_absolute_url()))
    receiver.answers = lambda _call: Answer()
    WebhookDelivery.objects.update(state=DeliveryState.FAILED, next_at=None)
    assert "It is sent again." in words(marco.post(f"{address}resend/", follow=True))
    send()
    assert "delivered" in words(marco.get(address))
    assert [call.id for call in receiver.calls] == [delivery.message_id] * 2


def test_a_new_key_is_shown_once_and_the_one_before_still_signs(
    house: House, marco: Client, receiver: Receiver
) -> None:
    webhook = hook(house, receiver, "ticket.opened")
    page = marco.post(f"{webhook.get_absolute_url()}rotate/", follow=True)
    new = Webhook.objects.get().key
    assert new != webhook.key
    assert new in html(page)
    assert "within 24 hours" in words(page)
    assert new not in html(marco.get(webhook.get_absolute_url()))
    house.ticket()
    send()
    assert receiver.calls[0].proves(webhook.key)
    assert receiver.calls[0].proves(new)


def test_what_is_turned_off_hears_nothing_and_is_on_again_when_somebody_says_so(
    house: House, marco: Client, receiver: Receiver
) -> None:
    webhook = hook(house, receiver, "ticket.opened")
    house.ticket()
    page = marco.post(f"{webhook.get_absolute_url()}off/", follow=True)
    assert "turned off by hand" in words(page)
    house.ticket()
    assert [each.state for each in WebhookDelivery.objects.all()] == ["withdrawn"]
    marco.post(f"{webhook.get_absolute_url()}on/")
    house.ticket()
    send()
    assert len(receiver.calls) == 1
    marco.post(f"{webhook.get_absolute_url()}remove/")
    assert not Webhook.objects.exists()


def test_a_webhook_can_be_changed(house: House, marco: Client, receiver: Receiver) -> None:
    webhook = hook(house, receiver)
    address = f"{webhook.get_absolute_url()}edit/"
    assert receiver.url in html(marco.get(address))
    sent = wish(receiver, name="Ledger", preset="slack", team=house.emea.pk, events=["mail.*"])
    assert marco.post(address, sent).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.name, webhook.preset, webhook.team) == ("Ledger", Preset.SLACK, house.emea)
    assert webhook.events == ["mail.*"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "ftp://hooks.example/"}, "url"),
        ({"url": "x" * 600}, "url"),
        ({"url": ""}, "url"),
        ({"name": ""}, "name"),
        ({"name": "program 0"}, "name"),
        ({"preset": "carrier pigeon"}, "preset"),
        ({"language": "xx"}, "language"),
        ({"events": []}, "events"),
        ({"events": ["ticket.exploded"]}, "events"),
        ({"team": "987654321"}, "team"),
        ({"team": "x"}, "team"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(
    house: House, marco: Client, receiver: Receiver, fields: dict[str, object], wrong: str
) -> None:
    hook(house, receiver)
    page = marco.post(NEW, wish(receiver, **fields))
    assert page.status_code == 422
    assert fields_in_error(page) == [f"id_{wrong}"]
    assert Webhook.objects.count() == 1


def test_an_address_that_led_outside_is_looked_at_again_when_something_is_sent(
    house: House, receiver: Receiver, settings: Settings
) -> None:
    hook(house, receiver, "ticket.opened")
    settings.HELPDESK_OUTGOING_ALLOW = []
    house.ticket()
    send()
    assert receiver.calls == []
    assert "not outside" in WebhookDelivery.objects.get().last_error


def test_a_lead_cannot_choose_a_private_team_of_others(
    house: House, marco: Client, receiver: Receiver
) -> None:
    security = house.team("security", "Secret matters", 2, is_private=True)
    assert "Secret matters" not in words(marco.get(NEW))
    page = marco.post(NEW, wish(receiver, team=security.pk))
    assert fields_in_error(page) == ["id_team"]
    page = marco.post(NEW, wish(receiver, private_too="on"), follow=True)
    assert Webhook.objects.get().private_too is False
    assert "Secret matters" in words(as_(house.sam).get(NEW))


def test_a_channel_is_suggested_what_somebody_should_look_at(house: House, marco: Client) -> None:
    def checked(address: str) -> set[str]:
        page = html(marco.get(address))
        boxes = re.findall(r'<input[^>]*name="events"[^>]*>', page)
        return {
            found[1]
            for box in boxes
            if "checked" in box and (found := re.search(r'value="([^"]+)"', box))
        }

    assert "mail.*" in checked(f"{NEW}?preset=slack")
    assert "escalation.*" in checked(f"{NEW}?preset=slack")
    assert "mail.*" not in checked(NEW)
    assert checked(f"{NEW}?preset=nonsense") == checked(NEW)


def test_a_long_log_is_paged_and_can_be_narrowed(
    house: House, marco: Client, receiver: Receiver
) -> None:
    webhook = hook(house, receiver)
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            webhook=webhook,
            dedupe_key=f"{number}",
            message_id=f"msg_{number}",
            event_type=f"ticket.opened{number}.",
            body="{}",
            state=DeliveryState.FAILED if number % 2 else DeliveryState.WITHDRAWN,
            created_at=START,
        )
        for number in range(120)
    )
    address = webhook.get_absolute_url()

    def shown(page: str) -> list[int]:
        return [int(number) for number in re.findall(r"ticket\.opened([0-9]+)\.</a>", page)]

    first = html(marco.get(address))
    assert shown(first) == list(range(119, 69, -1))
    [older] = re.findall(r'href="(\?before=[0-9]+)"', first)
    assert shown(html(marco.get(f"{address}{older}"))) == list(range(69, 19, -1))
    failed = html(marco.get(f"{address}?state=failed"))
    assert shown(failed) == list(range(119, 19, -2))
    assert marco.get(f"{address}?state=lost").status_code == 400
    assert marco.get(f"{address}?before=-1").status_code == 400


def test_more_webhooks_and_more_messages_cost_no_more_queries(
    house: House, marco: Client, receiver: Receiver
) -> None:
    webhook = hook(house, receiver)
    house.ticket()
    pages = (ALL, webhook.get_absolute_url(), f"{webhook.get_absolute_url()}edit/")
    few = [len(queries(marco, page)) for page in pages]
    for _each in range(5):
        hook(house, receiver, team=house.emea)
        house.ticket()
    assert [len(queries(marco, page)) for page in pages] == few
    assert max(few) <= 9


def test_many_webhooks_are_paged(house: House, marco: Client, receiver: Receiver) -> None:
    hook(house, receiver)
    one = Webhook.objects.get()
    for number in range(1, 60):
        one.pk, one.name = None, f"Program {number}"
        one.save()
    first, second = marco.get(ALL), marco.get(f"{ALL}?page=2")
    shown = [re.findall(r'/settings/webhooks/([0-9]+)/"', html(page)) for page in (first, second)]
    assert [len(each) for each in shown] == [50, 10]
    assert not set(shown[0]) & set(shown[1])
