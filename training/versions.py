"""How a procedure changes: a draft is written, reviewed and published, and then never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from notifications import noticeboard
from notifications.noticeboard import Notice
from staff.models import Role, User
from staff.refusal import Refused
from training import enrolling, lessonvideos, telling
from training.agreement import main_language, read_version
from training.holding import hold, hold_procedure
from training.models import Procedure, ProcedureVersion, VersionState


@dataclass(frozen=True, slots=True)
class Seen:
    """What an author had before them: the newest version of a procedure, by its number and last
    change. All of it is None before a procedure's first version."""

    procedure: str | None = None
    number: int | None = None
    changed_at: datetime | None = None

    @classmethod
    def of(cls, version: ProcedureVersion) -> Seen:
        return cls(version.procedure.slug, version.number, version.changed_at)


class ChangedMeanwhile(Refused):
    """Somebody wrote meanwhile; ``standing`` is what stands there now."""

    def __init__(self, standing: ProcedureVersion) -> None:
        super().__init__(_("%(version)s was changed meanwhile.") % {"version": standing})
        self.standing = standing


@transaction.atomic
def write(
    *, texts: Mapping[str, str], by: User | None, now: datetime, seen: Seen | None = None
) -> ProcedureVersion | None:
    """Keep these texts as the procedure's draft; None where its newest version says the same.

    The procedure is the one that the texts name; whoever writes its first version owns it. A draft
    that stands there is written over, except by an author who has ``seen`` another: raises ``ChangedMeanwhile``.
    Raises ``VersionErrors`` where the texts are no version, and ``Refused`` while one is in review.
    """
    courses = read_version(texts, procedure=seen.procedure if seen else None)
    course = courses[main_language(courses)]
    procedure, is_new = Procedure.objects.get_or_create(
        slug=course.front.procedure, defaults={"owner": by, "created_at": now}
    )
    if seen is not None and seen.procedure is None and not is_new:
        raise Refused(_("There is a procedure “%(slug)s” already.") % {"slug": procedure})
    # Two who write at once take turns, so that neither meets the other's number.
    hold_procedure(procedure.pk)
    newest = procedure.versions.order_by("-number").first()
    if newest is not None and newest.texts == dict(texts):
        return None
    if newest is not None and seen not in {None, Seen.of(newest)}:
        raise ChangedMeanwhile(newest)
    if newest is not None and newest.state == VersionState.REVIEW:
        raise Refused(_("%(version)s is in review: give it back first.") % {"version": newest})
    if newest is None or newest.is_published:
        version = ProcedureVersion(
            procedure=procedure,
            number=newest.number + 1 if newest else 1,
            created_at=now,
            created_by=by,
        )
    else:
        version = newest
    version.texts = dict(texts)
    version.title = course.front.title
    version.change_note = course.front.change
    version.words = {
        language: {"title": each.front.title, "change": each.front.change}
        for language, each in courses.items()
    }
    version.changed_steps = list(course.front.changed)
    version.effective_on = course.front.effective
    version.review_by = course.front.review_by
    version.valid_days = course.front.valid_days
    version.changed_at = now
    version.save()
    lessonvideos.forget(version=version, but=texts)
    return version


@transaction.atomic
def submit(
    *, version_id: int, by: User, now: datetime, read: datetime | None = None
) -> ProcedureVersion:
    """Ask for a review of a draft; the other leads hear of it.

    ``read`` is when the text that ``by`` read was last changed: raises ``ChangedMeanwhile`` where
    another stands there by now.
    """
    version = hold(version_id)
    if version.state != VersionState.DRAFT:
        raise Refused(_("%(version)s is no draft.") % {"version": version})
    _as_read(version, read)
    _readable(version)
    version.state = VersionState.REVIEW
    version.submitted_at, version.submitted_by = now, by
    version.returned_note = ""
    version.save()
    leads = User.objects.leading().exclude(pk=by.pk)
    noticeboard.notify(
        notices=[
            Notice(
                dedupe_key=f"procedure:{version.pk}:review:{int(now.timestamp())}",
                readers=tuple(leads.values_list("pk", flat=True)),
                kind=telling.REVIEW,
                about=telling.about_version(version.pk),
                variables={
                    "procedure": telling.title_of(version),
                    "number": str(version.number),
                    "author": by.name,
                    "change": telling.change_of(version),
                    "url": f"{settings.HELPDESK_BASE_URL}{version.page}",
                },
            )
        ],
        now=now,
    )
    return version


