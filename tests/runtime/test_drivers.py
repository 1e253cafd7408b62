from importlib.util import find_spec

from django.db import connection


def test_psycopg_3_is_absent_because_django_would_silently_prefer_it() -> None:
    assert find_spec("psycopg") is None
    assert connection.Database.__name__ == "psycopg2"
