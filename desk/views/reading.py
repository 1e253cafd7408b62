from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from staff.models import User


def reader(request: HttpRequest) -> User:
    """The member of staff who asks; pages behind ``login_required`` always have one."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def lead(request: HttpRequest) -> User:
    """Whoever answers for others' work: a lead, a manager or an admin; 403 for anybody else."""
    user = reader(request)
    if not user.is_lead:
        raise PermissionDenied
    return user
