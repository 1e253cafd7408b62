from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from tickets.models import Ticket

SLICE = 1000
"""Numbers indexed in one transaction; a ticket that is just being written to is waited for."""


class Command(BaseCommand):
    help = (
        "Index tickets for the search anew. The database keeps the index by itself; this is for"
        " tickets that were loaded while its triggers were off."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--first", type=int, default=1, help="the lowest number, such as 1042")
        parser.add_argument("--last", type=int, help="the highest number; without it, all")
        parser.add_argument("--json", action="store_true", help="say how many as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        newest = Ticket.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        last = newest if options["last"] is None else min(options["last"], newest)
        done = 0
        for start in range(max(options["first"], 1), last + 1, SLICE):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT tickets_search_rebuild(%s, %s)", [start, min(start + SLICE - 1, last)]
                )
                (count,) = cursor.fetchone() or (0,)
            done += count
        if options["json"]:
            self.stdout.write(json.dumps({"tickets": done}))
        else:
            self.stdout.write(f"{done} tickets indexed")
