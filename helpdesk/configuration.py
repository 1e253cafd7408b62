"""The site behind ``/admin/``: our own apps' configuration, behind our own sign-in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

#: The apps whose rows are configured here. What the libraries would add (groups, which roles
#: replace; second factors, whose secrets nobody needs to see) is left out.
OURS = frozenset({"staff", "notifications", "tickets", "escalation"})


class ConfigurationSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold is untyped
    index_title = _("Configuration")

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: Any = None,
        **options: Any,
    ) -> None:
        models = (
            [model_or_iterable]
            if isinstance(model_or_iterable, ModelBase)
            else (list(model_or_iterable))
        )
        super().register(
            [model for model in models if model._meta.app_label in OURS], admin_class, **options
        )

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign in where everybody does: a second door would know no second factor."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response
