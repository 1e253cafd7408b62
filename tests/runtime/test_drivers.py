from importlib.util import find_spec

from django.db.backends.postgresql.psycopg_any import is_psycopg3


def test_psycopg_3_is_absent_because_django_would_silently_prefer_it() -> None:
    assert find_spec("psycopg") is None
    assert not is_psycopg3
