"""Search over HTTP: a word that stands in a hundred tickets, and one in a fifth of them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count
from django.urls import reverse

from bench import figures
from bench.desk import Desk
from bench.figures import Figure
from bench.serving import cookie_of
from bench.subjects.pages import statements_of
from helpdesk.scale import words
from staff.models import User
from tickets.models import Message


def measure(desk: Desk) -> Iterator[Figure]:
    user = User.objects.filter(role="manager").earliest("pk")
    asked = desk.server.client(cookie_of(user.email))
    for name, query in (
        ("search, 100 hits", words.RARE),
        ("search, a fifth of all", words.COMMON),
        ("search, a fifth of all, open ones", f"{words.COMMON} status:open"),
    ):
        path = f"{reverse('desk:search')}?q={query.replace(' ', '+')}"
        took = figures.milliseconds(lambda path=path: asked.get(path), runs=desk.runs(40))  # type: ignore[misc]
        yield figures.of(name, desk.size, took, "ms", sql=statements_of(user, path))
    asked.close()


def hits(word: str) -> int:
    """In how many tickets a planted word stands."""
    found = Message.objects.filter(text__endswith=f" {word}").aggregate(
        tickets=Count("ticket", distinct=True)
    )
    return int(found["tickets"])
