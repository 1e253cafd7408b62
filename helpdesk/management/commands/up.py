import errno
import os
import signal
import socket
import sys
import threading
from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from helpdesk import embedded
from helpdesk.supervisor import tie_to_parent

#: Of the advisory lock that makes two starts prepare the database one after the other.
PREPARING = 4_751_042
#: Connections that wait while the web server starts; gunicorn's own figure.
BACKLOG = 2048


def listen(port: int) -> socket.socket:
    """Take the port before anything else is done, so that of two starts at once one is told so.

    The web server gets the socket as it is. Raises ``CommandError``.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # What lingers from the last run is no obstacle.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        # Only who listens has it: two may bind before either does.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = (
            "is already taken"
            if error.errno == errno.EADDRINUSE
            else f"cannot be used ({error.strerror})"
        )
        raise CommandError(
            f"Port {port} {reason}; choose another one, for example PORT={port + 1} make run."
        ) from error
    return listener


class Command(BaseCommand):
    help = (
        "Prepares the database and runs web, workers and beat until Ctrl-C. "
        "The web server listens on 127.0.0.1 and the port in PORT (8000)."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tethered",
            action="store_true",
            help="stop when the process that started this one ends, even by kill -9",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        if options["tethered"]:
            tie_to_parent(signal.SIGTERM, os.getppid())
        port = settings.PORT
        try:
            listener = listen(port)
            sign_ins = self._prepare()
        except KeyboardInterrupt:
            sys.exit(130)
        self._run(port, listener, sign_ins)

    def _prepare(self) -> str:
        """Bring database and demo up to date; answers the lines that tell how to sign in."""
        lines = StringIO()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [PREPARING])
        try:
            call_command("migrate", verbosity=0, interactive=False)
            call_command("createcachetable", verbosity=0)
            call_command("setup", stdout=StringIO())
            if settings.HELPDESK_DEMO and "seed_demo" in get_commands():
                if not apps.get_model("tickets", "Ticket")._default_manager.exists():
                    self.stdout.write("loading the demo")
                    call_command("seed_demo", stdout=StringIO())
                call_command("seed_demo", sign_ins=True, stdout=lines)
        finally:
            # Closing frees the lock, too, and no connection may be inherited by what we start.
            connections.close_all()
        return lines.getvalue()

    def _run(self, port: int, listener: socket.socket, sign_ins: str) -> None:
        from helpdesk.processes import Foreman, answers, commands

        url = f"http://127.0.0.1:{port}"

        hold = embedded.held
        over = threading.Event()

        def announce_and_watch() -> None:
            while not answers(f"{url}/healthz"):
                if over.wait(0.1):
                    return
            self.stdout.write(f"ready: {url}\n{sign_ins}".rstrip("\n"))
            self.stdout.flush()
            while hold is not None and not over.wait(2):
                hold.renew()

        foreman = Foreman(
            commands(port=port, data_dir=settings.HELPDESK_DATA_DIR, listener=listener.fileno()),
            once_started=announce_and_watch,
            passed=(listener.fileno(),),
        )
        foreman.loop()
        # Whoever presses Ctrl-C twice still gets a tidy end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        # Before the servers are let go, for whoever watches them would start them again.
        over.set()
        if foreman.watcher.is_alive():
            foreman.watcher.join(timeout=10)
        if not foreman.stopped_by_signal:
            raise CommandError(
                "One of the processes ended by itself (see above); stopped the rest."
            )
