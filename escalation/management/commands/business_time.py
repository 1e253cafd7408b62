import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from staff.durations import DurationError, parse_duration
from staff.hours import CalendarError
from staff.models import Calendar, CalendarVersion


class Command(BaseCommand):
    help = "Says when a length of time has passed on a calendar, counted from a moment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("calendar", help="a calendar's slug, such as berlin")
        parser.add_argument("duration", help='such as 4h, "90m" or "15m wall"')
        parser.add_argument("--since", help="ISO 8601; now where it is left out")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_args: object, **options: Any) -> None:
        since = self._since(options["since"])
        try:
            version = Calendar.objects.get(slug=options["calendar"]).in_force
            duration = parse_duration(options["duration"])
            time = version.business_time()
            due = duration.after(since, time)
        except Calendar.DoesNotExist:
            known = ", ".join(Calendar.objects.values_list("slug", flat=True)[:50]) or "none"
            raise CommandError(
                f"No calendar {options['calendar']!r}. There are: {known}."
            ) from None
        except CalendarVersion.DoesNotExist:
            raise CommandError(f"The calendar {options['calendar']!r} has no hours yet.") from None
        except (DurationError, CalendarError) as error:
            raise CommandError(str(error)) from error
        except OverflowError:
            raise CommandError("That is beyond any date there is.") from None
        if options["json"]:
            answer = {
                "since": since.isoformat(),
                "duration": str(duration),
                "due": due.isoformat(),
                "calendar": options["calendar"],
                "version": version.number,
            }
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        else:
            self.stdout.write(f"{since.isoformat()} + {duration} = {due.isoformat()} ({version})")

    def _since(self, text: str | None) -> datetime:
        if text is None:
            return timezone.now()
        try:
            since = parse_datetime(text)
        except ValueError:  # such as the 30th of February
            since = None
        if since is None:
            raise CommandError(f"{text!r} is not a moment such as 2026-11-24T14:00+01:00.")
        return since if timezone.is_aware(since) else timezone.make_aware(since)
