"""How people come in: by invitation of an admin, never by signing themselves up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Keeps allauth's sign-in, reset and second factor, and closes its sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
