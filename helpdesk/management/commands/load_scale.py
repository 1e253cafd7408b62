import json
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from helpdesk import logs
from helpdesk.management.commands.setup import load_all_defaults
from helpdesk.scale import load
from helpdesk.scale.casting import NothingToCast
from staff.bounds import between
from tickets.models import Ticket

MOST = 5_000_000


class Command(BaseCommand):
    help = (
        "Loads synthetic tickets by bulk copy, for measuring: a year of them in every state, with "
        "their messages, clocks, escalations and letters (as sent; nothing goes out). People, teams "
        "and categories are those that are there, or made up where there are none."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tickets", type=between(int, 1, MOST), default=10_000, metavar="N")
        parser.add_argument(
            "--open",
            type=between(float, 0, 1),
            default=0.3,
            metavar="SHARE",
            help="of all tickets (%(default)s)",
        )
        parser.add_argument(
            "--messages",
            type=between(float, 1, 100),
            default=4.0,
            metavar="N",
            help="messages a ticket, on average (about %(default)s)",
        )
        parser.add_argument(
            "--due",
            type=between(float, 0, 1),
            default=0.01,
            metavar="SHARE",
            help="of all tickets: open ones that the engine owes an escalation now (%(default)s)",
        )
        parser.add_argument(
            "--seed", type=int, default=1, help="the same draws again (%(default)s)"
        )
        parser.add_argument(
            "--into-existing", action="store_true", help="although there are tickets already"
        )
        parser.add_argument("--json", action="store_true", help="say what was loaded as JSON")

    @logs.hushed()
    def handle(self, *_args: object, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("These tickets are made up: not in a production installation.")
        if Ticket.objects.exists() and not options["into_existing"]:
            raise CommandError(
                "There are tickets here already. Pass --into-existing to add made-up ones to them."
            )
        began = time.perf_counter()

        def say(what: str) -> None:
            if options["verbosity"] > 0:
                self.stderr.write(f"{time.perf_counter() - began:6.1f} s  {what}")

        now = timezone.now()
        load_all_defaults(now=now)
        try:
            loaded = load.load(
                tickets=options["tickets"],
                open_share=options["open"],
                messages=options["messages"],
                due_share=options["due"],
                seed=options["seed"],
                now=now,
                say=say,
            )
        except NothingToCast as missing:
            raise CommandError(f"This house's policy leaves no ticket {missing}.") from missing
        took = time.perf_counter() - began
        for life in loaded.abandoned:
            say(f"left out: {life}")
        if options["json"]:
            self.stdout.write(json.dumps({**loaded.to_json(), "took": round(took, 1)}))
        else:
            self.stdout.write(
                f"{loaded.tickets} tickets loaded in {took:.0f} s, {loaded.open} of them open,"
                f" {loaded.due} due, with {sum(loaded.rows.values())} rows"
            )
