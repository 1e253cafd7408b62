"""Values no field of its kind can take, and forms filled in so that only these are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

HUGE = "9" * 30
NUL = "a\x00b"
_NUMBERS = ["x", "-1", "1.5", f"-{HUGE}", "1e3", "\u0664\u0662 \u0664", "[]", HUGE, NUL]
_TIMES = [
    "soon",
    "1999-12-31T23:59",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "2026-02-30T10:00",
    "+300000-01-01T00:00",
    HUGE,
    NUL,
]


def bad_values(field: forms.Field) -> list[str]:
    """What a field must refuse, whatever else is in its form."""
    required = ["", "  "] if field.required else []
    match field:
        case forms.FileField() | forms.BooleanField():
            return []
        case forms.ModelChoiceField():
            return [*required, "987654321", "0", *_NUMBERS]
        case forms.ChoiceField():
            return [*required, "nothing", "-1", HUGE, "\ud7ff", "{}", "x" * 10_000, NUL]
        case forms.DateTimeField():
            return [*required, *_TIMES]
        case forms.IntegerField():
            # A number too large for any column is still one: it is stale.
            return [*required, *(each for each in _NUMBERS if each != HUGE), "0"]
        case forms.SlugField():
            return [*required, "a b", "../x", NUL, "x" * 10_000]
        case forms.EmailField():
            return [*required, "nobody", "a@b@c.example", NUL, f"{'a' * 300}@b.example", "a b@c.de"]
        case forms.CharField():
            longest = field.max_length
            assert longest is not None, "a text without an end"
            return [*required, NUL, "x" * (longest + 1)]
    raise AssertionError(f"Say what is bad for {type(field)}")


def good_value(name: str, field: forms.Field) -> Any:
    """What a form of ours takes; whether it may be done is another thing."""
    match field:
        case forms.FileField() | forms.BooleanField():
            return None
        case forms.ModelChoiceField():
            assert field.queryset is not None
            found = field.queryset.first()
            return found.pk if found else None
        case forms.MultipleChoiceField() | forms.ChoiceField():
            return next((value for value, _label in field.widget.choices if value), None)
        case forms.DateTimeField():
            return (timezone.now() + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
        case forms.IntegerField():
            return 1
        case forms.EmailField():
            return "dana@norvik.example"
    return {"every": "4h"}.get(name, "words")


def all_bad(form: forms.Form, *, times: int = 3) -> Iterator[dict[str, str]]:
    """Every field wrong at once, some times over and each time otherwise."""
    bad = {name: bad_values(field) for name, field in form.fields.items()}
    for number in range(times if any(bad.values()) else 0):
        yield {name: values[-1 - number % len(values)] for name, values in bad.items() if values}


def one_bad(form: forms.Form) -> Iterator[tuple[str, dict[str, Any]]]:
    """One field wrong, the others as they should be."""
    good = {
        name: value
        for name, field in form.fields.items()
        if (value := good_value(name, field)) is not None
    }
    for name, field in form.fields.items():
        for value in bad_values(field):
            yield name, {**good, name: value}
