"""Rows that a body names: found, or the field that names them is at fault."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from desk.api.problems import invalid
from staff.models import User
from tickets import calls
from tickets.models import Contact

M = TypeVar("M", bound=Model)


def chosen(rows: QuerySet[M], field: str, **named: object) -> M:
    """The one row of ``rows`` that a field names; what one may not see is not there."""
    found = rows.filter(**named).first()
    if found is None:
        raise invalid(
            field, _("There is no such thing, or none you may see."), code="does_not_exist"
        )
    return found


def contact(user: User, contact_id: int, field: str) -> Contact:
    return chosen(calls.contacts_for(user), field, pk=contact_id)
