"""A snoozed ticket comes back in sight when its time has come; who hid it is told."""

from __future__ import annotations

from datetime import datetime

from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.promises import answers_for
from notifications.values import moment, phrase


def drive(*, case: Case, ledger: Ledger) -> datetime | None:
    """Wake a ticket that has slept long enough; returns when to look next."""
    snooze = case.snooze
    if snooze is None:
        return None
    if snooze.until > ledger.now:
        return snooze.until
    ledger.change(snooze, woken_at=ledger.now)
    case.snooze = None
    ledger.event(case.ticket, "woken")
    ledger.notice(
        key=f"{case.ticket.reference}:snooze:{snooze.pk}",
        to=(case.roster.here_or_backup(snooze.by_id), answers_for(case)),
        kind="staff_follow_up",
        ticket=case.ticket,
        what=snooze.reason or phrase("snooze_over"),
        due=moment(snooze.until),
    )
    return None
