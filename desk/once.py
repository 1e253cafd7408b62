"""A form that is sent twice does its work once: a double click, a retry, Back and send again.

Every form carries a number of its own (the tag ``once``). What was sent is remembered under that
number together with its words, so that other words from the same form are no repetition.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from django.core.cache import cache
from django.http import HttpRequest

FIELD = "once"
_REMEMBERED = timedelta(hours=24)
#: They differ between renderings of one form, or say only where to go afterwards.
_ASIDE = frozenset({"csrfmiddlewaretoken", "next"})


def is_repeated(request: HttpRequest) -> bool:
    """Whether this very form was sent and worked on before.

    Call it inside the transaction that does the work. The cache is a table of the same database:
    a repetition at the same moment waits for the first to end, and a form whose work is rolled
    back may come again. A form without a number is never a repetition.
    """
    if not request.POST.get(FIELD):
        return False
    said = [
        str(request.user.pk),
        request.path,
        *(
            f"{name}={values}"
            for name, values in sorted(request.POST.lists())
            if name not in _ASIDE
        ),
    ]
    key = f"once:{sha256(repr(said).encode('utf-8', 'surrogatepass')).hexdigest()}"
    return not cache.add(key, True, int(_REMEMBERED.total_seconds()))
