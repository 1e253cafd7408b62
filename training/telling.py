"""What people are told of what they are asked to learn, and what is taken back when it is done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from notifications import noticeboard
from notifications.noticeboard import Notice
from notifications.values import Value, by_language, moment
from training.models import Completion, Enrollment, ProcedureVersion

REVIEW, STALE = "staff_procedure_review", "staff_procedure_stale"
_ASKED, _REMINDER, _OVERDUE = (
    "staff_training_due",
    "staff_training_reminder",
    "staff_training_overdue",
)


def title_of(version: ProcedureVersion) -> Value:
    """A version's title, told in each reader's language."""
    return _said(version, "title", version.title)


def change_of(version: ProcedureVersion) -> Value:
    """What changed in a version, told in each reader's language."""
    return _said(version, "change", version.change_note)


def _said(version: ProcedureVersion, what: str, otherwise: str) -> Value:
    texts = {language: words[what] for language, words in version.words.items()}
    return by_language(texts, otherwise=otherwise)


def asked(
    *, enrollments: Sequence[Enrollment], passed: Mapping[int, Completion], now: datetime
) -> None:
    """Tell people what they are asked to complete, and what has changed in it.

    Whoever ``passed`` an older version is led to what differs from that.
    """
    noticeboard.notify(
        notices=[
            _notice(
                each,
                _ASKED,
                key=f"enrollment:{each.pk}",
                change=change_of(each.version),
                url=_where(each.version, passed.get(each.user_id)),
                now=now,
            )
            for each in enrollments
        ],
        now=now,
    )


def reminded(*, enrollments: Iterable[tuple[Enrollment, datetime]], now: datetime) -> None:
    """Remind people of what they have not completed; each with the moment the reminder is owed at."""
    noticeboard.notify(
        notices=[
            _notice(
                each,
                _REMINDER,
                key=f"enrollment:{each.pk}:reminder:{int(owed.timestamp())}",
                now=now,
            )
            for each, owed in enrollments
        ],
        now=now,
    )


def overdue(*, people: Mapping[tuple[int, ProcedureVersion], Sequence[str]], now: datetime) -> None:
    """Tell leads, by their ids, the names of their people who are long overdue with a version."""
    noticeboard.notify(
        notices=[
            Notice(
                dedupe_key=f"overdue:{version.pk}:{lead}:{int(now.timestamp())}",
                readers=(lead,),
                kind=_OVERDUE,
                about="",
                variables={
                    "procedure": title_of(version),
                    "number": str(version.number),
                    "people": list(names),
                    "url": f"{settings.HELPDESK_BASE_URL}/training/people/"
                    f"?procedure={version.procedure.slug}&standing=overdue",
                },
            )
            for (lead, version), names in people.items()
        ],
        now=now,
    )


def reviewed(*, version: ProcedureVersion, now: datetime) -> None:
    """A version is no longer in review; and where it was published, nobody has to look at an older
    one again. Letters that say so and have not gone out, are withdrawn."""
    versions = version.procedure.versions.filter(number__lte=version.number)
    older = versions.exclude(pk=version.pk) if version.is_published else versions.none()
    for kind, ids in (
        (REVIEW, [version.pk]),
        (STALE, list(older.values_list("pk", flat=True))),
    ):
        noticeboard.withdraw(
            about=[about_version(pk) for pk in ids],
            kinds=[kind],
            keys_starting=["procedure:"],
            now=now,
        )


def about_version(pk: int) -> str:
    """What letters about a version of a procedure are about."""
    return f"procedure:{pk}"


def ended(*, enrollments: QuerySet[Enrollment], how: str, now: datetime) -> None:
    """End enrolments that are open; letters about them that have not gone out are withdrawn."""
    ids = list(enrollments.filter(ended_at=None).values_list("pk", flat=True))
    if not ids:
        return
    Enrollment.objects.filter(pk__among=ids, ended_at=None).update(ended_at=now, end=how)
    _take_back(ids, now=now)


def _take_back(ids: Collection[int], *, now: datetime) -> None:
    noticeboard.withdraw(
        about=[_about(pk) for pk in ids],
        kinds=[_ASKED, _REMINDER],
        keys_starting=["enrollment:"],
        now=now,
    )


def _where(version: ProcedureVersion, passed: Completion | None) -> str:
    page = f"{settings.HELPDESK_BASE_URL}{version.procedure.get_absolute_url()}"
    if passed is None or passed.version.number >= version.number:
        return page
    return f"{page}changes/?since={passed.version.number}"


def _about(pk: int) -> str:
    return f"enrollment:{pk}"


def _notice(each: Enrollment, kind: str, *, key: str, now: datetime, **said: Value) -> Notice:
    version = each.version
    return Notice(
        dedupe_key=key,
        readers=(each.user_id,),
        kind=kind,
        about=_about(each.pk),
        variables={
            "procedure": title_of(version),
            "number": str(version.number),
            "due": moment(each.due_at or now),
            "url": _where(version, None),
            **said,
        },
    )
