"""Numbers given to commands: out of bounds, they are refused in words before anything happens."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.parametrize(
    ("command", "option", "number", "said"),
    [
        ("outbox resume --yes", "--older-than", "nan", "nan is not between 0 and 876,600"),
        ("outbox resume --yes", "--older-than", "inf", "inf is not between 0 and 876,600"),
        ("outbox resume --yes", "--older-than", "-1", "-1 is not between 0 and 876,600"),
        ("outbox resume --yes", "--older-than", "a day", "'a day' is no number"),
        ("run_engine", "--interval", "nan", "nan is not between 0.05 and 3,600"),
        ("load_scale", "--messages", "1e9", "1e9 is not between 1 and 100"),
        ("load_scale", "--open", "1.5", "1.5 is not between 0 and 1"),
        ("load_scale", "--tickets", "0", "0 is not between 1 and 5,000,000"),
        ("backup", "--keep", "0", "0 is not between 1 and 10,000"),
        ("seed_demo", "--past", "-3", "-3 is not between 0 and 1,000,000"),
        ("replay_quarantine", "--limit", "1.5", "'1.5' is no whole number"),
        ("replay_quarantine", "--limit", f"{10**30}", f"{10**30} is not between 0 and"),
    ],
)
def test_a_number_out_of_bounds_is_refused_with_the_bounds(
    command: str, option: str, number: str, said: str
) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(*command.split(), f"{option}={number}")
    assert str(refused.value).startswith(f"Error: argument {option}: {said}")
