from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def every_zone() -> tuple[str, ...]:
    """The names of the IANA time zone database, in their order."""
    return tuple(sorted(_known()))


def validate_zone(value: str) -> None:
    """Accept only names of the IANA time zone database, such as ``Europe/Berlin``."""
    if value not in _known():
        raise ValidationError(_("“%(zone)s” is not a time zone."), params={"zone": value})
