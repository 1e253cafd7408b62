from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from helpdesk import logs
from helpdesk.demo import company, year
from helpdesk.demo.director import Stuck
from staff.bounds import between
from tickets.errors import Refused

MOST = 1_000_000
PLAYING_TIME = timedelta(seconds=6)
"""About what the play takes: whoever opens the desk then has seen nothing happen yet."""


class Command(BaseCommand):
    help = (
        "Loads the demo: the company Brightquay, its customers, and tickets at every station. "
        "Running it again changes nothing; a desk with tickets of its own is left alone. "
        "With --again it is played anew, with fresh times."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sign-ins",
            action="store_true",
            help="load nothing; only print how to sign in to the demo, a line each",
        )
        parser.add_argument(
            "--again",
            action="store_true",
            help=(
                "remove every ticket of the demo's customers, with its letters and files, and play "
                "the demo anew; refused where anybody else has tickets, and configuration that was "
                "changed stays"
            ),
        )
        parser.add_argument(
            "--past",
            type=between(int, 0, MOST),
            default=year.TICKETS,
            metavar="N",
            help="how many tickets were closed in the year before (%(default)s)",
        )
        parser.add_argument(
            "--yes-in-production",
            action="store_true",
            help="load it although HELPDESK_ENV is 'production': its passwords are public",
        )

    @logs.hushed()
    def handle(self, *_args: object, **options: Any) -> None:
        if options["sign_ins"]:
            for line in company.sign_ins(now=timezone.now()):
                self.stdout.write(line)
            return
        if settings.PRODUCTION and not options["yes_in_production"]:
            raise CommandError(
                "This is a production installation, and the demo's passwords are public. "
                "Pass --yes-in-production if you want it here nevertheless."
            )
        try:
            made = company.load(
                now=timezone.now(),
                past=options["past"],
                again=options["again"],
                curtain=lambda: timezone.now() + PLAYING_TIME,
            )
        except (Refused, Stuck) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{made} tickets added" if made else "nothing to add")
