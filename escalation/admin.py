"""The configuration of when and where tickets go up: a policy is drafted, looked at, published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from escalation import applying
from escalation.forms import PolicyForm
from escalation.models import Policy, PolicyVersion
from escalation.policytext import write_policy
from escalation.problems import PolicyErrors
from escalation.publishing import NotADraft, differences, draft, publish
from staff.configuration import Configuration, History, HistoryInline, configures, verbatim
from staff.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


class PolicyVersionInline(HistoryInline):
    model = PolicyVersion
    fields = ("number", "created_at", "created_by", "published_at")
    readonly_fields = fields
    show_change_link = True
    verbose_name_plural = _("versions")


@admin.register(Policy)
class PolicyAdmin(Configuration):
    form = PolicyForm
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    fixed_fields = ("slug",)
    fields = ("name", "slug", "file")
    inlines = (PolicyVersionInline,)

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)
        kept = draft(
            policy=obj, spec=form.cleaned_data["file"], by=request.user, now=timezone.now()
        )
        if kept is not None:
            told = gettext("Version %(number)s is kept as a draft. Publish it to put it in force.")
            messages.success(request, told % {"number": kept.number})


@admin.register(PolicyVersion)
class PolicyVersionAdmin(History):
    list_display = ("policy", "number", "created_at", "created_by", "published_at")
    list_display_links = ("policy", "number")
    list_filter = ("policy",)
    list_select_related = ("policy", "created_by")
    fields = ("policy", "number", "created_at", "created_by", "published_at", "shown_body")
    readonly_fields = fields
    actions_detail = ("publish",)

    def has_publish_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Admins publish, and only what is not published yet."""
        if not configures(request):
            return False
        if object_id is None:
            return True
        return str(object_id).isdecimal() and (
            PolicyVersion.objects.filter(pk=object_id, published_at__isnull=True).exists()
        )

    @admin.display(description=_("policy file"))
    def shown_body(self, version: PolicyVersion) -> SafeString:
        return verbatim(write_policy(version.body))

    @action(  # type: ignore[untyped-decorator]  # unfold is untyped
        description=_("Publish …"), permissions=["publish"]
    )
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what would change; and, once that is confirmed, publish."""
        version = self.get_object(request, object_id)
        if version is None:
            raise Http404
        if request.method == "POST":
            return self._publish(request, version)
        return TemplateResponse(
            request,
            "escalation/admin/publish.html",
            {
                **self.admin_site.each_context(request),
                "title": gettext("Publish %(version)s") % {"version": version},
                "opts": self.opts,
                "version": version,
                "changes": verbatim(differences(version.body) or gettext("Nothing differs.")),
                "clocks": applying.outlook(version.spec),
            },
        )

    def _publish(self, request: HttpRequest, version: PolicyVersion) -> HttpResponse:
        try:
            publish(
                version=version,
                to_open_tickets="to_open_tickets" in request.POST,
                now=timezone.now(),
                by=request.user if isinstance(request.user, User) else None,
            )
        except (NotADraft, PolicyErrors) as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, version, gettext("Published."))
            messages.success(request, gettext("%(version)s is in force.") % {"version": version})
        address = reverse("admin:escalation_policyversion_change", args=(version.pk,))
        return HttpResponseRedirect(address)
