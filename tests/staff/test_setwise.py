"""Rows that are written many at once hold what those written one by one hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils.functional import SimpleLazyObject
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from escalation.models import Clock, ClockRun
from notifications.models import MailState, MailTemplate, OutgoingEmail
from notifications.templates import load_defaults
from staff import setwise
from staff.models import User
from tests.house import START, House, after
from tickets.models import FollowUp

#: What neither a column of text nor jsonb can hold is refused before: NUL and half characters.
TEXTS = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\0"), st.sampled_from("\t\n\r\\\"'{},")
    ),
    max_size=40,
)


class AnyText(TestCase):
    @settings(deadline=None, max_examples=30)
    @given(st.lists(TEXTS, min_size=setwise.FEW, max_size=9))
    def test_any_text_comes_back_as_it_went_in(self, texts: list[str]) -> None:
        load_defaults(now=START)
        OutgoingEmail.objects.all().delete()
        rows = [letter(number, text) for number, text in enumerate(texts)]
        setwise.insert(rows=rows)
        for row, text in zip(rows, texts, strict=True):
            found = OutgoingEmail.objects.get(pk=row.pk)
            assert (found.last_error, found.variables) == (text, {text: [text, None, 1]})


def letter(number: int, text: str = "") -> OutgoingEmail:
    return OutgoingEmail(
        dedupe_key=f"letter:{number}",
        message_id=f"<{number}@brightquay.example>",
        kind="received",
        template=MailTemplate.objects.filter(key="received").earliest("pk"),
        variables={text: [text, None, 1]},
        to_address="dana@northwind.example",
        language="en",
        zone="UTC",
        last_error=text,
        queued_at=START,
        state=MailState.SENDING,
        automatic=bool(number % 2),
        lease_token=UUID(int=number),
        lease_until=after(minutes=number),
    )


@pytest.mark.django_db
def test_every_kind_of_value_comes_back_as_it_went_in() -> None:
    load_defaults(now=START)
    rows = [letter(number) for number in range(setwise.FEW)]
    setwise.insert(rows=rows)
    for row in rows:
        assert not row._state.adding
        found = OutgoingEmail.objects.get(pk=row.pk)
        for field in OutgoingEmail._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(row, field.attname), field.name


def test_lengths_of_time_and_rows_made_just_before_are_found_again(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    clock = Clock.objects.filter(ticket=ticket).earliest("pk")
    lengths = [timedelta(), timedelta(microseconds=1), timedelta(days=3, hours=1, seconds=0.25)]
    runs = [
        ClockRun(clock=clock, started_at=START, ended_at=after(days=9), worked=length)
        for length in [*lengths, -timedelta(seconds=1.5)]
    ]
    setwise.insert(rows=runs)
    assert [ClockRun.objects.get(pk=run.pk).worked for run in runs] == [run.worked for run in runs]


@pytest.mark.django_db
def test_rows_that_somebody_else_writes_at_the_same_moment_are_passed_over() -> None:
    load_defaults(now=START)
    setwise.insert(rows=[letter(2)])
    rows = [letter(number) for number in range(setwise.FEW + 1)]
    with pytest.raises(IntegrityError), transaction.atomic():
        setwise.insert(rows=rows)
    assert not setwise.insert_once(rows=[letter(number) for number in range(setwise.FEW + 1)])
    assert OutgoingEmail.objects.count() == setwise.FEW + 1
    assert setwise.insert_once(rows=[letter(20)])


def test_a_row_made_quickly_is_as_any_other(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    given = {"ticket": ticket, "kind": "progress", "key": "HD-1:x", "due_at": START}
    quick = setwise.new(FollowUp, **given, created_at=START, created_by=signed_in(house.anna))
    usual = FollowUp(**given, created_at=START, created_by=house.anna)
    assert quick._state.adding
    for field in FollowUp._meta.concrete_fields:
        assert getattr(quick, field.attname) == getattr(usual, field.attname), field.name
    setwise.insert(rows=[quick])
    assert FollowUp.objects.get().created_by == house.anna
    with pytest.raises(TypeError, match="no field wheels"):
        setwise.new(FollowUp, wheels=4)


def signed_in(user: User) -> Any:
    """As ``request.user`` is."""
    return SimpleLazyObject(lambda: user)
