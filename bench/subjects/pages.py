"""The pages agents and leads live on, over HTTP; statements are counted beside, in one process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db.models import Count
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench import figures
from bench.desk import Desk, statements
from bench.figures import Figure
from bench.serving import cookie_of
from desk.triage import counts
from staff.models import User
from tickets.listing import read_filters
from tickets.models import Ticket
from tickets.models.ticket import ENDED


def measure(desk: Desk) -> Iterator[Figure]:
    agent, receiver, lead = desk.agent(), desk.receiver(), desk.lead()
    triage = reverse("desk:triage")
    yield _page(desk, "triage page", agent, triage)
    yield _page(desk, "triage list of 50", agent, triage, {"HX-Request": "true"})
    yield figures.of(
        "view counts",
        desk.size,
        figures.milliseconds(
            lambda: counts(user=agent, filters=read_filters({})), runs=desk.runs(40)
        ),
        "ms",
        sql=statements(lambda: counts(user=agent, filters=read_filters({}))),
    )
    long = (
        Ticket.objects.exclude(status__in=ENDED)
        .annotate(said=Count("messages"))
        .filter(said__gte=30)
        .latest("pk")
    )
    yield _page(desk, "ticket with 30 messages", agent, long.get_absolute_url())
    yield _page(desk, "offers", receiver, reverse("desk:offers"))
    yield _page(desk, "lead's list", lead, reverse("desk:escalations"))


def _page(
    desk: Desk, name: str, user: User, path: str, headers: Mapping[str, str] | None = None
) -> Figure:
    asked = desk.server.client({**cookie_of(user.email), **(headers or {})})
    took = figures.milliseconds(lambda: asked.get(path), runs=desk.runs(60), warm=6)
    asked.close()
    return figures.of(
        name,
        desk.size,
        took,
        "ms",
        sql=statements_of(user, path, headers),
        memory=desk.server.look(),
    )


def statements_of(user: User, path: str, headers: Mapping[str, str] | None = None) -> int:
    """What a page asks of the database, by somebody who is signed in."""
    client = Client(SERVER_NAME="127.0.0.1", headers=dict(headers or {}))
    client.force_login(user)

    def look() -> None:
        response = client.get(path)
        assert response.status_code == 200, (path, response.status_code, timezone.now())

    return statements(look)
