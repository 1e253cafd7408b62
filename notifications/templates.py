"""Which text of a mail is in force, and the default texts that come with the program."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction

from notifications.catalog import CATALOG, UnknownTemplate, mail_kind
from notifications.models import MailTemplate
from notifications.phrases import FALLBACK, PHRASES, spoken
from notifications.wording import named_in

if TYPE_CHECKING:
    from staff.models import User

MAILTEXT = Path(__file__).parent / "mailtext"
_MARK = "Subject: "


class TemplateFault(ValueError):
    """A text that cannot be used: it names what its kind of mail does not know, or is empty."""


class Texts:
    """The texts in force for some kinds of mail, read at once and asked for by language."""

    def __init__(self, found: Mapping[tuple[str, str], MailTemplate]) -> None:
        self._found = found

    def get(self, *, key: str, language: str) -> MailTemplate | None:
        """The text in this language, else in the fallback language, else None."""
        return self._found.get((key, spoken(language))) or self._found.get((key, FALLBACK))


def in_force(*, keys: Collection[str], languages: Collection[str], now: datetime) -> Texts:
    """Read the texts in force; loads the default texts first where one was never loaded.

    One query, or a few more the first time. Raises ``UnknownTemplate`` for a key that is in
    nobody's catalog.
    """
    for key in keys:
        mail_kind(key)
    texts = _read(keys, languages)
    if any(texts.get(key=key, language=FALLBACK) is None for key in keys):
        load_defaults(now=now)
        texts = _read(keys, languages)
    return texts


@transaction.atomic
def load_defaults(*, now: datetime) -> int:
    """Bring the default texts in; tells how many versions were added.

    A text is added where there is none, and as a new version where the text in force is an older
    default. A text that somebody here wrote stays in force.
    """
    installed = {
        (template.key, template.language): template for template in MailTemplate.objects.in_force()
    }
    fresh = []
    for language in PHRASES:
        for key in CATALOG:
            subject, text = shipped_text(key=key, language=language)
            current = installed.get((key, language))
            if current and (
                not current.shipped or (current.subject, current.text) == (subject, text)
            ):
                continue
            fresh.append(
                MailTemplate(
                    key=key,
                    language=language,
                    version=current.version + 1 if current else 1,
                    subject=subject,
                    text=text,
                    shipped=True,
                    created_at=now,
                )
            )
    # Two processes may load at once; either's rows are as good.
    MailTemplate.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


@cache
def shipped_text(*, key: str, language: str) -> tuple[str, str]:
    """Give (subject, text) of a default text. Raises ``UnknownTemplate`` if there is none."""
    path = MAILTEXT / language / f"{mail_kind(key).key}.txt"
    try:
        head, _newline, text = path.read_text(encoding="utf-8").partition("\n")
    except FileNotFoundError:
        raise UnknownTemplate(f"There is no default text for {key} in {language}.") from None
    return head.removeprefix(_MARK).strip(), text.strip()


def check_template(*, key: str, subject: str, text: str) -> None:
    """Refuse a text before it is saved; raises ``TemplateFault`` saying what is wrong."""
    known = mail_kind(key).variables
    if not subject.strip() or not text.strip():
        raise TemplateFault("A mail needs a subject and a text.")
    if "\n" in subject.strip():
        raise TemplateFault("A subject is one line.")
    unknown = sorted((named_in(subject) | named_in(text)) - known)
    if unknown:
        raise TemplateFault(
            f"Not a variable of this mail: {', '.join(unknown)}. It knows {', '.join(sorted(known))}."
        )


@transaction.atomic
def write_version(
    *, of: MailTemplate, subject: str, text: str, by: User | None, now: datetime
) -> MailTemplate | None:
    """Put another text in force as the next version; None where it is in force already.

    Raises ``TemplateFault``.
    """
    check_template(key=of.key, subject=subject, text=text)
    versions = MailTemplate.objects.filter(key=of.key, language=of.language)
    # Two who write at once take turns, so that neither meets the other's number. A default text
    # that an update brings meanwhile takes no turn, and gives way.
    versions.select_for_update(no_key=True).get(version=1)
    newest = versions.latest("version")
    if (newest.subject, newest.text) == (subject.strip(), text.strip()):
        return None
    return MailTemplate.objects.create(
        key=of.key,
        language=of.language,
        version=newest.version + 1,
        subject=subject.strip(),
        text=text.strip(),
        created_at=now,
        created_by=by,
    )


def _read(keys: Collection[str], languages: Collection[str]) -> Texts:
    wanted = {spoken(language) for language in languages} | {FALLBACK}
    rows = MailTemplate.objects.filter(key__in=set(keys), language__in=wanted).in_force()
    return Texts({(row.key, row.language): row for row in rows})
