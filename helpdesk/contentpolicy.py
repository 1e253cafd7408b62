"""Which Content-Security-Policy a response carries: ours, or the admin's looser one."""

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ContentPolicyMiddleware(CSPMiddleware):
    """A nonce policy on every page and fragment; the admin, whose theme needs more, has its own."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path_info.startswith("/admin/"):
            parts.config = settings.HELPDESK_ADMIN_CONTENT_POLICY
            parts.nonce = None
        return parts
