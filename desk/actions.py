"""Something that can be done on the ticket page: a form, the station it calls, and the word for having done it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.forms import Form
from django.http import QueryDict
from django.utils.functional import Promise as LazyText

from staff.models import User
from tickets.gathering import Gathered
from tickets.models import Ticket

Data = Mapping[str, Any]
MakeForm = Callable[[QueryDict | None, Ticket, Gathered], Form]
#: Takes the id of what it is done to, what the form says, when, and who does it.
Station = Callable[[int, Data, datetime, User], object]


@dataclass(frozen=True, slots=True)
class Action:
    """``make`` gives the form, empty or with what was sent.

    With a ``label`` its form is shown when it is asked for; without, it stands in the page.
    """

    make: MakeForm
    do: Station
    done: LazyText
    label: LazyText | str = ""
    icon: str = ""
    #: Whether it is what one comes for, and the single key that opens it.
    primary: bool = False
    key: str = ""


def plain(form: type[Form]) -> MakeForm:
    """A form that is the same whatever the ticket is like."""
    return lambda sent, _ticket, _gathered: form(sent)
