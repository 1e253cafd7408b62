"""What an address answers to whom: the words of ``addresses.py``.

A column per person, in the order of ``PEOPLE``: a visitor, a dismissed colleague who is still
signed in, a customer signed in at the portal, an agent, an agent of another private team, a lead,
a manager and an admin. ``in`` leads to the sign-in page, ``portal`` to the customers', ``admin``
to the configuration's; ``on`` leads anywhere else; ``did`` is a form's answer: on, or the page
with what is wrong (422).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from desk.actions import Action

PEOPLE = ("visitor", "disabled", "contact", "agent", "outsider", "lead", "manager", "admin")

ALL = "200 200 200 200 200 200 200 200"
NONE = "404 404 404 404 404 404 404 404"
NOT_SO = "405 405 405 405 405 405 405 405"
WRONG = "422 422 422 422 422 422 422 422"
#: For who works here.
STAFF = "in in in 200 200 200 200 200"
#: The same, of a private team's ticket: leads of other teams see it no more than agents do.
PRIVATE = "in in in 404 404 404 200 200"
NOWHERE = "in in in 404 404 404 404 404"
DOES = "in in in did did did did did"
DOES_PRIVATE = "in in in 404 404 404 did did"
#: Dana, of what is hers, and of what is not.
CUSTOMER = "portal portal 200 portal portal portal portal portal"
CUSTOMER_DOES = "portal portal did portal portal portal portal portal"
NOT_THEIRS = "portal portal 404 portal portal portal portal portal"
ADMIN = "admin admin admin admin admin admin admin 200"
ADMIN_404 = "admin admin admin admin admin admin admin 404"
ADMIN_405 = "admin admin admin admin admin admin admin 405"
ADMIN_403 = "admin admin admin admin admin admin admin 403"


#: For who answers for others' work.
LEADS = "in in in 403 403 200 200 200"
LEADS_PRIVATE = "in in in 403 403 404 200 200"
LEADS_NOWHERE = "in in in 403 403 404 404 404"
LEADS_DO = "in in in 403 403 did did did"
LEADS_DO_PRIVATE = "in in in 403 403 404 did did"


@dataclass(frozen=True)
class Address:
    """An address with places for what a room has; ``get`` and ``post`` by room."""

    path: str
    get: Mapping[str, str] = field(default_factory=dict)
    post: Mapping[str, str] = field(default_factory=dict)
    #: Further addresses of the same pattern that answer alike.
    also: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, *self.also)


def once(answer: str) -> dict[str, str]:
    return {"own": answer}


def rooms(own: str, private: str, nowhere: str) -> dict[str, str]:
    return {"own": own, "private": private, "nowhere": nowhere}


def page(path: str, *also: str, get: str = STAFF, post: str = NOT_SO) -> Address:
    return Address(path, once(get), once(post), also)


def of_ticket(path: str, *also: str, post: bool = False) -> Address:
    """What shows something of a ticket."""
    return Address(
        path,
        rooms(STAFF, PRIVATE, NOWHERE),
        rooms(DOES, DOES_PRIVATE, NOWHERE) if post else once(NOT_SO),
        also,
    )


def does(path: str, *also: str) -> Address:
    """What changes something of a ticket."""
    return Address(path, once(NOT_SO), rooms(DOES, DOES_PRIVATE, NOWHERE), also)


def acts(path: str, actions: Mapping[str, Action]) -> Address:
    """What is done to a ticket, and its form; of the rest the forms stand in the ticket's page."""
    first, *rest = (path.replace("{action}", name) for name in actions if actions[name].label)
    return of_ticket(first, *rest, post=True)


def at_once(path: str, actions: Mapping[str, Action]) -> Address:
    first, *rest = (path.replace("{action}", name) for name in actions if not actions[name].label)
    return Address(
        first,
        rooms("in in in 405 405 405 405 405", "in in in 404 404 404 405 405", NOWHERE),
        rooms(DOES, DOES_PRIVATE, NOWHERE),
        tuple(rest),
    )


def of_webhook(path: str, *also: str, post: bool = False) -> Address:
    """What shows something of a webhook."""
    return Address(
        path,
        rooms(LEADS, LEADS_PRIVATE, LEADS_NOWHERE),
        rooms(LEADS_DO, LEADS_DO_PRIVATE, LEADS_NOWHERE) if post else once(NOT_SO),
        also,
    )


def does_with_webhook(path: str, *also: str) -> Address:
    """What changes something of a webhook."""
    return Address(path, once(NOT_SO), rooms(LEADS_DO, LEADS_DO_PRIVATE, LEADS_NOWHERE), also)


def of_procedure(own: str) -> dict[str, str]:
    """What leads do with procedures, of which no team has one of its own."""
    return {"own": own, "nowhere": LEADS_NOWHERE}
