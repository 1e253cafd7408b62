"""The pages of training that have a tab, as ``desk/settingstabs.py`` has those of the settings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from desk.settingstabs import Page, everybody

#: In the order of the tabs. Whoever adds a page adds its line; its template extends
#: ``training/base.html``.
PAGES = (
    Page("desk:training", _("Your training"), "school", everybody),
    Page("desk:procedures", _("Procedures"), "files", lambda user: user.is_lead),
    Page("desk:training-people", _("People"), "users", lambda user: user.is_lead),
)
