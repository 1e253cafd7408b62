import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError

from escalation.explanation import Explanation, explain_ticket, skipped_because
from escalation.reasons import sentence
from escalation.tasks import database_clock
from tickets.models import Ticket


class Command(BaseCommand):
    help = "Says why a ticket was escalated, why not by other rules, and what happens next."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ticket", help="HD-1042, or 1042")
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--zone", default="UTC", help="for the times shown (default: UTC)")

    def handle(self, *_args: object, **options: Any) -> None:
        number = Ticket.number_in(options["ticket"])
        ticket = (
            Ticket.objects.select_related(
                "team__tier", "requester", "organization__plan", "category", "assignee"
            )
            .filter(pk=number)
            .first()
            if number is not None
            else None
        )
        if ticket is None:
            raise CommandError(f"There is no ticket {options['ticket']!r}.")
        try:
            zone = ZoneInfo(options["zone"])
        except (ZoneInfoNotFoundError, ValueError):
            raise CommandError(f"There is no time zone {options['zone']!r}.") from None
        explanation = explain_ticket(ticket=ticket, now=database_clock())
        if options["json"]:
            self.stdout.write(json.dumps(explanation.to_json(), ensure_ascii=False, indent=2))
        else:
            self._tell(explanation, zone)

    def _tell(self, explanation: Explanation, zone: ZoneInfo) -> None:
        def at(moment: datetime) -> str:
            return f"{moment.astimezone(zone):%a %d %b %H:%M:%S}"

        ticket = explanation.ticket
        self.stdout.write(f"{ticket}  (P{ticket.priority}, {ticket.get_status_display()})")
        self.stdout.write("\nEscalated by rule")
        for made in explanation.made:
            self.stdout.write(f"  {at(made.at)}  {made.rule}  ({made.policy})")
            for reason in made.reasons:
                self.stdout.write(f"      {sentence(reason)}")
        if not explanation.made:
            self.stdout.write("  not so far")
        self.stdout.write("\nThe rules now, in their order")
        for rule in explanation.rules:
            verdict = "decides" if rule.decides else "holds" if rule.holds else "does not hold"
            if why := skipped_because(rule):
                verdict = f"is not asked: {why}"
            self.stdout.write(
                f"  {rule.rule.key}: {verdict} → {explanation.goes_to[rule.rule.key]}"
            )
            for reason in rule.reasons:
                mark = "✓" if reason.holds != reason.negated else "✗"
                self.stdout.write(f"      {mark} {sentence(reason)}")
            if rule.matches_from is not None and rule.matches_from > explanation.now:
                self.stdout.write(f"      would hold from {at(rule.matches_from)}")
        self.stdout.write("\nWhat comes next")
        for coming in explanation.coming:
            who = f"  → {coming.who}" if coming.who else ""
            self.stdout.write(f"  {at(coming.at)}  {coming.what}{who}")
        if not explanation.coming:
            self.stdout.write("  nothing by itself")
