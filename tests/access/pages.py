"""Every page there is to be seen, as those who see it get it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from desk.selfcheck import keeping
from tests.access.addresses import OURS
from tests.access.answers import PEOPLE, Address
from tests.access.libraries import ACCOUNTS, ADMIN_SITE, CONFIGURED
from tests.access.rooms import Rooms, ask, undone
from tests.pages.acting import HTMX, paused_by_a_restore
from tickets.models import Ticket

SELF_CHECK = "/settings/selfcheck/"

#: Who reads what the addresses show, the first of them who may.
READERS = ("agent", "admin", "contact", "visitor")


#: They are walked once a process; what was answered does not change any more.
_walked: dict[bool, list[tuple[str, Any]]] = {}


def every_page(rooms: Rooms, *, of_admin: bool = False) -> list[tuple[str, Any]]:
    """The pages and fragments of the project with their addresses, answers of any status."""
    if False not in _walked:
        _walked[False] = [*_shown(rooms, {**OURS, **ACCOUNTS}), *_posted(rooms), *_states(rooms)]
    if of_admin and True not in _walked:
        _walked[True] = [*_shown(rooms, ADMIN_SITE), *_configured(rooms)]
    return [*_walked[False], *(_walked[True] if of_admin else ())]


def _shown(rooms: Rooms, addresses: Mapping[str, Address]) -> Iterator[tuple[str, Any]]:
    for address in addresses.values():
        for room, line in address.get.items():
            said = dict(zip(PEOPLE, line.split(), strict=True))
            for person in [each for each in READERS if said[each] in ("200", "404")][:2]:
                for path in address.paths:
                    place = getattr(rooms, room).at(path)
                    yield f"{place} by {person}", ask(rooms.people[person], "get", place)


def _posted(rooms: Rooms) -> Iterator[tuple[str, Any]]:
    """What comes back of forms that were sent empty: with htmx, and the first of its kind without."""
    for address in OURS.values():
        said = dict(zip(PEOPLE, address.post.get("own", "").split(), strict=False))
        person = next((each for each in READERS if said.get(each) in ("did", "422", "200")), "")
        if not person:
            continue
        for path in address.paths:
            place = rooms.own.at(path)
            for headers in ({}, HTMX) if path == address.path else (HTMX,):
                with undone():
                    answer = ask(rooms.people[person], "post", place, headers=headers)
                if answer.status_code != 302:
                    yield f"{place} posted by {person} {headers}", answer


def _configured(rooms: Rooms) -> Iterator[tuple[str, Any]]:
    for each in CONFIGURED:
        start = f"/admin/{each.replace('_', '/')}/"
        for path in (start, f"{start}add/"):
            yield path, ask(rooms.people["admin"], "get", path)


def _states(rooms: Rooms) -> Iterator[tuple[str, Any]]:
    """What pages look like with something chosen, for whom it is, whole and as htmx asks for it."""
    for person, path in (
        ("agent", "/desk/?view=all_open"),
        ("agent", f"/mail/{rooms.own.letter}/"),
        ("priya", f"/offers/?offer={rooms.own.escalation}"),
        ("priya", f"/tickets/{rooms.own.ticket}/"),
        ("grace", "/escalations/"),
        ("grace", f"/escalations/{rooms.own.escalation}/"),
        ("grace", f"/tickets/{rooms.own.ticket}/escalations/{rooms.own.escalation}/accept-for/"),
        ("grace", f"/tickets/{rooms.own.ticket}/new-time/?next=/escalations/"),
        ("priya", f"/tickets/{rooms.own.ticket}/escalations/{rooms.own.escalation}/decline/"),
        ("grace", f"/tickets/{rooms.own.ticket}/"),
        ("agent", "/desk/?view=mine&priority=9&team=x"),
        ("agent", "/mail/?state=never"),
    ):
        for headers in ({}, {**HTMX, "HX-Target": "letter"}):
            yield (
                f"{path} by {person} {headers}",
                ask(rooms.people[person], "get", path, headers=headers),
            )
    with undone():
        made = ask(
            rooms.people["agent"],
            "post",
            "/settings/tokens/",
            name="Export",
            scopes=["tickets:read"],
            lasts="30",
        )
    yield "a token that was just made", made
    with undone():
        # A ticket is said to wait for the engine.
        now = timezone.now()
        Ticket.objects.filter(pk=rooms.own_ticket.pk).update(review_at=now - timedelta(hours=1))
        keeping.ask(now=now, by=rooms.house.marco)
        yield "a self-check that was asked for", ask(rooms.people["lead"], "get", SELF_CHECK)
        keeping.make_due(clock=lambda: now)
        yield "a self-check that was made", ask(rooms.people["lead"], "get", SELF_CHECK)
    with undone():
        paused_by_a_restore(now=timezone.now())
        for path in ("/desk/", "/mail/pause/", f"/mail/{rooms.own.letter}/"):
            yield f"{path} after a restore", ask(rooms.people["lead"], "get", path)


def is_page(answer: Any) -> bool:
    return not answer.streaming and answer.headers.get("Content-Type", "").startswith("text/html")