@transaction.atomic
def give_back(*, version_id: int, note: str, by: User, now: datetime) -> ProcedureVersion:
    """Make a version in review a draft again, with the reason; who submitted it may do so, too."""
    version = hold(version_id)
    if version.state != VersionState.REVIEW:
        raise Refused(_("%(version)s is not in review.") % {"version": version})
    if not note.strip() and by != version.submitted_by:
        raise Refused(_("Say why it is given back."), field="note")
    version.state = VersionState.DRAFT
    version.returned_note = note.strip()
    version.changed_at = now
    version.save()
    telling.reviewed(version=version, now=now)
    return version


@transaction.atomic
def publish(
    *, version_id: int, by: User | None, now: datetime, read: datetime | None = None
) -> ProcedureVersion:
    """Publish a version that is in review; whoever must know it is enrolled at once.

    Somebody else than who submitted it does so, or an admin; ``by`` None is the installation itself.
    It is in force from the day it names, which begins in the installation's zone, or from now on.
    ``read`` is as in ``submit``.
    """
    version = hold(version_id)
    if version.is_published:
        raise Refused(_("%(version)s was published already.") % {"version": version})
    if by is not None:
        if version.state != VersionState.REVIEW and by.role != Role.ADMIN:
            raise Refused(_("%(version)s has not been reviewed yet.") % {"version": version})
        if version.submitted_by == by and by.role != Role.ADMIN:
            raise Refused(_("Somebody else reads it before it is published."))
    _as_read(version, read)
    _readable(version)
    zone = ZoneInfo(settings.TIME_ZONE)
    version.state = VersionState.PUBLISHED
    version.published_at, version.published_by = now, by
    version.effective_at = max(
        now, datetime.combine(version.effective_on, time(), zone).astimezone(now.tzinfo)
    )
    version.save()
    telling.reviewed(version=version, now=now)
    enrolling.enrol(procedure=version.procedure, now=now)
    return version


@transaction.atomic
def discard(*, version_id: int, by: User, now: datetime) -> None:
    """Throw a draft away, and with its only version a procedure; what was published stays for ever."""
    version = hold(version_id)
    if version.state != VersionState.DRAFT:
        raise Refused(_("%(version)s is no draft.") % {"version": version})
    lessonvideos.forget(version=version)
    version.delete()
    if not version.procedure.versions.exists():
        version.procedure.delete()


@transaction.atomic
def hand_over(*, procedure_id: int, to: int, by: User) -> Procedure:
    """Give a procedure another owner, who answers for others' work; its owner does so, or a manager."""
    procedure = hold_procedure(procedure_id)
    if not may_hand_over(procedure=procedure, by=by):
        raise Refused(_("Its owner or a manager names another owner."), field="owner")
    owner = User.objects.leading().filter(pk=to).first()
    if owner is None:
        raise Refused(_("Choose a lead, a manager or an admin."), field="owner")
    procedure.owner = owner
    procedure.save(update_fields=("owner",))
    return procedure


def may_hand_over(*, procedure: Procedure, by: User) -> bool:
    return by.role in {Role.MANAGER, Role.ADMIN} or procedure.owner_id == by.pk


def _as_read(version: ProcedureVersion, read: datetime | None) -> None:
    if read is not None and version.changed_at != read:
        raise ChangedMeanwhile(version)


def _readable(version: ProcedureVersion) -> None:
    """Raise ``VersionErrors`` where the texts are no version any more."""
    read_version(version.texts, procedure=version.procedure.slug)
