"""What the pages of the configuration (Django's admin) have in common.

Who may configure is a matter of the role alone, so that nobody needs to hand out permissions row
by row; and what is history can be read and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import Field, Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminTextareaWidget

from staff.models import User

if TYPE_CHECKING:
    from django.utils.safestring import SafeString


def configures(request: HttpRequest) -> bool:
    """Whether whoever asks is an admin."""
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_staff


class _ForAdmins:
    """Whatever an admin asks for is allowed."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return configures(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return configures(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return configures(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return configures(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return configures(request)


class _ReadOnly:
    """Nobody adds, changes or deletes these rows here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _Fields:
    """How some fields of ours are asked for."""

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        if db_field.name == "zone":
            return forms.ChoiceField(
                label=capfirst(db_field.verbose_name),
                choices=_zones(),
                initial=db_field.default,
                widget=UnfoldAdminSelect2Widget(),
            )
        found: forms.Field | None = super().formfield_for_dbfield(  # type: ignore[misc]  # a mixin
            db_field, request, **kwargs
        )
        return found


class Configuration(_Fields, _ForAdmins, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Rows that admins edit."""

    warn_unsaved_form = True
    list_per_page = 50
    #: Fields by which other rows name this one, so that they stay what they were made as.
    fixed_fields: Sequence[str] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        fixed = () if obj is None else self.fixed_fields
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> dict[str, Sequence[str]]:
        return {"slug": ("name",)} if obj is None and "slug" in self.fixed_fields else {}


class ConfigurationInline(_Fields, _ForAdmins, TabularInline):  # type: ignore[misc]
    """Rows that admins edit on the page of what they belong to."""

    extra = 0


class History(_ReadOnly, Configuration):
    """Rows that tell what was: to be read."""

    warn_unsaved_form = False
    actions: Sequence[Any] = ()


class HistoryInline(_ReadOnly, ConfigurationInline):
    """Rows that tell what was, on the page of what they belong to."""


class CodeArea(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """A large text field for what is written line by line."""

    def __init__(self, *, rows: int = 24, wide: bool = True) -> None:
        super().__init__(
            {
                "rows": rows,
                "style": "font-family: ui-monospace, monospace; line-height: 1.5",
                "spellcheck": "false",
                "wrap": "off" if wide else "soft",
            }
        )


def verbatim(text: str) -> SafeString:
    """Show a text as it is, line by line."""
    return format_html(
        '<pre class="overflow-x-auto text-xs" style="white-space: pre-wrap">{}</pre>',
        text,
    )


@cache
def _zones() -> tuple[tuple[str, str], ...]:
    return tuple((name, name.replace("_", " ")) for name in sorted(available_timezones()))
