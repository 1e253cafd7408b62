"""Brightquay's procedure: three versions of it, and who has completed which.

The first is the one every installation comes with. What differs in the others is Brightquay's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from staff.models import Role, User
from training import attempting, versions
from training.course import ESCALATION, Question
from training.defaults import shipped_texts
from training.drafting import dated
from training.models import (
    Enrollment,
    Procedure,
    ProcedureVersion,
    Requirement,
    VersionState,
)

OWNER: Final = "grace"
#: Days before now on which the versions were published.
SECOND, THIRD = timedelta(days=300), timedelta(days=30)
DUE: Final = timedelta(days=21)

#: What was written in place of what, by language: of the second version, and of the third.
TO_SECOND: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "en": (
        (
            "change: First version.",
            "change: Brightquay's own mistakes to avoid, and where refunds are decided.",
        ),
        (
            '- **Saying "soon".**',
            (
                "- **Refunding by yourself.** Money goes back only after somebody of Integrations has seen the"
                '\n  charge; a second refund cannot be called back.\n- **Saying "soon".**'
            ),
        ),
    ),
    "de": (
        (
            "change: Erste Fassung.",
            "change: Brightquays eigene Fehler, und wo über Erstattungen entschieden wird.",
        ),
        (
            "- **„Bald“ sagen.**",
            (
                "- **Selbst erstatten.** Geld geht erst zurück, wenn jemand von Integrations die Zahlung gesehen"
                "\n  hat; eine zweite Erstattung lässt sich nicht zurückholen.\n- **„Bald“ sagen.**"
            ),
        ),
    ),
}
TO_THIRD: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "en": (
        (
            "change: Brightquay's own mistakes to avoid, and where refunds are decided.",
            "change: Key IDs may be asked for, secrets never; Gold customers are called as well.",
        ),
        ("changed: []", "changed: [gather, notify]"),
        (
            "Never ask for passwords or keys.",
            (
                "A key's ID, such as `key_4f2a91`, may be asked for; its secret never, and if one was sent,"
                "\ntell the customer to replace it."
            ),
        ),
        (
            "Say what you need from the customer, or that you need nothing.",
            (
                "A Gold customer whose P1 is escalated is called as well; the mail repeats what was said.\n\n"
                "Say what you need from the customer, or that you need nothing."
            ),
        ),
    ),
    "de": (
        (
            "change: Brightquays eigene Fehler, und wo über Erstattungen entschieden wird.",
            (
                "change: Nach Schlüssel-IDs darf gefragt werden, nach Geheimnissen nie; Gold-Kunden werden auch"
                " angerufen."
            ),
        ),
        ("changed: []", "changed: [gather, notify]"),
        (
            "Frag nie nach Passwörtern oder\nSchlüsseln.",
            (
                "Nach der ID eines Schlüssels,\nwie `key_4f2a91`, darf gefragt werden, nach seinem Geheimnis nie;"
                " wurde eines geschickt, so sag dem\nKunden, dass er es ersetzen soll."
            ),
        ),
        (
            "Sag, was du vom Kunden brauchst, oder dass du nichts brauchst.",
            (
                "Ein Gold-Kunde, dessen P1 eskaliert wird, wird auch angerufen; die Mail wiederholt, was gesagt"
                " wurde.\n\nSag, was du vom Kunden brauchst, oder dass du nichts brauchst."
            ),
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Learner:
    """Days before now on which somebody passed the second version and the third; None: not yet.

    ``failed`` is a day on which they failed the third.
    """

    second: int | None
    third: int | None
    failed: int | None = None
    due: timedelta = DUE


#: Anna is asked about the changed steps, Dev is late, Ben failed once, Mei is away.
LEARNERS: Final[Mapping[str, Learner]] = {
    "anna": Learner(290, None, due=timedelta(days=36)),
    "ben": Learner(288, 20, failed=21),
    "carla": Learner(285, 26),
    "dev": Learner(None, None, due=timedelta(days=25)),
    "priya": Learner(291, 28),
    "mei": Learner(280, None, due=timedelta(days=45)),
    "tomasz": Learner(279, 24),
    "jonas": Learner(283, 27),
    "marco": Learner(294, 29),
    "grace": Learner(295, 29),
    "lena": Learner(292, 22),
}


def load(*, users: Mapping[str, User], now: datetime) -> None:
    """Publish Brightquay's versions, and have its people learn them; again changes nothing."""
    first = ProcedureVersion.objects.filter(procedure__slug=ESCALATION).order_by("number").first()
    if first is None or first.procedure.versions.count() > 1:
        return
    Procedure.objects.filter(pk=first.procedure_id).update(owner=users[OWNER])
    texts = shipped_texts(now=now)
    second = _published(texts, TO_SECOND, users=users, at=now - SECOND)
    third = _published(texts, TO_THIRD, users=users, at=now - THIRD)
    required = {
        role: Requirement.objects.create(
            procedure=first.procedure,
            role=role,
            due_days=DUE.days,
            created_at=now - SECOND,
            created_by=users["helen"],
        )
        for role in (Role.AGENT, Role.LEAD)
    }
    for key, learner in LEARNERS.items():
        _learn(users[key], learner, second, third, required[Role(users[key].role)], now=now)


