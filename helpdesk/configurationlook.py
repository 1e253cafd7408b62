"""How the pages behind ``/admin/`` look, and what stands in their sidebar."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _place(title: object, icon: str, model: str) -> dict[str, object]:
    """A row of the configuration's sidebar: the list of one kind of thing."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
    }


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Configuration"),
    "SITE_HEADER": _("Configuration"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "tune",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("desk/icon.svg")}
    ],
    "SHOW_LANGUAGES": False,
    # Nobody's row has a page of its own on the desk.
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    # The desk's one accent.
    "COLORS": {
        "primary": {
            "50": "#f1f3fe",
            "100": "#e9edfd",
            "200": "#cfd8fb",
            "300": "#9db0ff",
            "400": "#7d92f5",
            "500": "#5870e4",
            "600": "#3f57d6",
            "700": "#3a52d0",
            "800": "#2c3f9f",
            "900": "#222a4a",
            "950": "#171d33",
        },
    },
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {
                        "title": _("Back to the desk"),
                        "icon": "arrow_back",
                        "link": "/",
                        "active": lambda _request: False,
                    }
                ]
            },
            {
                "title": _("People and hours"),
                "items": [
                    _place(_("Users"), "person", "staff_user"),
                    _place(_("Teams"), "groups", "staff_team"),
                    _place(_("Tiers"), "stairs", "staff_tier"),
                    _place(_("Skills"), "school", "staff_skill"),
                    _place(_("API tokens"), "key", "staff_apitoken"),
                    _place(_("Absences"), "event_busy", "staff_absence"),
                    _place(_("Calendars"), "calendar_month", "staff_calendar"),
                ],
            },
            {
                "title": _("Customers"),
                "items": [
                    _place(_("Organizations"), "apartment", "tickets_organization"),
                    _place(_("Contacts"), "contacts", "tickets_contact"),
                    _place(_("Plans"), "workspace_premium", "tickets_plan"),
                    _place(_("Categories"), "category", "tickets_category"),
                ],
            },
            {
                "title": _("Escalation"),
                "items": [
                    _place(_("Policies"), "rule", "escalation_policy"),
                    _place(_("Policy versions"), "history", "escalation_policyversion"),
                ],
            },
            {
                "title": _("Mail"),
                "items": [
                    _place(_("Mail texts"), "edit_note", "notifications_mailtemplate"),
                    _place(_("Inbound e-mails"), "inbox", "tickets_inboundemail"),
                ],
            },
        ],
    },
}
