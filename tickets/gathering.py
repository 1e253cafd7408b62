"""Gathering: which details a ticket's category asks for, which are there, and where from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from notifications.plaintext import clean, one_line
from staff import editions
from staff.editions import Edition
from staff.models import User
from staff.patterns import PatternError, compiled
from tickets import locking, timeline
from tickets.errors import Refused
from tickets.models import Detail, Message, RequiredDetail, Ticket
from tickets.models.ticket import MessageKind

MESSAGES_SEARCHED = 20
"""Of a customer's newest messages, so many are searched when a ticket's category changes."""

LONGEST_VALUE = 1000
LONGEST_SENTENCE = 300


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a ticket's category requires, what is known, and what the customer was asked for."""

    required: tuple[RequiredDetail, ...] = ()
    #: By key, required or not; each has a value.
    present: Mapping[str, Detail] = field(default_factory=dict)
    #: By key, what the customer was asked for and has not given yet.
    awaited: Mapping[str, Detail] = field(default_factory=dict)

    @property
    def asked(self) -> frozenset[str]:
        """The keys of what the customer was asked for and has not given yet."""
        return frozenset(self.awaited)

    @property
    def missing(self) -> tuple[RequiredDetail, ...]:
        return tuple(detail for detail in self.required if detail.key not in self.present)

    @property
    def percent(self) -> int:
        """The completeness: present of the required details, rounded down; 100 for none."""
        if not self.required:
            return 100
        return 100 * (len(self.required) - len(self.missing)) // len(self.required)


def gathered(ticket: Ticket) -> Gathered:
    """What is gathered for one ticket, in two queries."""
    return gathered_many([ticket], edition=editions.current())[ticket.pk]


def required_details(edition: Edition) -> Mapping[int, Sequence[RequiredDetail]]:
    """What each category asks for, by its id, in the order it is asked for."""
    return edition.keep("required details", _read_required)


def _read_required() -> dict[int, list[RequiredDetail]]:
    required: dict[int, list[RequiredDetail]] = defaultdict(list)
    for each in RequiredDetail.objects.order_by("category_id", "position", "key"):
        required[each.category_id].append(each)
    return dict(required)


def gathered_many(tickets: Sequence[Ticket], *, edition: Edition) -> dict[int, Gathered]:
    """What is gathered for tickets, by ticket id, in one query."""
    required = required_details(edition)
    present: dict[int, dict[str, Detail]] = defaultdict(dict)
    awaited: dict[int, dict[str, Detail]] = defaultdict(dict)
    for detail in Detail.objects.filter(
        ticket__pk__among=[ticket.pk for ticket in tickets]
    ).order_by("pk"):
        if detail.value:
            present[detail.ticket_id][detail.key] = detail
        elif detail.asked_at is not None:
            awaited[detail.ticket_id][detail.key] = detail
    return {
        ticket.pk: Gathered(
            required=tuple(required.get(ticket.category_id or 0, ())),
            present=present[ticket.pk],
            awaited=awaited[ticket.pk],
        )
        for ticket in tickets
    }


@transaction.atomic
def set_detail(*, ticket_id: int, key: str, value: str, now: datetime, by: User) -> Detail:
    """Keep a detail that a person knows; it takes the place of what was found.

    Raises ``Refused`` naming the field.
    """
    ticket = locking.lock(ticket_id)
    value = one_line(value, limit=LONGEST_VALUE)
    if not value:
        raise Refused(_("Write the detail."), field="value")
    detail, _made = Detail.objects.update_or_create(
        ticket=ticket,
        key=key,
        defaults={"value": value, "user": by, "message": None, "sentence": ""},
        create_defaults={"value": value, "user": by, "created_at": now},
    )
    timeline.record(ticket=ticket, kind="detail_set", now=now, by=by, data={"key": key})
    return detail


