"""One search from what was typed to a page of tickets; the page and the API both ask here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from desk.search.excerpts import Part, Wanted, excerpt, marked
from desk.search.operators import Asker, Meaning, understand
from desk.search.problems import sentence
from desk.search.query import Problem, Query, Term, Wrong, parse
from escalation.sight import in_sight_of
from staff.models import User
from tickets import fulltext
from tickets.fulltext import Found, Line
from tickets.models import Ticket

PAGE = 25
"""Tickets a page."""
PAGES = fulltext.NEWEST // PAGE


@dataclass(frozen=True, slots=True)
class Hit:
    """A ticket that was found, and where it says what was looked for."""

    ticket: Ticket
    subject: Sequence[Part]
    customer: Sequence[Part]
    line: Sequence[Part]
    #: Who said the line: ``customer``, ``reply`` or ``note``; empty without a message.
    line_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Results:
    """A page of what was found."""

    query: Query
    hits: Sequence[Hit] = ()
    #: How many were found; with ``more``, at least so many, of which the newest were ranked.
    count: int = 0
    more: bool = False
    page: int = 1
    #: What is wrong with the search, in words; nothing was looked for then.
    problems: Sequence[str] = ()

    @property
    def pages(self) -> int:
        return -(-self.count // PAGE)

    @property
    def next(self) -> int | None:
        return self.page + 1 if self.page < self.pages else None

    @property
    def previous(self) -> int | None:
        return self.page - 1 if self.page > 1 else None


class NotUnderstood(Exception):
    """A search that something is wrong with; ``problems`` say what, in words."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def ranked(*, user: User, text: str, now: datetime, zone: tzinfo) -> list[int]:
    """The numbers of the tickets a search finds, best and latest first: of more than
    ``fulltext.NEWEST``, the newest. Raises ``NotUnderstood``; also for a search of nothing.
    """
    query, meaning = _understood(user, text, now, zone)
    if not query and not meaning.problems:
        raise NotUnderstood([sentence(Problem(Wrong.NO_WORDS))])
    if meaning.problems:
        raise NotUnderstood([sentence(problem) for problem in meaning.problems])
    try:
        with fulltext.bounded():
            ids = _newest(user, query, meaning).ids
            return fulltext.best(ids=ids, terms=query.terms, now=now, first=0, last=len(ids))
    except fulltext.TooBroad:
        raise NotUnderstood([sentence(Problem(Wrong.TOO_BROAD))]) from None


def search(*, user: User, text: str, now: datetime, zone: tzinfo, page: int = 1) -> Results:
    """Find what this person may see; best and latest first, ``PAGE`` tickets a page.

    Days in ``before:`` and ``after:`` begin in ``zone``. Whatever is typed, this answers; what
    cannot be understood is said in ``problems``. A fixed number of queries beside those of the
    operators.
    """
    query, meaning = _understood(user, text, now, zone)
    if meaning.problems or not query:
        return Results(query, problems=[sentence(problem) for problem in meaning.problems])
    try:
        with fulltext.bounded():
            found = _newest(user, query, meaning)
            page = max(1, min(page, PAGES))
            ids = fulltext.best(
                ids=found.ids,
                terms=query.terms,
                now=now,
                first=(page - 1) * PAGE,
                last=page * PAGE,
            )
            hits = _hits(ids, query.terms)
    except fulltext.TooBroad:
        return Results(query, problems=[sentence(Problem(Wrong.TOO_BROAD))])
    return Results(query, hits, len(found.ids), found.more, page)


def _understood(user: User, text: str, now: datetime, zone: tzinfo) -> tuple[Query, Meaning]:
    """A search, and what its operators come to, with everything that is wrong with either."""
    query = parse(text)
    meaning = understand(query.operators, Asker(user, now, zone))
    return query, replace(meaning, problems=(*query.problems, *meaning.problems))


def _newest(user: User, query: Query, meaning: Meaning) -> Found:
    every = user.sees_every_team and not meaning.conditions
    tickets = in_sight_of(user).filter(*meaning.conditions)
    return fulltext.newest(
        tickets=None if every else tickets, terms=query.terms, most=not meaning.conditions
    )


def jump(*, user: User, text: str) -> Ticket | None:
    """The ticket whose reference alone was typed, if this person may see it."""
    number = Ticket.number_in(text)
    if number is None:
        return None
    return in_sight_of(user).filter(pk=number).first()


def _hits(ids: Sequence[int], terms: Sequence[Term]) -> list[Hit]:
    """What the page says of these tickets: three queries."""
    if not ids:
        return []
    lexemes = fulltext.lexemes(terms)
    asked = [term for term in terms if not term.negated]
    wanted = Wanted(
        frozenset(lexeme for each in lexemes for lexeme in each),
        tuple(each[-1] for each, term in zip(lexemes, asked, strict=True) if term.beginning),
    )
    found = Ticket.objects.select_related(
        "requester", "organization", "team__tier", "assignee", "search_entry"
    )
    # The words of an entry are large.
    tickets = found.defer("search_entry__doc").in_bulk(ids)
    lines = fulltext.telling(ids=ids, lexemes=lexemes)
    nothing = Line("", "")
    return [
        Hit(
            ticket=ticket,
            subject=marked(ticket.subject, wanted),
            customer=marked(_customer(ticket), wanted),
            line=excerpt(lines.get(pk, nothing).text, wanted),
            line_by=lines.get(pk, nothing).kind,
            at=ticket.search_entry.touched_at,
        )
        for pk in ids
        if (ticket := tickets.get(pk)) is not None
    ]


def _customer(ticket: Ticket) -> str:
    names = [str(ticket.requester), ticket.organization.name if ticket.organization else ""]
    return " · ".join(name for name in names if name)
