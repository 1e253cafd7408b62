"""The desk that is measured: how large it is, and who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.serving import Server
    from staff.models import User

#: Tickets that wait for the engine, for what it does with many: of every desk at most this share.
MOST_DUE, DUE_SHARE = 10_000, 0.1


@dataclass(frozen=True, slots=True)
class Desk:
    """A loaded installation; ``as_of`` is the moment at which only ``due`` tickets are due."""

    size: int
    as_of: datetime
    due: int
    server: Server
    #: Fewer runs, for a test of the harness itself.
    quick: bool = False

    def runs(self, many: int) -> int:
        return max(3, many // 20) if self.quick else many

    def agent(self) -> User:
        """Somebody at the first tier who has tickets."""
        from staff.models import User

        return User.objects.filter(role="agent", teams__tier__number=1).earliest("pk")

    def receiver(self) -> User:
        from staff.models import User

        return User.objects.filter(role="agent", teams__tier__number=2).earliest("pk")

    def lead(self) -> User:
        from staff.models import User

        return User.objects.filter(role="lead").earliest("pk")

    def token(self) -> str:
        """An API token of the agent's that may do everything."""
        from django.utils import timezone

        from staff import apitokens

        now = timezone.now()
        _token, raw = apitokens.make(
            user=self.agent(),
            name="Benchmark",
            scopes=apitokens.Scope.values,
            expires_at=now + timedelta(days=1),
            now=now,
        )
        return raw


def statements(act: Callable[[], object]) -> int:
    """How many statements an act sends to the database; the second time, as in life."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    act()
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)
