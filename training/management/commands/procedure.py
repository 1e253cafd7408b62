import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from staff.models import User
from staff.refusal import Refused
from training import versions
from training.agreement import VersionErrors, read_version
from training.courseerrors import CourseError
from training.models import ProcedureVersion, VersionState

REFUSED = 1
_NO_VERSION = "there is no such version"


class Command(BaseCommand):
    help = (
        "Keeps a procedure in files, a folder with one Markdown file for each language: checks"
        " them, imports them as a draft or at once as the version that is published, and exports"
        " a version exactly as it was imported. Exit codes: 0 done, 1 refused, 2 misused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="export|check|import")
        export = verbs.add_parser("export", help="write a version's texts into a folder")
        export.add_argument("procedure", help="its slug")
        export.add_argument("folder", help="is made where it does not exist")
        export.add_argument("--number", type=int, help="of a version (default: the newest)")
        check = verbs.add_parser("check", help="say what is wrong with the files, and where")
        bring = verbs.add_parser("import", help="keep the files as the next version")
        for verb in (check, bring):
            verb.add_argument("folder", help="with files such as en.md, or one such file")
        bring.add_argument("--by", help="the e-mail address of the author")
        bring.add_argument(
            "--publish",
            action="store_true",
            help="publish it at once, as it was reviewed elsewhere",
        )
        for verb in (export, check, bring):
            verb.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_args: object, **options: Any) -> None:
        self.json = options["json"]
        getattr(self, f"_{options['verb']}")(options)

    def _export(self, options: dict[str, Any]) -> None:
        found = ProcedureVersion.objects.filter(procedure__slug=options["procedure"])
        if options["number"] is not None:
            found = found.filter(number=options["number"])
        version = found.select_related("procedure").order_by("number").last()
        if version is None:
            self._refuse(options["procedure"], {"": (CourseError(0, _NO_VERSION),)})
        folder = Path(options["folder"])
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for language, text in version.texts.items():
                (folder / f"{language}.md").write_bytes(text.encode())
        except OSError as error:
            self._refuse(str(folder), {"": (CourseError(0, str(error.strerror)),)})
        told = {
            "procedure": version.procedure.slug,
            "version": version.number,
            "state": version.state,
            "files": [str(folder / f"{language}.md") for language in version.texts],
        }
        self._say(told, f"{version} is in {folder}.")

    def _check(self, options: dict[str, Any]) -> None:
        self._read(options["folder"])
        self._say({"ok": True, "errors": []}, f"{options['folder']} is a procedure.")

    def _import(self, options: dict[str, Any]) -> None:
        by = self._person(options["by"])
        texts = self._read(options["folder"])
        now = timezone.now()
        try:
            with transaction.atomic():
                version = versions.write(texts=texts, by=by, now=now)
                if options["publish"] and (version := version or _unpublished(texts)):
                    version = versions.publish(version_id=version.pk, by=None, now=now)
        except Refused as refusal:
            self._refuse(options["folder"], {"": (CourseError(0, str(refusal)),)})
        if version is None:
            self._say({"ok": True, "imported": False}, "Nothing differs from the newest version.")
            return
        told = {
            "ok": True,
            "imported": True,
            "procedure": version.procedure.slug,
            "version": version.number,
            "state": version.state,
        }
        self._say(told, f"{version} is here ({version.get_state_display()}).")

    def _read(self, place: str) -> dict[str, str]:
        texts = {}
        faults: dict[str, tuple[CourseError, ...]] = {}
        for path in self._files(Path(place)):
            try:
                texts[path.stem] = path.read_bytes().decode()
            except UnicodeDecodeError as error:
                line = error.object[: error.start].count(b"\n") + 1
                faults[path.stem] = (CourseError(line, "this is not UTF-8"),)
            except OSError as error:
                faults[path.stem] = (CourseError(0, str(error.strerror)),)
        if faults:
            self._refuse(place, faults)
        try:
            read_version(texts)
        except VersionErrors as errors:
            self._refuse(place, errors.errors)
        return texts

    def _files(self, place: Path) -> list[Path]:
        if place.is_dir():
            return sorted(place.glob("*.md"))
        if not place.exists():
            self._refuse(str(place), {"": (CourseError(0, "there is no such file or folder"),)})
        return [place]

    def _refuse(self, place: str, errors: Mapping[str, tuple[CourseError, ...]]) -> NoReturn:
        if self.json:
            found = [
                {"language": language, "line": error.line or None, "message": error.message}
                for language, each in errors.items()
                for error in each
            ]
            self._tell({"ok": False, "errors": found})
            sys.exit(REFUSED)
        told = [
            f"{place}: {language}.md: {error}" if language else f"{place}: {error}"
            for language, each in errors.items()
            for error in each
        ]
        raise CommandError("\n".join(told), returncode=REFUSED)

    def _person(self, email: str | None) -> User | None:
        if email is None:
            return None
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            message = "nobody with this address works here"
            self._refuse(email, {"": (CourseError(0, message),)})
        return user

    def _say(self, told: dict[str, Any], text: str) -> None:
        if self.json:
            self._tell(told)
        else:
            self.stdout.write(text)

    def _tell(self, told: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))


def _unpublished(texts: Mapping[str, str]) -> ProcedureVersion | None:
    """The newest version that says just this, where it is not published yet."""
    unpublished = ProcedureVersion.objects.exclude(state=VersionState.PUBLISHED)
    return unpublished.filter(texts=dict(texts)).first()
