"""``manage.py outbox``: pause what goes out, see what waits, and let it go."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from notifications import pausing
from notifications.models import OutboxPause
from notifications.pausing import NotPaused, Waiting
from staff.bounds import between
from staff.models import User

NOT_CONFIRMED = 3
#: In hours; what is older than that was not sent by anybody.
A_CENTURY = 876_600


class Command(BaseCommand):
    help = (
        "Pauses letters and webhooks, says what waits, and lets it go. Exit codes: 0 done, 1"
        " refused, 2 misused, 3 not confirmed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="status|pause|resume")
        status = verbs.add_parser("status", help="whether it is paused, and what waits")
        status.add_argument(
            "--doubtful",
            action="store_true",
            help="list the letters that may have been sent: Message-ID, when queued, to whom",
        )
        pause = verbs.add_parser("pause", help="have nothing sent until it is resumed")
        pause.add_argument("--why", default="", help="what everybody reads on the desk's pages")
        resume = verbs.add_parser("resume", help="let go what waits")
        resume.add_argument("--yes", action="store_true", help="do not ask")
        resume.add_argument(
            "--older-than",
            type=between(float, 0, A_CENTURY),
            metavar="HOURS",
            help="withdraw what is older, instead of sending it",
        )
        resume.add_argument(
            "--send-doubtful",
            action="store_true",
            help=(
                "send what waited in a restored backup, too: only where nothing was sent after the"
                " backup was made"
            ),
        )
        for verb in (pause, resume):
            verb.add_argument("--by", help="the e-mail address of whoever does this")
        for verb in (status, pause, resume):
            verb.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_args: object, **options: Any) -> None:
        self.json = options["json"]
        getattr(self, f"_{options['verb']}")(options)

    def _status(self, options: dict[str, Any]) -> None:
        pause = pausing.standing()
        waiting = pausing.waiting(pause)
        if options["doubtful"]:
            for mail in pausing.letters_in_doubt().order_by("pk").iterator():
                line = (mail.message_id, mail.queued_at.isoformat(), mail.to_address)
                self.stdout.write("\t".join(line))
            return
        if self.json:
            self._say(
                paused=pause is not None,
                since=pause.began_at.isoformat() if pause else None,
                cause=pause.cause if pause else None,
                why=pause.note if pause else None,
                by=str(pause.began_by.email) if pause and pause.began_by else None,
                copied_at=pause.copied_at.isoformat() if pause and pause.copied_at else None,
                letters=waiting.letters,
                webhook_messages=waiting.messages,
                oldest=waiting.oldest.isoformat() if waiting.oldest else None,
                letters_in_doubt=waiting.letters_in_doubt,
                webhook_messages_in_doubt=waiting.messages_in_doubt,
            )
            return
        self.stdout.write(_sentence(pause))
        self._tell(waiting)

    def _pause(self, options: dict[str, Any]) -> None:
        try:
            pause = pausing.pause(note=options["why"], by=_who(options["by"]), now=timezone.now())
        except NotPaused as error:
            raise CommandError(str(error)) from None
        if self.json:
            self._say(paused=True, since=pause.began_at.isoformat())
        else:
            self.stdout.write("Paused: no letter and no webhook message is sent.")

    def _resume(self, options: dict[str, Any]) -> None:
        by = _who(options["by"])
        hours = options["older_than"]
        if not options["yes"]:
            if self.json:
                raise CommandError("Say --yes to do it.", returncode=NOT_CONFIRMED)
            self._tell(pausing.waiting(pausing.standing()))
            if not sys.stdin.isatty() or input("Let it go? [y/N] ").strip().lower() != "y":
                raise CommandError(
                    "Nothing was released; --yes confirms.", returncode=NOT_CONFIRMED
                )
        try:
            released = pausing.release(
                by=by,
                now=timezone.now(),
                send_doubtful=options["send_doubtful"],
                older_than=None if hours is None else timedelta(hours=hours),
            )
        except NotPaused as error:
            raise CommandError(str(error)) from None
        if self.json:
            self._say(
                paused=False,
                letters=released.letters,
                webhook_messages=released.messages,
                withdrawn_letters=released.withdrawn_letters,
                withdrawn_webhook_messages=released.withdrawn_messages,
            )
            return
        self.stdout.write(
            f"Released: {released.letters} letters and {released.messages} webhook messages go;"
            f" {released.withdrawn_letters} and {released.withdrawn_messages} were withdrawn."
        )

    def _tell(self, waiting: Waiting) -> None:
        since = f", the oldest since {waiting.oldest:%Y-%m-%d %H:%M} UTC" if waiting.oldest else ""
        self.stdout.write(
            f"{waiting.letters} letters and {waiting.messages} webhook messages wait{since}."
        )
        if waiting.letters_in_doubt or waiting.messages_in_doubt:
            self.stdout.write(
                f"{waiting.letters_in_doubt} letters and {waiting.messages_in_doubt} webhook"
                " messages waited when the backup was made and may have been sent since: they stay"
                " unsent without --send-doubtful."
            )

    def _say(self, **what: Any) -> None:
        self.stdout.write(json.dumps(what))


def _sentence(pause: OutboxPause | None) -> str:
    if pause is None:
        return "The outbox is not paused."
    by = f" by {pause.began_by.email}" if pause.began_by else ""
    why = f" ({pause.note})" if pause.note else ""
    restored = f", restored as it was at {pause.copied_at:%Y-%m-%d %H:%M} UTC" * pause.is_restore
    return f"Paused since {pause.began_at:%Y-%m-%d %H:%M} UTC{by}{why}{restored}."


def _who(email: str | None) -> User | None:
    if not email:
        return None
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None or not user.is_lead:
        raise CommandError(f"{email} is nobody who may do this: a lead, a manager or an admin.")
    return user
