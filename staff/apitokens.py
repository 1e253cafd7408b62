"""API tokens: made by the person a program is to act for, found by what it sends, taken back."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from staff.models import ApiToken, Scope, User

__all__ = [
    "LONGEST",
    "MOST",
    "START",
    "Scope",
    "TokenRefused",
    "find",
    "make",
    "revoke",
]

#: What every token begins with, so that whoever finds one knows what it is.
START = "hd_"
#: 256 bits: 43 characters of the URL-safe alphabet.
_BYTES = 32
#: How much of a token stays readable, to tell it from others.
_SHOWN = len(START) + 6
#: How far ahead a token may expire. A leap year's 366 days, so that "in a year" is always allowed.
LONGEST = timedelta(days=366)
#: How many live tokens a person may have.
MOST = 50
#: Uses closer together than this are one use: reading stays reading.
_USED_WITHIN = timedelta(minutes=1)


class TokenRefused(ValueError):
    """What was asked cannot be done; ``field`` names the input that is to blame."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def make(
    *, user: User, name: str, scopes: Iterable[str], expires_at: datetime, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token for a person, by themselves; the text is told here and can never be read again.

    Raises ``TokenRefused``.
    """
    name = " ".join(name.split())
    asked = set(scopes)
    if not name:
        raise TokenRefused(_("A token needs a name."), field="name")
    if len(name) > 80:
        raise TokenRefused(_("A name has at most 80 characters."), field="name")
    if not asked:
        raise TokenRefused(_("Choose what the token may do."), field="scopes")
    if not asked <= set(Scope.values):
        unknown = ", ".join(sorted(asked - set(Scope.values)))
        raise TokenRefused(_("Nobody knows “%(scopes)s”.") % {"scopes": unknown}, field="scopes")
    if expires_at <= now:
        raise TokenRefused(_("A token expires in the future."), field="expires_at")
    if expires_at > now + LONGEST:
        raise TokenRefused(_("A token expires within a year."), field="expires_at")
    # Two who make the fiftieth at once take turns; and nobody makes one who was just disabled.
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not user.is_active:
        raise TokenRefused(_("Who is disabled has no tokens."))
    if user.api_tokens.live(now).count() >= MOST:
        raise TokenRefused(
            _("You have %(number)s live tokens already: revoke one first.") % {"number": MOST}
        )
    raw = START + secrets.token_urlsafe(_BYTES)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=raw[:_SHOWN],
        digest=_digest(raw),
        scopes=[scope for scope in Scope.values if scope in asked],
        created_at=now,
        expires_at=expires_at,
    )
    return token, raw


def find(raw: str, now: datetime) -> ApiToken | None:
    """The live token that was sent, with its person; None for any other.

    One query by the hash, whatever was sent, so that the time taken tells nothing; a use is
    written down at most once a minute.
    """
    try:
        token = ApiToken.objects.select_related("user").get(digest=_digest(raw))
    except ApiToken.DoesNotExist:
        return None
    if token.revoked_at is not None or token.expires_at <= now or not token.user.is_active:
        return None
    long_ago = now - _USED_WITHIN
    if token.last_used_at is None or token.last_used_at <= long_ago:
        # Of many requests in the same moment, one writes.
        ApiToken.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=long_ago), pk=token.pk
        ).update(last_used_at=now)
        token.last_used_at = now
    return token


def revoke(*, token_id: int, now: datetime, by: User) -> bool:
    """Take a token back for good; whether it was live or expired until now.

    Raises ``ApiToken.DoesNotExist`` where it is neither the asker's own nor the asker an admin.
    """
    tokens = ApiToken.objects.all() if by.is_staff else ApiToken.objects.filter(user=by)
    token = tokens.get(pk=token_id)
    changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(
        revoked_at=now, revoked_by=by
    )
    return bool(changed)


def _digest(raw: str) -> str:
    return sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
