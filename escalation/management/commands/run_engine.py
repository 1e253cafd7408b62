import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection

from escalation import engine
from escalation.tasks import database_clock
from notifications import closingtime, openingtime
from staff.bounds import between


class Command(BaseCommand):
    help = "Reviews every ticket that is due, again and again, without Celery and Redis."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop when nothing is due any more")
        parser.add_argument(
            "--interval",
            type=between(float, 0.05, 3600),
            default=settings.HELPDESK_ENGINE_INTERVAL,
            help="seconds between two looks (default: %(default)s)",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{engine.turn(clock=database_clock)} tickets reviewed")
            return
        openingtime.begin()
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: _stop(stopped))
        while not stopped.is_set():
            try:
                engine.turn(clock=database_clock)
            except OperationalError as error:
                # The database restarts or cannot be reached: what is due stays due.
                self.stderr.write(f"The database does not answer: {error}".strip())
                connection.close()
            stopped.wait(options["interval"])


def _stop(stopped: threading.Event) -> None:
    closingtime.say()
    stopped.set()
