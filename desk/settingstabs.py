"""Pages that have an address of their own, and a tab on the others: those under ``/settings/``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from staff.models import User


def everybody(_user: User) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the settings, named by its view; ``opens`` says for whom."""

    view: str
    label: LazyText
    icon: str
    opens: Callable[[User], bool] = everybody


@dataclass(frozen=True, slots=True)
class Tab:
    url: str
    label: LazyText
    icon: str
    here: bool


#: In the order of the tabs. Whoever adds a page adds its line; its template extends
#: ``desk/settings.html``.
PAGES = (
    Page("desk:settings", _("You"), "user"),
    Page("desk:tokens", _("API tokens"), "key"),
    Page("notifications:webhooks", _("Webhooks"), "webhook", lambda user: user.is_lead),
    Page("desk:selfcheck", _("Self-check"), "shield-check", lambda user: user.is_lead),
)


def tabs(user: User, path: str, pages: Sequence[Page] = PAGES) -> Iterator[Tab]:
    """The pages open to this person; the one they are at is that whose address begins ``path``."""
    open_to = [(reverse(page.view), page) for page in pages if page.opens(user)]
    # The first page's address begins all others'.
    here = max((url for url, _page in open_to if path.startswith(url)), key=len, default="")
    for url, page in open_to:
        yield Tab(url, page.label, page.icon, here=url == here)
