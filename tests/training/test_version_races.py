"""Leads who write, submit, publish and throw away at once take turns: what each was told, is so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from django.db import connection

from staff.refusal import Refused
from tests.house import House, after
from tests.training.test_learning import published
from training import versions
from training.frontmatter import with_front
from training.models import Procedure, ProcedureVersion, VersionState

ROUNDS = 9


def at_once(acts: Mapping[str, Callable[[], object]]) -> dict[str, object]:
    """What each came to: None where it was refused, which is an answer; anything else fails."""
    told: dict[str, object] = {}
    failed: list[str] = []
    start = threading.Barrier(len(acts))

    def do(name: str, act: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            start.wait(30)
            told[name] = act() or True
        except Refused:
            told[name] = None
        except BaseException as error:
            failed.append(f"{name}: {error!r}")
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=act) for act in acts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    return told


def in_one_moment(house: House, first: ProcedureVersion, number: int, end: str) -> None:
    """One round: somebody writes a draft on while somebody else submits it, or ends it."""

    def texts(change: str) -> dict[str, str]:
        return {
            language: with_front(text, {"change": f"{change} {number}."})
            for language, text in first.texts.items()
        }

    draft = versions.write(texts=texts("Round"), by=house.grace, now=after(minutes=number))
    assert draft is not None
    ends: dict[str, Callable[[], object]] = {
        "submit": lambda: versions.submit(version_id=draft.pk, by=house.grace, now=after()),
        "publish": lambda: versions.publish(version_id=draft.pk, by=house.sam, now=after()),
        "discard": lambda: versions.discard(version_id=draft.pk, by=house.grace, now=after()),
    }
    told = at_once(
        {
            "write": lambda: versions.write(
                texts=texts("More of"), by=house.grace, now=after(hours=1)
            ),
            end: ends[end],
        }
    )
    assert told[end], "it was a draft in either order"
    standing = ProcedureVersion.objects.filter(pk=draft.pk).first()
    state = {"submit": VersionState.REVIEW, "publish": VersionState.PUBLISHED, "discard": None}
    assert (standing.state if standing else None) == state[end]
    if standing is not None:
        # What was written is this version's, or the next one's.
        latest = ProcedureVersion.objects.order_by("number").last()
        assert latest is not None
        assert latest.change_note == f"{'More of' if told['write'] else 'Round'} {number}."
    if end == "submit":
        versions.give_back(version_id=draft.pk, note="", by=house.grace, now=after(hours=2))
    for each in ProcedureVersion.objects.exclude(state=VersionState.PUBLISHED):
        versions.discard(version_id=each.pk, by=house.grace, now=after(hours=3))


def test_nobody_writes_over_a_version_that_was_just_submitted_published_or_thrown_away(
    transactional_db: None,
) -> None:
    house, first = House(), published()
    for number in range(ROUNDS):
        in_one_moment(house, first, number, ("submit", "publish", "discard")[number % 3])
    assert Procedure.objects.count() == 1
