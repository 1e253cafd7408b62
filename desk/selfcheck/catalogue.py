"""Every check, in the order in which they are made and told."""

from __future__ import annotations

from desk.selfcheck import (
    clocks,
    database,
    decisions,
    engine,
    escalations,
    files,
    keys,
    letters,
    mail,
    promises,
    search,
    tickets,
    training,
    webhooks,
)
from desk.selfcheck.checks import Check

CHECKS: tuple[Check, ...] = (
    *mail.CHECKS,
    *letters.CHECKS,
    *engine.CHECKS,
    *escalations.CHECKS,
    *promises.CHECKS,
    *clocks.CHECKS,
    *decisions.CHECKS,
    *training.CHECKS,
    *tickets.CHECKS,
    *search.CHECKS,
    *files.CHECKS,
    *webhooks.CHECKS,
    *keys.CHECKS,
    *database.CHECKS,
)
