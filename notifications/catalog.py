"""Every mail we can write: who reads it, which variables it may name, and values to show it with.

The texts stand in ``mailtext/`` and, once an installation has changed them, in ``MailTemplate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from notifications.values import Value, duration, moment, phrase


class Audience(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"


class UnknownTemplate(ValueError):
    """No mail of this key is in the catalog."""


@dataclass(frozen=True, kw_only=True)
class MailKind:
    """One kind of mail; ``sample`` has a value for each of its variables, in the same order."""

    key: str
    audience: Audience
    sample: Mapping[str, Value]
    #: It carries a link that proves its reader's mailbox, so that what was sent is not kept.
    is_key: bool = False

    @property
    def variables(self) -> frozenset[str]:
        return frozenset(self.sample)


_DUE = moment(datetime(2026, 11, 24, 13, 0, tzinfo=UTC))
_NEW_DUE = moment(datetime(2026, 11, 24, 16, 0, tzinfo=UTC))
_NEXT_WEEK = moment(datetime(2026, 12, 1, 17, 0, tzinfo=UTC))
_CUSTOMER: dict[str, Value] = {
    "name": "Dana",
    "ref": "HD-1042",
    "link": "https://help.example/s/1042.k1-sample/",
}
_KEY_LINK = "https://help.example/portal/in/sample/"
_STAFF: dict[str, Value] = {
    "ref": "HD-1042",
    "subject": "POST /v2/invoices returns 502",
    "url": "https://help.example/tickets/HD-1042/",
}


def _letter(key: str, **sample: Value) -> MailKind:
    return MailKind(key=key, audience=Audience.CUSTOMER, sample={**_CUSTOMER, **sample})


def _key_letter(key: str, **sample: Value) -> MailKind:
    """A letter that proves a mailbox: it says nothing that anybody wrote to us, names included."""
    return MailKind(key=key, audience=Audience.CUSTOMER, sample=sample, is_key=True)


def _staff_mail(key: str, **sample: Value) -> MailKind:
    return MailKind(key=key, audience=Audience.STAFF, sample={**_STAFF, **sample})


def _webhook_mail(key: str) -> MailKind:
    """About a webhook, and so about no ticket."""
    sample: dict[str, Value] = {
        "name": "Billing",
        "place": "hooks.example",
        "error": "503 Service Unavailable",
        "url": "https://help.example/settings/webhooks/3/",
    }
    return MailKind(key=key, audience=Audience.STAFF, sample=sample)


def _training_mail(key: str, **sample: Value) -> MailKind:
    """About a version of a procedure, and so about no ticket."""
    about: dict[str, Value] = {
        "procedure": "Ticket escalation",
        "number": "2",
        "url": "https://help.example/training/ticket-escalation/",
    }
    return MailKind(key=key, audience=Audience.STAFF, sample={**about, **sample})


CATALOG: Mapping[str, MailKind] = {
    kind.key: kind
    for kind in (
        _letter("received", due=_DUE),
        _letter(
            "detail_needed",
            missing=["API key id", "exact error"],
            target=duration(timedelta(hours=4), business=True),
            agent="Anna Keller",
        ),
        _letter(
            "escalated",
            tier="Tier 2",
            team="Integrations",
            due=_DUE,
            note="We start with the two calls of 09:12.",
            need=phrase("please_send", missing=["API key id"]),
            agent="Anna Keller",
        ),
        _letter(
            "accepted",
            owner="Priya Nair",
            team="Integrations",
            need=phrase("nothing_needed"),
            due=_DUE,
            first_step="tracing a failed call through the gateway",
            agent="Anna Keller",
        ),
        _letter(
            "update",
            headline="cause found",
            update="we have found the cause and are testing a correction",
            need=phrase("nothing_needed"),
            due=_DUE,
            known="one of two gateway pools is empty since 09:10",
            next="we fill it and watch your calls",
            workaround="calls that are repeated go through",
            agent="Anna Keller",
        ),
        _letter(
            "new_expected_time",
            new_due=_NEW_DUE,
            old_due=_DUE,
            reason="the correction needs one more test",
            done="cause found, correction written",
            agent="Anna Keller",
        ),
        _letter(
            "resolved",
            outcome="the gateway pool was refilled and invoices post again",
            cause="a pool that did not restart after an update",
            reopen_until=_NEXT_WEEK,
            agent="Anna Keller",
        ),
        _letter("closed", outcome="The gateway pool was refilled and invoices post again."),
        _letter(
            "reply",
            agent="Anna Keller",
            body="Thank you, Dana. I can see the failing calls on our side too.",
            signature="Anna Keller\nBrightquay Support",
        ),
        _key_letter("verify_address", ref="HD-1042", key_link=_KEY_LINK),
        _key_letter("portal_sign_in", key_link=_KEY_LINK, until=_DUE),
        _staff_mail(
            "staff_offer",
            by="Anna Keller",
            team="Integrations",
            tier="Tier 2",
            accept_by=_DUE,
            reason="P1 without a reply for 15 minutes",
            ask="Find out why the pool is empty",
        ),
        _staff_mail("staff_reminder", team="Integrations", accept_by=_DUE),
        _staff_mail(
            "staff_escalation_path",
            team="Integrations",
            accept_by=_DUE,
            role=phrase("as_lead"),
        ),
        _staff_mail(
            "staff_returned",
            how=phrase("declined"),
            by="Priya Nair",
            team="Integrations",
            reason="details are missing",
            missing=["API key id"],
        ),
        _staff_mail(
            "staff_escalation_ended",
            how=phrase("withdrawn"),
            by="Anna Keller",
            team="Integrations",
            reason="the customer found the cause",
            due=_DUE,
        ),
        _staff_mail("staff_owner_named", owner="Mei Tanaka", by="Grace Lim", team="Integrations"),
        _staff_mail(
            "staff_promise_warning",
            due=_DUE,
            contact="Dana Reyes",
            organization="Norvik Logistics",
        ),
        _staff_mail("staff_clock_warned", clock=phrase("clock_first_response"), due=_DUE),
        _staff_mail("staff_clock_breached", clock=phrase("clock_resolution"), due=_DUE),
        _staff_mail("staff_follow_up", what="Check progress with Priya", due=_DUE),
        _staff_mail("staff_assigned", by="Marco Ruiz"),
        _staff_mail(
            "staff_mail_failed", to="dana@norvik.example", error="550 5.1.1 no such mailbox"
        ),
        _webhook_mail("staff_webhook_failed"),
        _webhook_mail("staff_webhook_off"),
        _training_mail(
            "staff_training_due", due=_NEXT_WEEK, change="Refunds need a second person."
        ),
        _training_mail("staff_training_reminder", due=_NEXT_WEEK),
        _training_mail("staff_training_overdue", people=["Anna Keller", "Ben Osei"]),
        _training_mail(
            "staff_procedure_review",
            author="Grace Okafor",
            change="Refunds need a second person.",
        ),
        _training_mail("staff_procedure_stale", due=_NEXT_WEEK),
        _staff_mail("admin_poison_ticket", error="KeyError: 'calendar'", attempts=3, next_try=_DUE),
    )
}


def mail_kind(key: str) -> MailKind:
    """Give the kind of mail under this key; raises ``UnknownTemplate``."""
    try:
        return CATALOG[key]
    except KeyError:
        raise UnknownTemplate(f"No mail is called {key!r}.") from None
