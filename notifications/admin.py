"""The configuration of what our mails say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.catalog import mail_kind
from notifications.forms import MailTemplateForm
from notifications.models import MailTemplate
from notifications.rendering import sample
from notifications.templates import write_version
from staff.configuration import Configuration, verbatim
from staff.models import User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

LANGUAGES = dict(settings.LANGUAGES)


class InForce(admin.SimpleListFilter):
    """The texts in force, unless somebody asks for the earlier ones as well."""

    title = _("version")
    parameter_name = "versions"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        return (("all", _("earlier ones as well")),)

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[MailTemplate]
    ) -> QuerySet[MailTemplate]:
        # Annotated by the page's own queryset.
        return queryset if self.value() == "all" else queryset.filter(Q(is_replaced=False))


@admin.register(MailTemplate)
class MailTemplateAdmin(Configuration):
    form = MailTemplateForm
    list_display = ("key", "shown_language", "version", "subject", "shown_in_force", "shipped")
    list_display_links = ("key",)
    list_filter = (InForce, "language", "key")
    search_fields = ("key", "subject", "text")
    ordering = ("key", "language", "-version")
    readonly_fields = ("key", "shown_language", "version", "shown_variables", "shown_sample")
    fieldsets = (
        (None, {"fields": ("key", "shown_language", "version")}),
        (_("Text"), {"fields": ("subject", "text", "shown_variables")}),
        (_("How it reads, with sample values"), {"fields": ("shown_sample",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[MailTemplate]:
        newer = MailTemplate.objects.filter(
            key=OuterRef("key"), language=OuterRef("language"), version__gt=OuterRef("version")
        )
        rows: QuerySet[MailTemplate] = super().get_queryset(request)
        return rows.annotate(is_replaced=Exists(newer))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The kinds of mail are those the program writes."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the text in force is changed, and that by a newer one."""
        replaced = getattr(obj, "is_replaced", False)
        return super().has_change_permission(request, obj) and not replaced

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: MailTemplate, form: MailTemplateForm, change: bool
    ) -> None:
        assert isinstance(request.user, User)
        written = write_version(
            of=obj, subject=obj.subject, text=obj.text, by=request.user, now=timezone.now()
        )
        if written is not None:
            # The log and the answer are about the new version; the old one stays as it is.
            obj.pk, obj.version = written.pk, written.version

    def response_change(self, request: HttpRequest, obj: MailTemplate) -> HttpResponse:
        told = gettext("%(text)s is in force: see below how it reads.") % {"text": obj}
        messages.success(request, told)
        return HttpResponseRedirect(
            reverse("admin:notifications_mailtemplate_change", args=(obj.pk,))
        )

    @admin.display(description=_("language"), ordering="language")
    def shown_language(self, template: MailTemplate) -> str:
        return str(LANGUAGES.get(template.language, template.language))

    @admin.display(description=_("in force"), boolean=True)
    def shown_in_force(self, template: MailTemplate) -> bool:
        return not getattr(template, "is_replaced", False)

    @admin.display(description=_("variables"))
    def shown_variables(self, template: MailTemplate) -> SafeString:
        names = sorted(mail_kind(template.key).variables)
        return format_html_join(" ", "<code>{}</code>", ((f"{{{name}}}",) for name in names))

    @admin.display(description=_("sample"))
    def shown_sample(self, template: MailTemplate) -> SafeString:
        rendered = sample(template=template)
        return verbatim(f"{rendered.subject}\n\n{rendered.text}")
