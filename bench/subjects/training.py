"""Training over HTTP, for who sees everybody: how a million answers turned out, and a thousand people's
completions of twenty versions.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction
from django.db.models import Model
from django.urls import reverse

from bench import figures
from bench.desk import Desk
from bench.figures import Figure
from bench.serving import cookie_of
from bench.subjects.pages import statements_of
from staff.models import Role, User
from training import defaults, versions
from training.course import ESCALATION, Course
from training.drawing import Drawn, draw
from training.models import Answer, Attempt, Completion, ProcedureVersion

PEOPLE, VERSIONS, ATTEMPTS, ASKED = 1000, 20, 5, 10
#: Attempts are drawn so many times a version; they are many more than there are questions.
DRAWS = 50
#: What is copied, in the order of the lines.
COLUMNS: dict[type[Model], tuple[str, ...]] = {
    Attempt: (
        *("id", "user_id", "version_id", "number", "scope", "drawn", "pass_mark"),
        *("started_at", "finished_at", "right", "passed"),
    ),
    Answer: ("attempt_id", "version_id", "question", "step", "given", "right", "at"),
    Completion: ("user_id", "version_id", "attempt_id", "score", "at"),
}


def measure(desk: Desk) -> Iterator[Figure]:
    people = PEOPLE // 50 if desk.quick else PEOPLE
    answers = load(people=people, now=desk.as_of)
    manager = User.objects.filter(role=Role.MANAGER).earliest("pk")
    asked = desk.server.client(cookie_of(manager.email))
    page = reverse("desk:questions", args=[ESCALATION])
    for name, size, path in (
        ("questions, one version", answers, page),
        ("questions, all versions", answers, f"{page}?version=all"),
        ("people and versions", people, reverse("desk:training-people")),
    ):
        took = figures.milliseconds(lambda path=path: asked.get(path), runs=desk.runs(20))  # type: ignore[misc]
        yield figures.of(name, size, took, "ms", sql=statements_of(manager, path))
    asked.close()


def load(*, people: int, now: datetime) -> int:
    """People, versions, attempts, answers and completions, by bulk copy; returns how many answers."""
    random = Random(1)
    learners = User.objects.bulk_create(
        User(email=f"learner{each}@bench.test", name=f"Learner {each}", role=Role.AGENT)
        for each in range(people)
    )
    published = list(_published(now=now))
    attempt = 1 + max(Attempt.objects.values_list("pk", flat=True), default=0)
    attempts, answers, completions = io.StringIO(), io.StringIO(), io.StringIO()
    count = 0
    for version in published:
        course = version.course("en")
        draws = [draw(course=course, scope=(), random=random) for _each in range(DRAWS)]
        for user in learners:
            for number in range(1, ATTEMPTS + 1):
                drawn = random.choice(draws)
                given = [_given(course, each, random) for each in drawn]
                right = sum(is_right for _question, _step, _places, is_right in given)
                passed = right * 100 >= course.front.pass_mark * len(drawn)
                at = now - timedelta(minutes=random.randrange(1, 100_000))
                attempts.write(
                    f"{attempt}\t{user.pk}\t{version.pk}\t{number}\t{{}}\t{json.dumps(drawn)}\t"
                    f"{course.front.pass_mark}\t{at}\t{at}\t{right}\t{passed}\n"
                )
                for question, step, places, is_right in given:
                    answers.write(
                        f"{attempt}\t{version.pk}\t{question}\t{step}\t"
                        f"{{{','.join(map(str, places))}}}\t{is_right}\t{at}\n"
                    )
                if passed:
                    score = right * 100 // len(drawn)
                    completions.write(f"{user.pk}\t{version.pk}\t{attempt}\t{score}\t{at}\n")
                attempt += 1
                count += len(drawn)
    with transaction.atomic(), connection.cursor() as cursor:
        # What is written agrees; a check of each row's keys would take longer than the rows.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for model, lines in ((Attempt, attempts), (Answer, answers), (Completion, completions)):
            columns = ", ".join(f'"{each}"' for each in COLUMNS[model])
            lines.seek(0)
            cursor.copy_expert(
                f"COPY {model._meta.db_table} ({columns}) FROM STDIN", lines, 1 << 20
            )
        cursor.execute(
            f"ALTER TABLE {Attempt._meta.db_table} ALTER COLUMN id RESTART WITH {attempt}"
        )
    with connection.cursor() as cursor:
        tables = (User, Attempt, Answer, Completion)
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(each._meta.db_table for each in tables)}")
    return count


def _published(*, now: datetime) -> Iterator[ProcedureVersion]:
    """So many versions of the procedure, a day after each other."""
    standing = ProcedureVersion.objects.filter(procedure__slug=ESCALATION).count()
    for each in range(standing + 1, standing + 1 + VERSIONS):
        at = now - timedelta(days=VERSIONS + 1 - each)
        texts = {
            language: text.replace("\ndraw: 8\n", f"\ndraw: {ASKED}\n").replace(
                "\nchange: ", f"\nchange: {each}. ", 1
            )
            for language, text in defaults.shipped_texts(now=at).items()
        }
        version = versions.write(texts=texts, by=None, now=at)
        assert version is not None, "each says something else"
        yield versions.publish(version_id=version.pk, by=None, now=at)


def _given(course: Course, drawn: Drawn, random: Random) -> tuple[str, str, Sequence[int], bool]:
    """An answer to a question: most are right."""
    question = course.question_by_key[drawn["question"]]
    places = list(question.right)
    if random.random() < 0.25:
        random.shuffle(places)
        places[0] = random.randrange(len(question.options))
        places = list(dict.fromkeys(places))
    return question.key, question.step, places, question.is_right(tuple(places))
