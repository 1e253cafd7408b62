"""A procedure grows stale: its owner is reminded before it is to be looked at again, and on the day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from notifications import noticeboard
from notifications.noticeboard import Notice
from notifications.values import moment
from staff.models import User
from training import telling
from training.models import Procedure, ProcedureVersion

#: How long before its day a version's owner is reminded for the first time.
BEFOREHAND = timedelta(days=14)


def is_stale(version: ProcedureVersion, *, today: date) -> bool:
    """Whether the day has come by which the version is to be looked at again."""
    return version.review_by <= today


def stale_version(procedure: Procedure, *, today: date) -> ProcedureVersion | None:
    """The version of a procedure that is to be looked at again, which can be its newest published
    one alone."""
    newest = procedure.versions.newest().defer("texts").first()
    return newest if newest is not None and is_stale(newest, today=today) else None


def today(now: datetime) -> date:
    """The day in the installation's zone, in which days of procedures are meant."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def remind_of_stale(*, now: datetime) -> None:
    """Tell the owner of each procedure that is to be looked at soon, or by now; leads where none is.

    The newest published version counts. It is told once for each of the two days, so that this may
    be called at any time and again.
    """
    day = today(now)
    versions = list(
        ProcedureVersion.objects.newest().select_related("procedure__owner").defer("texts")
    )
    due = [each for each in versions if each.review_by <= day + BEFOREHAND]
    if not due:
        return
    leads = tuple(User.objects.leading().order_by("pk").values_list("pk", flat=True))
    noticeboard.notify(notices=[_notice(each, leads, day) for each in due], now=now)


def _notice(version: ProcedureVersion, leads: Collection[int], day: date) -> Notice:
    owner = version.procedure.owner
    when = "reached" if is_stale(version, today=day) else "soon"
    due = datetime.combine(version.review_by, time(), ZoneInfo(settings.TIME_ZONE))
    return Notice(
        dedupe_key=f"procedure:{version.pk}:stale:{when}",
        readers=(owner.pk,) if owner is not None and owner.is_active else tuple(leads),
        kind=telling.STALE,
        about=telling.about_version(version.pk),
        variables={
            "procedure": telling.title_of(version),
            "number": str(version.number),
            "due": moment(due),
            "url": f"{settings.HELPDESK_BASE_URL}{version.page}",
        },
    )