def give(
    *, ticket: Ticket, message: Message, values: Mapping[str, str], now: datetime
) -> list[str]:
    """Keep on a locked ticket the details a customer filled in, with the message they came by.

    Blank ones are passed over. Returns the keys that were given.
    """
    given = {key: one_line(value, limit=LONGEST_VALUE) for key, value in values.items()}
    given = {key: value for key, value in given.items() if value}
    for key, value in given.items():
        kept = {"value": value, "message": message, "user": None, "sentence": ""}
        Detail.objects.update_or_create(
            ticket=ticket, key=key, defaults=kept, create_defaults={**kept, "created_at": now}
        )
    if given:
        timeline.record(
            ticket=ticket,
            kind="details_given",
            now=now,
            contact=message.contact,
            data={"keys": sorted(given)},
        )
    return sorted(given)


def mark_asked(*, ticket: Ticket, keys: Collection[str], now: datetime, by: User) -> None:
    """Note on a locked ticket that its customer was asked for details which are missing."""
    for key in keys:
        Detail.objects.get_or_create(
            ticket=ticket, key=key, defaults={"asked_at": now, "created_at": now}
        )
    Detail.objects.filter(ticket=ticket, key__in=keys, value="").update(asked_at=now)
    timeline.record(
        ticket=ticket, kind="details_asked", now=now, by=by, data={"keys": sorted(keys)}
    )


def unask(*, ticket: Ticket, asked_at: datetime) -> None:
    """The letter that asked at this moment was called back: on a locked ticket, nobody asked."""
    Detail.objects.filter(ticket=ticket, value="", asked_at=asked_at).delete()


def find_in(
    *, ticket: Ticket, messages: Iterable[Message], now: datetime, edition: Edition | None = None
) -> list[str]:
    """Find what is missing in what the customer wrote, by the category's patterns.

    The first message that has a detail gives it, and the sentence it stands in goes along.
    What a person set or another message gave stays. Returns the keys that were found; the
    ticket is locked by the caller.
    """
    edition = edition or editions.current()
    texts = [(message, clean(f"{ticket.subject}\n{message.text}")) for message in messages]
    said: dict[str, tuple[Message, str, str]] = {}
    for required in required_details(edition).get(ticket.category_id or 0, ()):
        for message, text in texts if required.pattern else ():
            match = _search(required.pattern, text)
            if match is not None:
                said[required.key] = (message, *match)
                break
    if not said:
        return []
    found: list[str] = []
    for required in gathered_many([ticket], edition=edition)[ticket.pk].missing:
        if required.key not in said:
            continue
        message, value, sentence = said[required.key]
        Detail.objects.update_or_create(
            ticket=ticket,
            key=required.key,
            defaults={"value": value, "sentence": sentence, "message": message, "user": None},
            create_defaults={
                "value": value,
                "sentence": sentence,
                "message": message,
                "created_at": now,
            },
        )
        found.append(required.key)
    if found:
        timeline.record(ticket=ticket, kind="details_found", now=now, data={"keys": sorted(found)})
    return found


def find_again(*, ticket: Ticket, now: datetime) -> list[str]:
    """As ``find_in``, in the customer's newest messages: the category has changed."""
    newest = (
        Message.objects.filter(
            ticket=ticket, kind=MessageKind.CUSTOMER, unverified=False, automatic=False
        )
        .select_related(None)
        .order_by("-created_at", "-pk")[:MESSAGES_SEARCHED]
    )
    return find_in(ticket=ticket, messages=reversed(newest), now=now)


def _search(pattern: str, text: str) -> tuple[str, str] | None:
    """The value a pattern finds, and the line it stands in."""
    try:
        finder = compiled(pattern)
    except PatternError:
        # The admin refuses such a pattern; one that came another way finds nothing.
        return None
    match = finder.search(text)
    if match is None:
        return None
    group = 1 if finder.groups else 0
    if match.start(group) < 0:
        group = 0
    value = one_line(match.group(group) or "", limit=LONGEST_VALUE)
    if not value:
        return None
    start = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    return value, one_line(text[start : end if end >= 0 else None], limit=LONGEST_SENTENCE)
