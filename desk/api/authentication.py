"""Who asks: the bearer of a token, and for the schema also who signed in at the desk."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from staff import apitokens
from staff.models import ApiToken, User

REALM = 'Bearer realm="api"'


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer hd_…`` (RFC 6750). No cookie counts, so that no form can act."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = apitokens.find(raw.strip(), timezone.now())
        if token is None:
            raise AuthenticationFailed(
                _("This token is not known, has expired, or was taken back."), code="invalid_token"
            )
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return REALM


class DeskAuthentication(BaseAuthentication):
    """Who signed in at the desk; only for what is read there, since it asks for no CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = getattr(request._request, "user", None)
        return (user, None) if isinstance(user, User) and user.is_active else None
