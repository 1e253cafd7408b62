from argparse import ArgumentParser
from datetime import datetime
from importlib import import_module

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

#: Modules with a ``load_defaults(*, now) -> int``, which adds what is missing and says how much.
DEFAULTS = ("notifications.templates", "training.defaults", "escalation.defaults")


def load_all_defaults(*, now: datetime) -> int:
    """Load what an installation needs before its first ticket; again does nothing."""
    with transaction.atomic():
        return sum(import_module(module).load_defaults(now=now) for module in DEFAULTS)


class Command(BaseCommand):
    help = (
        "Loads the default letters, the default procedure and the default policy. Running it again"
        " changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """No arguments: what is loaded is the same everywhere."""

    def handle(self, *_args: object, **_options: object) -> None:
        added = load_all_defaults(now=timezone.now())
        self.stdout.write(f"{added} defaults added" if added else "nothing to add")
