"""The worker that tells webhooks is killed in the middle; what it had is told all the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from notifications import webhooks
from notifications.models import DeliveryState, Preset, Webhook, WebhookDelivery
from notifications.webhookdelivery import LEASE
from notifications.webhooks import Wish
from tests.house import House
from tests.notifications.hookreceiver import Answer, Receiver, receiving
from tests.processes import Installation, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_what_a_killed_worker_had_is_sent_again_under_its_id_and_nothing_waits_for_it(
    installation: Installation, receiver: Receiver, settings: Settings
) -> None:
    settings.HELPDESK_OUTGOING_ALLOW = ["127.0.0.0/8"]
    settings.HELPDESK_OUTGOING_HTTP = True
    installation.environment |= {
        "HELPDESK_OUTGOING_ALLOW": "127.0.0.0/8",
        "HELPDESK_OUTGOING_HTTP": "true",
        "HELPDESK_WEBHOOK_INTERVAL": "0.5",
    }
    house = House()
    webhook = webhooks.make(
        wish=Wish(
            name="Billing",
            url=receiver.url,
            preset=Preset.STANDARD,
            language="en",
            events=["ticket.opened"],
            team=None,
            private_too=False,
        ),
        now=timezone.now(),
        by=house.sam,
    )
    receiver.answers = lambda _call: Answer(after=9)
    house.ticket(now=timezone.now())
    installation.start("webhooks", "beat")
    eventually(lambda: receiver.calls, what="the first attempt")
    installation.kill("webhooks")
    [lost] = WebhookDelivery.objects.all()
    assert lost.state == DeliveryState.SENDING

    receiver.answers = lambda _call: Answer()
    house.ticket(now=timezone.now())
    installation.start("webhooks")
    eventually(lambda: len(receiver.calls) == 2, what="the second ticket's, at once")
    # A minute is not waited for here: the lease ends as it would.
    WebhookDelivery.objects.filter(pk=lost.pk).update(lease_until=timezone.now() - LEASE)
    eventually(
        lambda: WebhookDelivery.objects.filter(state=DeliveryState.DELIVERED).count() == 2,
        what="both to be delivered",
    )
    first, second, again = receiver.calls
    assert first.id == again.id == lost.message_id
    assert first.body == again.body
    for call in (second, again):
        assert call.proves(Webhook.objects.get(pk=webhook.pk).key)["type"] == "ticket.opened"