def _published(
    texts: dict[str, str],
    changes: Mapping[str, tuple[tuple[str, str], ...]],
    *,
    users: Mapping[str, User],
    at: datetime,
) -> ProcedureVersion:
    """Write the changes into the texts and publish them; by Grace, and reviewed by Helen."""
    for language, pairs in changes.items():
        for before, after in pairs:
            assert before in texts[language], before
            texts[language] = texts[language].replace(before, after, 1)
    version = versions.write(
        texts={language: dated(text, at.date()) for language, text in texts.items()},
        by=users[OWNER],
        now=at,
    )
    assert version is not None, "each differs from the one before it"
    # Without the notices of a review: nobody is told today of what was read last year.
    ProcedureVersion.objects.filter(pk=version.pk).update(
        state=VersionState.REVIEW, submitted_at=at, submitted_by=users[OWNER]
    )
    return versions.publish(version_id=version.pk, by=users["helen"], now=at)


def _learn(
    user: User,
    learner: Learner,
    second: ProcedureVersion,
    third: ProcedureVersion,
    requirement: Requirement,
    *,
    now: datetime,
) -> None:
    if learner.second is not None:
        _asked(user, second, requirement, [], DUE)
        _sit(user, second, now - timedelta(days=learner.second), right=True)
    scope = [] if learner.second is None else sorted(third.changed_steps)
    _asked(user, third, requirement, scope, learner.due)
    if learner.failed is not None:
        _sit(user, third, now - timedelta(days=learner.failed), right=False)
    if learner.third is not None:
        _sit(user, third, now - timedelta(days=learner.third), right=True)


def _asked(
    user: User,
    version: ProcedureVersion,
    requirement: Requirement,
    scope: list[str],
    due: timedelta,
) -> None:
    at = version.published_at
    assert at is not None, "it has been published"
    Enrollment.objects.create(
        user=user,
        version=version,
        requirement=requirement,
        scope=scope,
        enrolled_at=at,
        due_at=at + due,
    )


def _sit(user: User, version: ProcedureVersion, at: datetime, *, right: bool) -> None:
    """An attempt, a question a minute; whoever passes may have one wrong."""
    random = Random(f"{user.email} {version.number} {right}")
    attempt = attempting.begin(version_id=version.pk, by=user, random=random, now=at)
    course = version.course(user.language)
    slip = random.randrange(attempt.asked) if attempt.asked > 5 else -1
    for minute, drawn in enumerate(attempt.drawn, start=1):
        question = course.question_by_key[drawn["question"]]
        knows = (minute - 1 != slip) if right else minute % 2 == 0
        attempting.answer(
            attempt_id=attempt.pk,
            question=question.key,
            places=[drawn["order"].index(place) for place in _given(question, knows=knows)],
            by=user,
            random=random,
            now=at + timedelta(minutes=minute),
        )


def _given(question: Question, *, knows: bool) -> tuple[int, ...]:
    if knows:
        return question.right
    wrong = [place for place in range(len(question.options)) if place not in question.right]
    return (wrong[0],) if wrong else question.right[::-1]
