import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error

from desk.selfcheck import running
from desk.selfcheck.running import Report, Result, Status
from escalation.tasks import database_clock

CLEAN, FOUND, NOT_MADE = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Counts every promise of docs/guarantees.md that can be counted: 0, or it names rows. It reads"
        " and changes nothing. Exits with 0 when all are kept, 1 when something was found, 2 when a"
        " check could not be made. What to do stands in docs/runbooks/selfcheck.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument(
            "--deep",
            action="store_true",
            help="work everything out anew instead of samples; may take minutes",
        )
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            choices=running.names(),
            metavar="NAME",
            help="this check alone; may be given several times",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            report = running.run(now=database_clock(), deep=options["deep"], only=options["only"])
        except Error as error:
            self.stderr.write(f"The database cannot be asked: {type(error).__name__}")
            raise SystemExit(NOT_MADE) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
        else:
            self._tell(report)
        if report.failed:
            raise SystemExit(NOT_MADE)
        if report.found:
            raise SystemExit(FOUND)

    def _tell(self, report: Report) -> None:
        for result in report.results:
            self.stdout.write(f"{_number(result):>6}  {result.check.name:<24}  {_said(result)}")
        self.stdout.write(
            f"\n{len(report.results)} promises counted in {report.seconds:.1f} s: {report.found} not"
            f" kept, {report.failed} could not be counted"
        )


def _number(result: Result) -> str:
    if result.status is Status.FAILED:
        return "?"
    return f"{result.count}+" if result.capped else str(result.count)


def _said(result: Result) -> str:
    if result.status is Status.FAILED:
        return f"could not be made: {result.error}"
    if result.status is Status.CLEAN:
        return str(result.check.promise)
    rows = ", ".join(
        row.id
        if row.ticket is None or row.id == f"HD-{row.ticket}"
        else f"{row.id} (HD-{row.ticket})"
        for row in result.rows
    )
    more = ", …" if result.count > len(result.rows) else ""
    return f"{result.check.counts}\n{'':34}{result.check.noun}: {rows}{more}\n{'':34}see {result.check.runbook}"
