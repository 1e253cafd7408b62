"""What the customer of a past escalation was told to expect, and whether it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from escalation.models import Escalation, Promise
from escalation.models.promise import PromiseKind, PromiseState
from escalation.promises import round_up
from helpdesk.demo import yearwords
from helpdesk.demo.life import MINUTE, Life


@dataclass(frozen=True, slots=True)
class Expectation:
    """A reply by ``due``, told as the escalation began; ``end`` is when the ticket was solved."""

    life: Life
    escalation: Escalation
    due: datetime
    end: datetime

    @property
    def start(self) -> datetime:
        return self.escalation.opened_at

    def tell(self, *, not_after: datetime) -> None:
        """The word that came by then or did not; ``not_after`` that it would be the solution."""
        life, rng = self.life, self.life.rng
        late = rng.random() < 0.2
        share = rng.uniform(1.1, 1.8) if late else rng.uniform(0.3, 0.9)
        aim = self.start + (self.due - self.start) * share
        word = min(life.while_open(aim, before=None if late else self.due), not_after)
        if word > self.start:
            life.says(rng.choice(yearwords.UPDATES), word)
        first = self._told(self.due, number=1, made_at=self.start)
        warned = self.due - 15 * MINUTE
        # Foreseen in time, the customer hears of it before the time is over.
        if word > self.due and self.end > self.due and warned > self.start and rng.random() < 0.5:
            self._finish(first, PromiseState.REPLACED, warned)
            renewed = round_up(word + 45 * MINUTE, life.policy.promises.round_up_to)
            self._judge(self._told(renewed, number=2, made_at=warned, replaces=first))
        else:
            self._judge(first)

    def _told(
        self, due: datetime, *, number: int, made_at: datetime, replaces: Promise | None = None
    ) -> Promise:
        by = self.life.agent if replaces else self.escalation.opened_by
        told = Promise(
            ticket=self.life.ticket,
            escalation=self.escalation,
            number=number,
            kind=PromiseKind.REPLY,
            target=str(self.life.goals.promise),
            due_at=due,
            made_at=made_at,
            made_by=by,
            reason="it took longer to find the cause" if replaces else "",
            replaces=replaces,
            slips=1 if replaces else 0,
        )
        self.life.shelf.put(told)
        self.life.shelf.event(
            self.life.ticket,
            "promised",
            made_at,
            user=by,
            kind=str(told.kind),
            number=number,
            due_at=due.isoformat(),
        )
        return told

    def _judge(self, told: Promise) -> None:
        """Kept by the first word that comes in time; the solution is one, too."""
        words = sorted([*self.life.words, self.end])
        in_time = next((at for at in words if told.made_at < at <= told.told), None)
        if in_time is not None:
            self._finish(told, PromiseState.KEPT, in_time)
        else:
            self._finish(told, PromiseState.BROKEN, told.told)
            told.broken_at = told.due_at

    def _finish(self, told: Promise, state: PromiseState, at: datetime) -> None:
        told.state, told.ended_at = state, at
        self.life.shelf.event(self.life.ticket, f"promise_{state}", at, number=told.number)
