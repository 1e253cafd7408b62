"""Shapes as answers tell rows and as bodies are read, without making them anew each time.

The framework copies every field of a shape for each row of a list and each request; that was a
seventh of what opening a ticket takes, and half of a list. A shape holds nothing of a request, so
that one of each kind does for all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any

from rest_framework import serializers

from desk.api.fields import written

Tell = Callable[[Any], Any]
#: What is told as it lies in the row.
_PLAIN = (
    serializers.BooleanField,
    serializers.CharField,
    serializers.ChoiceField,
    serializers.DictField,
    serializers.IntegerField,
)


_shapes: dict[type[serializers.BaseSerializer[Any]], serializers.BaseSerializer[Any]] = {}


def shape(kind: type[serializers.BaseSerializer[Any]]) -> serializers.BaseSerializer[Any]:
    """The one shape of a kind; it is told things and never keeps them."""
    try:
        return _shapes[kind]
    except KeyError:
        return _shapes.setdefault(kind, kind())


class Told(serializers.Serializer[Any]):
    """The shape of an answer: tells what a row has under each name, and null where a way to it
    ends early.
    """

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {name: tell(instance) for name, tell in self._tellers}

    @cached_property
    def _tellers(self) -> list[tuple[str, Tell]]:
        return [(name, self._teller(field)) for name, field in self.fields.items()]

    def _teller(self, field: serializers.Field[Any, Any, Any, Any]) -> Tell:
        if isinstance(field, serializers.SerializerMethodField):
            method: Tell = getattr(self, field.method_name or "")
            return method
        follow = _follower(tuple(field.source_attrs))
        if type(field).to_representation in {each.to_representation for each in _PLAIN}:
            return follow
        tell = field.to_representation

        def told(row: Any) -> Any:
            value = follow(row)
            if value is None:
                return None
            return written(value) if isinstance(value, datetime) else tell(value)

        return told


def _follower(way: tuple[str, ...]) -> Tell:
    """Goes to what lies at the end of a way from a row, which may be a mapping."""
    if len(way) == 1:
        [name] = way
        return lambda row: row[name] if type(row) is dict else getattr(row, name)

    def follow(row: Any) -> Any:
        for step in way:
            if row is None:
                return None
            row = row[step] if type(row) is dict else getattr(row, step)
        return row

    return follow
