"""``manage.py replay_quarantine``: try again what could not be read."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Q
from django.utils import timezone

from staff.bounds import between
from tickets.inbound.ingest import replay
from tickets.models import InboundEmail
from tickets.models.mailin import InboundOutcome

#: A mail that is still "stored" after so long lost whoever was reading it.
FORSAKEN = timedelta(minutes=5)
#: That PostgreSQL has a number for.
LARGEST_ID = 2**63 - 1


class Command(BaseCommand):
    help = (
        "Read quarantined e-mails again, and those that were stored and never read, oldest first;"
        " prints one JSON line for each, like ingest_email."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "ids",
            nargs="*",
            type=between(int, 1, LARGEST_ID),
            metavar="ID",
            help="Only these inbound e-mails.",
        )
        parser.add_argument(
            "--limit",
            type=between(int, 0, LARGEST_ID),
            default=1000,
            help="At most so many (default: %(default)s).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        waiting = InboundEmail.objects.filter(
            Q(outcome=InboundOutcome.QUARANTINED)
            | Q(outcome=InboundOutcome.STORED, received_at__lt=now - FORSAKEN)
        )
        if options["ids"]:
            waiting = InboundEmail.objects.filter(
                pk__in=options["ids"],
                outcome__in=(InboundOutcome.QUARANTINED, InboundOutcome.STORED),
            )
        rows = waiting.order_by("received_at", "pk").values_list("pk", "source")
        for inbound_id, source in rows[: options["limit"]]:
            outcome = replay(inbound_id=inbound_id, now=timezone.now())
            line = {
                "id": inbound_id,
                "source": source,
                "outcome": outcome.outcome,
                "ticket": outcome.ticket,
                "reason": outcome.reason,
            }
            self.stdout.write(json.dumps(line))
            self.stdout.flush()
