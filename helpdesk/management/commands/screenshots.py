import os
import signal
import socket
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import which
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from helpdesk.gallery import Gallery, Signs

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"]


class Command(BaseCommand):
    help = (
        "Starts the demo in a folder of its own, walks through it in Chromium and writes what is "
        "to be seen, wide and on a phone, light and dark. For README and docs."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to",
            type=Path,
            default=settings.BASE_DIR / "docs" / "images",
            help="folder for the pictures (%(default)s)",
        )
        parser.add_argument(
            "--chromium",
            default=os.environ.get("CHROMIUM") or next(filter(None, map(which, CHROMIUM)), ""),
            help="the browser's program (%(default)s)",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            from playwright.sync_api import sync_playwright
        except ImportError as error:
            raise CommandError("Screenshots need what tests need: make setup-dev") from error
        if not options["chromium"]:
            raise CommandError("Chromium is not installed (on Debian: apt install chromium).")
        folder: Path = options["to"]
        folder.mkdir(parents=True, exist_ok=True)
        with a_desk() as signs, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=options["chromium"], args=FLAGS)
            gallery = Gallery(browser, signs, folder)
            gallery.take_all()
            browser.close()
        size = gallery.write()
        self.stdout.write(f"{len(gallery.taken)} pictures in {folder}, {size / 1e6:.1f} MB")


@contextmanager
def a_desk() -> Iterator[Signs]:
    """The demo on servers, in a folder and on a port of its own; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-") as folder:
        Path(folder).chmod(0o711)
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        ours = ("HELPDESK_", "EMAIL_", "ANYMAIL_", "DATABASE_", "REDIS_")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "HELPDESK_DATA_DIR": folder,
            # As links read in letters, whatever port was free.
            "HELPDESK_BASE_URL": "http://127.0.0.1:8000",
            "PORT": str(port),
        }
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--tethered"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            signs = Signs.read(process.stdout)
            # What the processes say from now on is nobody's to read, and must not fill the pipe.
            Thread(target=process.stdout.read, daemon=True).start()
            yield signs
        except ValueError as error:
            raise CommandError(f"{error} ({process.wait(timeout=60)})") from error
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
