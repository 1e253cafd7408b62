import subprocess
import sys
from importlib.util import find_spec

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import is_psycopg3

from tests.processes import ROOT


def test_psycopg_3_is_absent_because_django_would_silently_prefer_it() -> None:
    assert find_spec("psycopg") is None
    assert not is_psycopg3


def test_garbage_is_looked_for_once_everything_is_loaded() -> None:
    """The first app puts it off, and the last of ours ends that; here, the tests do so themselves."""
    assert settings.INSTALLED_APPS[0] == "helpdesk"
    asked = "import django, gc; django.setup(); print(gc.isenabled(), gc.get_freeze_count() > 0)"
    said = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["True", "True"]
