"""The fields of the API's bodies: a number is a number and a text a text, nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import empty

from notifications.plaintext import one_line

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
LARGEST_ID = 10**15 - 1

#: RFC 3339, with its offset: a moment in nobody's zone is none.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Shape(serializers.Serializer[Any]):
    """A body: names that it does not know are refused."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = data.keys() - self.fields.keys() if isinstance(data, Mapping) else set()
        faults: dict[str, Any] = {
            name: [ErrorDetail(_("There is no such field."), code="unknown")]
            for name in sorted(unknown)
        }
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if not unknown or not isinstance(error.detail, dict):
                raise
            raise ValidationError({**error.detail, **faults}) from error
        if faults:
            raise ValidationError(faults)
        return value


class Text(serializers.CharField):
    """Text of several lines, kept as it is but for blanks around it."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        if not options.get("allow_blank") and not options.get("read_only"):
            options.setdefault("min_length", 1)
        super().__init__(max_length=max_length, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Line(Text):
    """One line: ends of lines and runs of blanks become one blank."""

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        return one_line(value, limit=max(len(value), 1))

    def run_validation(self, data: Any = empty) -> Any:
        value = super().run_validation(data)
        if value == "" and not self.allow_blank:
            self.fail("blank")
        return value


class Slug(serializers.RegexField):
    def __init__(self, *, max_length: int = 50, **options: Any) -> None:
        super().__init__(r"^[-a-zA-Z0-9_]+$", max_length=max_length, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        value = str(super().to_internal_value(data))
        if "\n" in value:  # which ``$`` lets pass at the end
            self.fail("invalid")
        return value


class Address(serializers.EmailField):
    """A mail address."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Number(serializers.IntegerField):
    def __init__(self, *, min_value: int = 1, max_value: int = LARGEST_ID, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Choice(serializers.ChoiceField):
    """One of the values, in their own type."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool | dict | list) or data not in self.choices:
            self.fail("invalid_choice", input=data)
        if type(data) not in {type(choice) for choice in self.choices}:
            self.fail("invalid_choice", input=data)
        return data


class Moment(serializers.DateTimeField):
    """A moment with its offset, of this century; answered in UTC."""

    default_error_messages = {
        "offset": gettext_lazy("Write a moment with its offset, such as 2026-11-24T09:00:00Z."),
        "range": gettext_lazy("This time is too far away."),
    }

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            self.fail("offset")
        moment = read_moment(value)
        if moment is None:
            self.fail("range")
        return moment

    def to_representation(self, value: datetime) -> str:
        return written(value)


def read_moment(text: str) -> datetime | None:
    """A moment in RFC 3339's words; None for any other, and for one far away."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        moment = parse_datetime(text.upper())
        moment = moment.astimezone(UTC) if moment is not None else None
    except (ValueError, OverflowError):
        return None
    return moment if moment is not None and EARLIEST < moment < LATEST else None


def written(moment: datetime) -> str:
    """A moment as answers say it: RFC 3339, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Texts(serializers.ListField):
    """A list of lines, none twice."""

    def __init__(self, *, each: int, at_most: int, **options: Any) -> None:
        super().__init__(child=Line(max_length=each), max_length=at_most, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        return list(dict.fromkeys(super().to_internal_value(data)))


class Slugs(serializers.ListField):
    """The slugs of what something has several of."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.CharField(), **options)

    def to_representation(self, rows: Any) -> list[str]:
        return [row.slug for row in rows.all()]


def training_override() -> Line:
    """Why somebody goes on who has not completed the procedure that the policy requires."""
    return Line(
        max_length=500,
        allow_blank=True,
        default="",
        help_text="Why it cannot wait for a completion of the procedure, where one is required.",
    )
