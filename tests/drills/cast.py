"""Who works and writes in a drill, and how they come in."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from staff import apitokens
from staff.models import User
from tests.drills.proxy import Program, Proxy
from tests.house import House

PASSWORD = "a long enough sentence"


def ready(text: str = "") -> House:
    """The cast, with passwords, and a policy that differs from the shipped one by ``text``."""
    house = House()
    house.publish(now=timezone.now(), text=text)
    house.anna.set_password(PASSWORD)
    house.anna.save()
    return house


def program(proxy: Proxy, user: User) -> Program:
    """A program that acts for somebody, with a token of its own."""
    now = timezone.now()
    _token, raw = apitokens.make(
        user=user,
        name="A program",
        scopes=apitokens.Scope.values,
        expires_at=now + timedelta(days=1),
        now=now,
    )
    return Program(proxy, raw)
