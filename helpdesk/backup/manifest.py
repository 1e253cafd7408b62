"""What an archive says of itself, and whether this installation can go on with it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from helpdesk import __version__
from helpdesk.backup.archive import FORMAT

#: What of the settings letters that are already sent depend on; none of it is secret.
TOLD = (
    "HELPDESK_BASE_URL",
    "HELPDESK_MAIL_DOMAIN",
    "HELPDESK_REPLY_LOCALPART",
    "HELPDESK_SUPPORT_ADDRESS",
    "DEFAULT_FROM_EMAIL",
)
#: Tables whose rows are counted; by the word for them.
COUNTED = {
    "tickets": "tickets_ticket",
    "messages": "tickets_message",
    "attachments": "tickets_attachment",
    "mails_in": "tickets_inboundemail",
    "contacts": "tickets_contact",
    "escalations": "escalation_escalation",
    "promises": "escalation_promise",
    "letters": "notifications_outgoingemail",
    "webhook_messages": "notifications_webhookdelivery",
    "users": "staff_user",
}


class Unfit(Exception):
    """The archive is whole, and this installation cannot go on with it."""


def migrations() -> list[list[str]]:
    """What has been applied to the database, as ``[app, name]``."""
    return [list(key) for key in sorted(MigrationRecorder(connection).applied_migrations())]


def counts() -> dict[str, int]:
    """How many rows the main tables have."""
    found = {}
    with connection.cursor() as cursor:
        for word, table in COUNTED.items():
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  # a constant of ours
            found[word] = int(cursor.fetchone()[0])
    return found


def keys() -> dict[str, Any]:
    """Fingerprints by which it is known whether another installation has the same keys."""
    salt = secrets.token_hex(8)
    return {"salt": salt, **_fingerprints(salt)}


def told_settings() -> dict[str, str]:
    return {name: str(getattr(settings, name)) for name in TOLD}


def check(manifest: Mapping[str, Any], *, server: int) -> None:
    """Raises ``Unfit`` for what another, newer release has written, or a newer PostgreSQL."""
    release = str(manifest.get("release", ""))
    if manifest["format"] > FORMAT or _number(release) > _number(__version__):
        raise Unfit(
            f"It was made by release {release}, and this is {__version__}: a newer one is needed."
        )
    unknown = sorted({tuple(each) for each in manifest["migrations"]} - _known())
    if unknown:
        names = ", ".join(".".join(each) for each in unknown[:3])
        raise Unfit(
            f"It was made by a newer release: {len(unknown)} of its migrations are not known here"
            f" ({names})."
        )
    if manifest["postgresql"] > server:
        raise Unfit(
            f"It comes from PostgreSQL {manifest['postgresql']}, and this server is {server}."
        )


def warnings(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What of this installation differs so that letters already sent are no longer understood."""
    theirs = manifest["keys"]
    ours = _fingerprints(theirs["salt"])
    if theirs["SECRET_KEY"] != ours["SECRET_KEY"]:
        yield "SECRET_KEY is another: links to set a password anew are no longer good."
    lacking = theirs["HELPDESK_MAIL_KEYS"].items() - ours["HELPDESK_MAIL_KEYS"].items()
    if lacking:
        yield (
            f"The key {', '.join(sorted(name for name, _key in lacking))} of HELPDESK_MAIL_KEYS is"
            " not the one letters were signed with: answers to them are not found, and their links"
            " do not open. Without HELPDESK_MAIL_KEYS it follows from SECRET_KEY."
        )
    here = told_settings()
    for name, there in manifest["settings"].items():
        if here.get(name) != there:
            yield f"{name} was {there!r}, and is {here.get(name)!r} here."


def _fingerprints(salt: str) -> dict[str, Any]:
    return {
        "SECRET_KEY": _fingerprint(settings.SECRET_KEY, salt),
        "HELPDESK_MAIL_KEYS": {
            name: _fingerprint(secret, salt) for name, secret in settings.HELPDESK_MAIL_KEYS
        },
    }


def _fingerprint(secret: str, salt: str) -> str:
    # Short, so that it proves no guess of a key.
    return hmac.new(secret.encode(), f"helpdesk backup {salt}".encode(), sha256).hexdigest()[:8]


def _known() -> set[tuple[str, str]]:
    loader = MigrationLoader(None)
    replaced = {key for each in loader.disk_migrations.values() for key in each.replaces}
    return {*loader.disk_migrations, *replaced}


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".") if part.isdecimal())
