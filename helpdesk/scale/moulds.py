"""Moulds: what one life left in the tables, with holes for everything that differs from cast to cast.

A mould's lines of COPY become one template for each table. Its holes are filled from one list of
values: ids, moments, who the customer is, what was said, and what is signed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from helpdesk.scale.customers import Customer
from helpdesk.scale.rehearsal import Record, Rehearsed, Table
from helpdesk.scale.words import Text
from notifications import identity

#: Rows of the stand-ins, and of what only passes by.
NOT_CAST = frozenset(
    {
        "tickets_contact",
        "tickets_organization",
        "tickets_organizationdomain",
        "notifications_webhookdelivery",
        "notifications_webhookattempt",
    }
)
#: What staff were told of tickets that are over is long read and gone.
ONLY_OF_OPEN = frozenset({"notifications_notification"})

_ID = r"(?<![0-9])9[1-9][0-9]00000[0-9]{4}(?![0-9])"
_SLOT = r"qz[a-z]+[0-9]*qz"
_MOMENT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
)
_ID_IN = re.compile(_ID)
_SAID = re.compile(r"([acs])([0-9]+)")

#: The values between the moments and what is said, in their order.
FIXED = (
    "contact", "organization-id", "first", "last", "mailbox", "domain", "organization", "customer",
    "subject", "uid", "status", "reply",
)  # fmt: skip


@dataclass(slots=True)
class Mould:
    """One life, ready to be cast."""

    life: Rehearsed
    templates: list[tuple[str, str, Callable[[Sequence[str]], tuple[str, ...]]]]
    """By table: a template, and what picks the values for its holes."""
    ids: list[tuple[str, int]]
    """How many rows of which table, in the order of the values."""
    moments: list[tuple[datetime, bool]]
    """When, and whether it stands in JSON."""
    said: list[tuple[str, int, bool]]
    """Who says it, which of the texts, and whether it stands in JSON."""
    letters: int
    messages: list[int]
    """Which of the texts each message is, in their order."""
    last_said_at: datetime

    def cast(
        self,
        *,
        first_ids: Mapping[str, int],
        shift: timedelta,
        customer: Customer,
        subject: str,
        texts: Mapping[int, Text],
    ) -> Iterator[tuple[str, str]]:
        """Lines of COPY by table, for a ticket with these ids, moved by ``shift``."""
        values: list[str] = []
        for table, count in self.ids:
            first = first_ids[table]
            values += map(str, range(first, first + count))
        number = first_ids["tickets_ticket"]
        for at, in_json in self.moments:
            moved = at + shift
            values.append(moved.isoformat() if in_json else str(moved))
        values += [
            str(customer.contact_id),
            str(customer.organization_id),
            customer.first,
            customer.last,
            customer.mailbox,
            customer.domain,
            customer.organization,
            customer.customer_id,
            subject,
            f"{number:07x}",
            identity.status_token(number),
            identity.reply_address(ticket_number=number, contact_id=customer.contact_id),
        ]
        for _speaker, place, in_json in self.said:
            text = texts[place]
            values.append(text.in_json if in_json else text.plain)
        about = f"ticket:{number}"
        values += [
            identity.message_id(about=about, seed=f"scale:{number}:{letter}")
            for letter in range(self.letters)
        ]
        for table, template, pick in self.templates:
            yield table, template % pick(values)


def make(record: Record) -> list[Mould]:
    """The moulds of a rehearsal."""
    rows = _by_life(record)
    return [
        _Maker(life, rows[life.ticket_id]).mould()
        for life in record.lives
        if life.ticket_id in rows
    ]


def _by_life(record: Record) -> dict[int, list[tuple[Table, str]]]:
    """Whose rows they are: those that name a ticket, or another row of one."""
    owner = {life.ticket_id: life.ticket_id for life in record.lives}
    rows: dict[int, list[tuple[Table, str]]] = defaultdict(list)
    waiting = [
        (table, line, [int(found) for found in _ID_IN.findall(line)])
        for table in record.tables
        if table.name not in NOT_CAST
        for line in table.lines
    ]
    while waiting:
        unknown = []
        for table, line, ids in waiting:
            whose = next((owner[each] for each in ids if each in owner), None)
            if whose is None:
                unknown.append((table, line, ids))
                continue
            own = int(line.split("\t")[table.columns.index("id")])
            owner[own] = whose
            rows[whose].append((table, line))
        if len(unknown) == len(waiting):
            break
        waiting = unknown
    place = {table.name: number for number, table in enumerate(record.tables)}
    for found in rows.values():
        found.sort(key=lambda row: (place[row[0].name], _id_of(row)))
    return rows


def _id_of(row: tuple[Table, str]) -> int:
    table, line = row
    return int(line.split("\t")[table.columns.index("id")])


@dataclass(slots=True)
class _Maker:
    life: Rehearsed
    rows: list[tuple[Table, str]]
    _moments: dict[tuple[datetime, bool], int] = field(default_factory=dict)
    _said: dict[tuple[str, int, bool], int] = field(default_factory=dict)
    _holes: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))

    def mould(self) -> Mould:
        if self.life.sort in ("over", "resolved"):
            self.rows = [row for row in self.rows if row[0].name not in ONLY_OF_OPEN]
        ids: dict[str, list[int]] = defaultdict(list)
        for row in self.rows:
            ids[row[0].name].append(_id_of(row))
        places = {
            each: place for place, each in enumerate(each for of in ids.values() for each in of)
        }
        ticket, contact = self.life.ticket_id, self.life.contact_id
        letters = self._letters()
        signed = {
            identity.status_token(ticket): ("fixed", FIXED.index("status")),
            identity.reply_address(ticket_number=ticket, contact_id=contact): (
                "fixed",
                FIXED.index("reply"),
            ),
            **{letter: ("letter", place) for place, letter in enumerate(letters)},
        }
        known = {
            contact: ("fixed", FIXED.index("contact")),
            self.life.organization_id: ("fixed", FIXED.index("organization-id")),
        }
        find = re.compile(
            "|".join([*map(re.escape, sorted(signed, key=len, reverse=True)), _SLOT, _ID, _MOMENT])
        )

        def hole(found: str, in_json: bool) -> tuple[str, int]:
            if found in signed:
                return signed[found]
            if found.startswith("qz"):
                return self._slot(found[2:-2], in_json)
            if "-" in found:
                at = datetime.fromisoformat(found).astimezone(UTC)
                return "moment", self._moments.setdefault(
                    (at, found[10] == "T"), len(self._moments)
                )
            number = int(found)
            return known[number] if number in known else ("id", places[number])

        shapes: dict[str, list[str]] = defaultdict(list)
        for table, line in self.rows:
            cells = []
            for place, cell in enumerate(line.split("\t")):

                def take(match: re.Match[str], in_json: bool = place in table.json) -> str:
                    self._holes[table.name].append(hole(match[0], in_json))  # noqa: B023
                    return "\0"

                cells.append(find.sub(take, cell).replace("%", "%%").replace("\0", "%s"))
            shapes[table.name].append("\t".join(cells))
        starts = self._starts(len(places))
        return Mould(
            life=self.life,
            templates=[
                (name, "\n".join(lines) + "\n", self._pick(name, starts))
                for name, lines in shapes.items()
            ],
            ids=[(name, len(of)) for name, of in ids.items()],
            moments=list(self._moments),
            said=list(self._said),
            letters=len(letters),
            messages=self._messages(),
            last_said_at=self._last_said_at(),
        )

    def _slot(self, name: str, in_json: bool) -> tuple[str, int]:
        if said := _SAID.fullmatch(name):
            key = (said[1], int(said[2]), in_json)
            return "said", self._said.setdefault(key, len(self._said))
        name = name.rstrip("0123456789")
        return "fixed", FIXED.index(name)

    def _messages(self) -> list[int]:
        texts = []
        for text in self._column("tickets_message", "text"):
            said = _SAID.search(text)
            assert said is not None, "everything that is said has a slot"
            texts.append(int(said[2]))
        return texts

    def _last_said_at(self) -> datetime:
        said = self._column("tickets_message", "created_at")
        return max(datetime.fromisoformat(at).astimezone(UTC) for at in said)

    def _column(self, table: str, column: str) -> list[str]:
        return [
            line.split("\t")[of.columns.index(column)] for of, line in self.rows if of.name == table
        ]

    def _letters(self) -> list[str]:
        """The Message-IDs of its letters."""
        return self._column("notifications_outgoingemail", "message_id")

    def _starts(self, ids: int) -> dict[str, int]:
        """Where the values of each kind begin."""
        fixed = ids + len(self._moments)
        said = fixed + len(FIXED)
        return {
            "id": 0, "moment": ids, "fixed": fixed, "said": said, "letter": said + len(self._said),
        }  # fmt: skip

    def _pick(
        self, table: str, starts: Mapping[str, int]
    ) -> Callable[[Sequence[str]], tuple[str, ...]]:
        return itemgetter(*(starts[kind] + place for kind, place in self._holes[table]))
