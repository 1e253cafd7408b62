"""A chat channel is told in one line of its own form, and leads hear there when mail fails."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from notifications import mailwatch, outbox
from notifications.eventtypes import suggested
from notifications.models import MailOutage, OutgoingEmail, Preset, Webhook, WebhookDelivery
from tests.house import START, House, after
from tests.notifications.hookreceiver import Receiver
from tests.notifications.letters import letter
from tests.notifications.test_webhooks import hook, send

#: Markup of every channel at once, a call to everybody and a link to elsewhere.
NASTY = "<!channel> <https://evil.example|click> @all [x](https://evil.example) *b* `c` & ~d~"


def said(house: House, receiver: Receiver, preset: str, **wish: Any) -> Any:
    """What a channel of this kind is sent when Anna escalates a ticket with a nasty subject."""
    hook(house, receiver, "escalation.opened", preset=preset, **wish)
    ticket = house.ticket(NASTY, assignee=house.anna)
    house.escalate(ticket)
    send(timezone.now())
    [call] = receiver.calls
    return call.json


def test_slack_gets_a_line_without_markup(house: House, receiver: Receiver) -> None:
    told = said(house, receiver, Preset.SLACK)
    assert told["mrkdwn"] is False
    assert told["text"].startswith("HD-")
    assert "escalated to Integrations (Tier 2): &lt;!channel&gt;" in told["text"]
    assert " · P3 · Norvik Logistics · Anna Keller http" in told["text"]
    assert "<" not in told["text"]
    assert "&amp; ~d~" in told["text"]


def test_google_chat_gets_no_brackets(house: House, receiver: Receiver) -> None:
    told = said(house, receiver, Preset.GOOGLE_CHAT)
    assert list(told) == ["text"]
    assert not {"<", ">"} & set(told["text"])


def test_mattermost_calls_nobody(house: House, receiver: Receiver) -> None:
    text = said(house, receiver, Preset.MATTERMOST)["text"]
    assert "@all" not in text
    assert r"\[x\]\(https\:" in text
    assert r"\*b\* \`c\`" in text
    assert text.startswith(r"[HD\-")


def test_discord_calls_nobody(house: House, receiver: Receiver) -> None:
    told = said(house, receiver, Preset.DISCORD)
    assert told["allowed_mentions"] == {"parse": []}
    assert r"\[x\]\(https\:" in told["content"]
    assert len(told["content"]) < 2000


def test_teams_gets_a_card_whose_text_knows_no_markup(house: House, receiver: Receiver) -> None:
    [attached] = said(house, receiver, Preset.TEAMS)["attachments"]
    assert attached["contentType"] == "application/vnd.microsoft.card.adaptive"
    [block] = attached["content"]["body"]
    assert block["type"] == "RichTextBlock"
    assert NASTY in block["inlines"][0]["text"]
    [action] = attached["content"]["actions"]
    assert action["url"].endswith(f"/tickets/{action['title']}/")


def test_a_line_is_in_the_language_of_the_channel(house: House, receiver: Receiver) -> None:
    told = said(house, receiver, Preset.SLACK, language="de")
    assert "an Integrations (Tier 2) eskaliert:" in told["text"]


def test_a_subject_without_end_makes_a_line_with_one(house: House, receiver: Receiver) -> None:
    for preset in Preset:
        hook(house, receiver, "ticket.opened", preset=preset)
    house.ticket("*" * 300)
    for body in WebhookDelivery.objects.values_list("body", flat=True):
        assert len(body) < 2000
        json.loads(body)


class TestWhenMailFails:
    """The mail server is away: nothing is sent, and nothing could be told by mail."""

    def channel(self, house: House, receiver: Receiver) -> Webhook:
        return hook(house, receiver, *suggested(Preset.SLACK), preset=Preset.SLACK)

    def told(self) -> list[str]:
        return list(WebhookDelivery.objects.order_by("pk").values_list("event_type", flat=True))

    def sent(self, key: str, *, minutes: float) -> None:
        OutgoingEmail.objects.filter(dedupe_key=key).update(
            state="sent", sent_at=after(minutes=minutes), next_attempt_at=None
        )

    def test_it_is_told_once_and_once_more_when_letters_go_out_again(
        self, house: House, receiver: Receiver
    ) -> None:
        self.channel(house, receiver)
        outbox.queue(letters=[letter("a"), letter("b")], now=START)
        for minute in (5, 9.9):
            mailwatch.look(now=after(minutes=minute))
        assert self.told() == []
        for minute in (10, 11, 60):
            mailwatch.look(now=after(minutes=minute))
        assert self.told() == ["mail.failing"]
        self.sent("a", minutes=61)
        self.sent("b", minutes=61)
        mailwatch.look(now=after(minutes=61))
        mailwatch.look(now=after(minutes=62))
        assert self.told() == ["mail.failing", "mail.recovered"]
        assert MailOutage.objects.get().ended_at == after(minutes=61)
        send(timezone.now())
        # They are about different things, and so in no order.
        texts = [call.json["text"] for call in receiver.calls]
        [failing] = [text for text in texts if "mail fails" in text]
        assert failing.endswith("/mail/?state=queued")

        outbox.queue(letters=[letter("c")], now=after(hours=3))
        mailwatch.look(now=after(hours=4))
        assert self.told()[2:] == ["mail.failing"]

    def test_one_letter_that_is_put_off_while_others_go_out_is_no_outage(
        self, house: House, receiver: Receiver
    ) -> None:
        self.channel(house, receiver)
        outbox.queue(letters=[letter("slow")], now=START)
        outbox.queue(letters=[letter("fast")], now=after(minutes=2))
        self.sent("fast", minutes=3)
        mailwatch.look(now=after(minutes=20))
        assert self.told() == []

    def test_a_letter_that_waits_for_its_time_or_for_a_proof_is_not_overdue(
        self, house: House, receiver: Receiver
    ) -> None:
        self.channel(house, receiver)
        outbox.queue(
            letters=[
                letter("later", not_before=START + timedelta(hours=2)),
                letter("withheld", withheld=True),
            ],
            now=START,
        )
        mailwatch.look(now=after(hours=1))
        assert self.told() == []
        mailwatch.look(now=after(hours=2, minutes=11))
        assert self.told() == ["mail.failing"]

    def test_only_who_subscribed_hears_of_it_whatever_team_they_are_for(
        self, house: House, receiver: Receiver
    ) -> None:
        hook(house, receiver, "ticket.*")
        emeas = hook(house, receiver, "mail.failing", team=house.emea)
        outbox.queue(letters=[letter("a")], now=START)
        mailwatch.look(now=after(minutes=30))
        [told] = WebhookDelivery.objects.all()
        assert told.webhook == emeas
        data = json.loads(told.body)["data"]
        assert data == {"since": START.isoformat(), "until": None, "waiting": 1}
