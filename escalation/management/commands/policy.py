import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError

from escalation import applying, publishing
from escalation.models import Policy, PolicyVersion
from escalation.policynames import NameFaults, check_names
from escalation.policyspec import PolicySpec
from escalation.policytext import locate, read_policy, write_policy
from escalation.problems import PolicyErrors, RuleError
from escalation.tasks import database_clock
from staff.models import User

REFUSED = 1
NOT_CONFIRMED = 3
_LINE = re.compile(r"line (\d+)(?:, column \d+)?(?:, )?")


class Command(BaseCommand):
    help = (
        "Writes the policy in force as a file, checks a file, or puts one in force. Exit codes: 0"
        " done, 1 refused, 2 misused, 3 not confirmed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="export|check|apply")
        export = verbs.add_parser("export", help="write a policy's file to the standard output")
        export.add_argument("--policy", help="its slug (default: the one in force)")
        export.add_argument("--number", type=int, help="of a version (default: what is in force)")
        export.add_argument("--output", help="a file to write instead")
        check = verbs.add_parser("check", help="say what is wrong with a file, and where")
        apply = verbs.add_parser("apply", help="show what a file changes, and put it in force")
        for verb in (check, apply):
            verb.add_argument("file", help="a YAML file, or - for the standard input")
        apply.add_argument("--policy", help="the slug to keep it under (default: that in force)")
        apply.add_argument("--yes", action="store_true", help="do not ask")
        apply.add_argument("--by", help="the e-mail address of the admin who does this")
        apply.add_argument(
            "--to-open-tickets",
            action="store_true",
            help="bring running clocks to the new targets as well",
        )
        for verb in (export, check, apply):
            verb.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_args: object, **options: Any) -> None:
        self.json = options["json"]
        getattr(self, f"_{options['verb']}")(options)

    def _export(self, options: dict[str, Any]) -> None:
        version = self._version(options["policy"], options["number"])
        text = write_policy(version.body)
        if options["output"]:
            try:
                Path(options["output"]).write_text(text, encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{options['output']}: {error.strerror}") from None
        told = {"policy": version.policy.slug, "version": version.number}
        if self.json:
            self._tell({**told, "file": options["output"] or text})
        elif options["output"]:
            self.stdout.write(f"{version} is in {options['output']}.")
        else:
            self.stdout.write(text, ending="")

    def _check(self, options: dict[str, Any]) -> None:
        _spec, names = self._read(options["file"])
        if self.json:
            self._tell({"ok": True, "errors": [], "warnings": _as_data(names.warnings)})
        else:
            self.stdout.write(f"{options['file']} is a policy.")

    def _apply(self, options: dict[str, Any]) -> None:
        by = self._person(options["by"])
        spec, names = self._read(options["file"])
        policy = self._policy(options["policy"])
        in_force = _in_force()
        differs = publishing.differences(spec.to_body())
        to_open = options["to_open_tickets"]
        moves = applying.outlook(spec) if to_open else []
        told: dict[str, Any] = {
            "ok": True,
            "warnings": _as_data(names.warnings),
            "changes": differs,
            "clocks": [str(move) for move in moves],
        }
        if not differs and in_force is not None and not (to_open and moves):
            self._say({**told, "applied": False}, f"Nothing differs from {in_force}.")
            return
        if not self.json:
            self.stdout.write(differs or f"Nothing differs from {in_force}.")
            for move in moves:
                self.stdout.write(f"open tickets: {move}")
        if not options["yes"]:
            self._ask(told)
        version = publishing.apply(
            policy=policy, spec=spec, to_open_tickets=to_open, now=database_clock(), by=by
        )
        self._say(
            {**told, "applied": True, "policy": policy.slug, "version": version.number},
            f"{version} is in force. Open tickets are looked at again while nothing is due.",
        )

    def _read(self, file: str) -> tuple[PolicySpec, NameFaults]:
        text = self._text(file)
        try:
            spec = read_policy(text)
        except PolicyErrors as errors:
            self._refuse(file, errors.errors, ())
        names = check_names(spec)
        names = NameFaults(locate(text, names.errors), locate(text, names.warnings))
        if names.errors:
            self._refuse(file, names.errors, names.warnings)
        if not self.json:
            for warning in names.warnings:
                self.stderr.write(f"{file}: warning: {warning}")
        return spec, names

    def _text(self, file: str) -> str:
        try:
            raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self._refuse(file, (RuleError(f"line {line}", "this is not UTF-8"),), ())
        except OSError as error:
            self._refuse(file, (RuleError("", f"{error.strerror}"),), ())

    def _refuse(
        self, file: str, errors: Sequence[RuleError], warnings: Sequence[RuleError]
    ) -> NoReturn:
        if self.json:
            self._tell({"ok": False, "errors": _as_data(errors), "warnings": _as_data(warnings)})
            sys.exit(REFUSED)
        for warning in warnings:
            self.stderr.write(f"{file}: warning: {warning}")
        told = "\n".join(f"{file}: {error}" for error in errors)
        raise CommandError(told, returncode=REFUSED)

    def _ask(self, told: dict[str, Any]) -> None:
        if not self.json and sys.stdin is not None and sys.stdin.isatty():
            self.stdout.write("Put this in force? [y/N] ", ending="")
            self.stdout.flush()
            if sys.stdin.readline().strip().lower() in ("y", "yes"):
                return
        if self.json:
            self._tell({**told, "applied": False})
            sys.exit(NOT_CONFIRMED)
        raise CommandError("Nothing was changed: say --yes to do it.", returncode=NOT_CONFIRMED)

    def _version(self, slug: str | None, number: int | None) -> PolicyVersion:
        versions = PolicyVersion.objects.select_related("policy")
        if slug is not None or number is not None:
            versions = versions.filter(policy=self._policy(slug))
        if number is not None:
            versions = versions.filter(number=number)
        else:
            versions = versions.filter(published_at__isnull=False)
        found = versions.order_by("published_at", "pk").last()
        if found is None:
            raise CommandError("There is no such version." if number else "No policy is in force.")
        return found

    def _policy(self, slug: str | None) -> Policy:
        if slug is not None:
            policy = Policy.objects.filter(slug=slug).first()
            if policy is None:
                known = ", ".join(Policy.objects.values_list("slug", flat=True)[:50]) or "none"
                raise CommandError(f"No policy {slug!r}. There are: {known}.")
            return policy
        in_force = _in_force()
        if in_force is not None:
            return in_force.policy
        return Policy.objects.get_or_create(slug="default", defaults={"name": "Default policy"})[0]

    def _person(self, email: str | None) -> User | None:
        if email is None:
            return None
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody with the address {email!r} works here.")
        return user

    def _say(self, told: dict[str, Any], text: str) -> None:
        if self.json:
            self._tell(told)
        else:
            self.stdout.write(text)

    def _tell(self, told: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))


def _in_force() -> PolicyVersion | None:
    try:
        return PolicyVersion.objects.select_related("policy").in_force()
    except PolicyVersion.DoesNotExist:
        return None


def _as_data(errors: Sequence[RuleError]) -> list[dict[str, Any]]:
    found = []
    for error in errors:
        line = _LINE.match(error.where)
        found.append(
            {
                "line": int(line[1]) if line is not None else None,
                "where": error.where[line.end() :] if line is not None else error.where,
                "message": error.message,
            }
        )
    return found
